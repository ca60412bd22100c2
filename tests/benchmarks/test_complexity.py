import json

import numpy as np
import pytest

from benchmarks import complexity, complexity_table, complexity_workloads, speed_table
from benchmarks.complexity_table import draw, exponent, newest, table
from benchmarks.complexity_workloads import KINDS, LENGTHS, PASSES, metric


def lines(power=1, who="seqnlp, JAX", lengths=LENGTHS):
    return [
        {
            "workload": kind.workload,
            "metric": metric(name, length),
            "unit": "ms",
            "sides": [{"who": who, "ours": True, "median": 0.5 * float(length) ** power}],
        }
        for kind in KINDS
        for name in PASSES
        for length in lengths
    ]


@pytest.mark.parametrize("power", [1, 2])
def test_the_exponent_of_a_power_is_found(power):
    assert exponent([3.0 * length**power for length in LENGTHS]) == pytest.approx(power)


def test_the_exponent_is_that_of_long_sequences():
    assert exponent([1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 8.0]) == pytest.approx(1)


def test_a_row_has_the_figures_of_a_layer_and_a_side():
    written = table(newest(lines(2)))
    assert written.count("\n") == 2 + len(KINDS) * len(PASSES)
    first = "| self-attention | O(n² d) | forward | seqnlp, JAX | 2048 ms | 3.277e+04 ms |"
    assert first in written
    assert written.splitlines()[2].endswith("| 2.00 | 2 |")


def test_a_side_that_lacks_a_length_is_left_out():
    assert table(newest(lines(lengths=LENGTHS[:-1]))).count("\n") == 2


def test_the_newest_figure_counts():
    times = newest([*lines(1), *lines(2)])
    assert set(map(times.get, times)) == {0.5 * length**2 for length in LENGTHS}


def test_the_tables_of_speed_leave_them_out():
    other = {
        "workload": "crf",
        "metric": "viterbi",
        "unit": "ms",
        "about": "float32",
        "commit": "a",
    }
    other |= {"gflop": None, "peak": None, "threads": 2, "processor": "some", "sides": []}
    assert "length, " not in speed_table.page([*lines(), other])


def test_the_program_prints_the_table_and_draws(tmp_path, capsys):
    path, picture = tmp_path / "speed.jsonl", tmp_path / "drawn" / "picture.png"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines()), encoding="utf-8")
    complexity_table.main(["--results", str(path), "--picture", str(picture)])
    assert table(newest(lines())) in capsys.readouterr().out
    assert picture.stat().st_size > 10_000


def test_a_picture_of_nothing_is_drawn(tmp_path):
    draw({}, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").exists()


def test_a_case_is_made_for_each_layer_pass_and_length():
    names = [(case.workload, case.metric) for case in complexity.cases()]
    assert len(set(names)) == len(names) == len(KINDS) * len(PASSES) * len(LENGTHS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_gradients_are_those_of_the_weighted_mean(kind, monkeypatch):
    for name, size in {"UNITS": 8, "HEADS": 2, "WINDOW": 2}.items():
        monkeypatch.setattr(complexity_workloads, name, size)
    alone, both = (complexity.passes(kind.name, name, 40) for name in PASSES)
    mean, found = (work.results(work.call()) for work in (alone, both))
    np.testing.assert_allclose(mean["mean"], found["mean"], rtol=1e-5)
    assert found["gradient"].shape == (1, 40, 8)
    # Along its gradient the mean rises by the length of it.
    inputs, upstream = complexity.tensors(40)
    step = 0.01 * found["gradient"] / np.linalg.norm(found["gradient"])
    moved = []
    for there in (inputs + step, inputs - step):
        monkeypatch.setattr(complexity, "tensors", lambda _, there=there: (there, upstream))
        work = complexity.passes(kind.name, PASSES[0], 40)
        moved.append(float(work.results(work.call())["mean"]))
    slope = (moved[0] - moved[1]) / 0.02
    assert slope == pytest.approx(np.linalg.norm(found["gradient"]), rel=1e-2)
