import gc

import apache_beam as beam
import pytest

from seqnlp.preprocessing import PrepareError
from seqnlp.preprocessing.running import collect_less, make_pipeline, run_pipeline
from seqnlp.preprocessing.shards import write_file


def fail(_, message):
    raise RuntimeError(message)


def test_the_default_runner_is_beams_own_in_this_process():
    assert type(make_pipeline().runner).__name__ == "FnApiRunner"


def test_arguments_of_the_program_are_not_taken_for_options(monkeypatch):
    monkeypatch.setattr("sys.argv", ["program", "--runner=DaskRunner"])
    assert type(make_pipeline().runner).__name__ == "FnApiRunner"


@pytest.mark.parametrize("name", ["DaskRunner", "apache_beam.runners.dask.dask_runner.DaskRunner"])
def test_the_runner_that_loses_data_is_refused(name):
    with pytest.raises(ValueError, match="it writes no shard and reports success"):
        make_pipeline([f"--runner={name}"])


def test_a_failure_of_a_worker_is_one_sentence(caplog):
    pipeline = make_pipeline()
    pipeline | beam.Create([1]) | "Break" >> beam.Map(fail, "the disk fell off")
    with pytest.raises(PrepareError) as caught:
        run_pipeline(pipeline)
    assert str(caught.value) == (
        "The preparation did not finish: RuntimeError: the disk fell off [while running 'Break']"
    )
    assert not caplog.records


class SayThreshold(beam.DoFn):
    def setup(self):
        collect_less()

    def process(self, _):
        raise RuntimeError(f"{gc.get_threshold()[0]} objects")


def test_the_garbage_collector_is_slowed_in_workers_alone():
    before = gc.get_threshold()
    pipeline = make_pipeline()
    pipeline | beam.Create([1]) | beam.ParDo(SayThreshold())
    with pytest.raises(PrepareError, match="RuntimeError: 100000 objects"):
        run_pipeline(pipeline)
    assert gc.get_threshold() == before


def test_a_file_that_cannot_be_written_is_named_with_the_reason(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError) as caught:  # noqa: PT011
        write_file(str(tmp_path / "file"), "inner/x", lambda file: file.write(b"x"))
    assert str(caught.value) == f"cannot write {tmp_path}/file/inner/x: Not a directory"


def test_a_failed_write_leaves_no_file_behind(tmp_path):
    with pytest.raises(OSError, match="cannot write .*x: half"):
        write_file(str(tmp_path), "x", lambda file: fail(file.write(b"x"), "half"))
    assert list(tmp_path.iterdir()) == []


def test_a_written_file_is_described(tmp_path):
    entry, result = write_file(str(tmp_path), "inner/x", lambda file: file.write(b"abc"))
    assert (tmp_path / "inner/x").read_bytes() == b"abc"
    assert result == 3
    # The SHA-256 of "abc" in FIPS 180-2.
    assert entry == {
        "file": "inner/x",
        "bytes": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    }
