"""How fast training is, by a clock that is set by hand."""

import pytest

from seqnlp.callbacks import Throughput, throughput


@pytest.fixture
def clock(monkeypatch):
    """A list of one number, the time."""
    now = [0.0]
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: now[0])
    return now


def epoch(callback, clock, begin, ends, end):
    """The logs of an epoch whose batches end at given times."""
    clock[0] = begin
    callback.on_epoch_begin(0)
    for batch, clock[0] in enumerate(ends):
        callback.on_train_batch_end(batch)
    clock[0] = end
    logs = {"loss": 1.0}
    callback.on_epoch_end(0, logs)
    return logs


def test_the_batch_that_compiles_and_evaluation_are_left_out(clock):
    callback = Throughput(batch_size=4, tokens=10.5, flops=3e12, peak=24e12)
    callback.on_train_begin()
    logs = epoch(callback, clock, 0, [100, 102, 104], 500)
    assert logs == {
        "loss": 1.0,
        "sequences_per_second": 2.0,  # 2 batches of 4 in 4 seconds
        "tokens_per_second": 21.0,
        "tflops": 6.0,
        "flops_used": 0.25,
    }


def test_a_later_epoch_counts_all_its_batches(clock):
    callback = Throughput(batch_size=4, tokens=1, flops=1e12)
    callback.on_train_begin()
    epoch(callback, clock, 0, [100, 102], 500)
    logs = epoch(callback, clock, 600, [601, 602, 606], 900)
    assert logs["sequences_per_second"] == 2.0  # 3 batches of 4 in 6 seconds


def test_without_a_peak_no_share_is_said(clock):
    callback = Throughput(batch_size=1, tokens=1, flops=1)
    callback.on_train_begin()
    assert "flops_used" not in epoch(callback, clock, 0, [1, 2], 3)


def test_an_epoch_that_only_compiled_says_nothing(clock):
    callback = Throughput(batch_size=1, tokens=1, flops=1)
    callback.on_train_begin()
    assert epoch(callback, clock, 0, [50], 60) == {"loss": 1.0}


def test_each_run_compiles_anew(clock):
    callback = Throughput(batch_size=1, tokens=1, flops=1)
    for _ in range(2):
        callback.on_train_begin()
        assert epoch(callback, clock, 0, [50, 51], 60)["sequences_per_second"] == 1.0
