from itertools import repeat

import pytest

from benchmarks.rounds import alternate

QUIET, BUSY = 0.01, 0.2


def side(name, pairs, log):
    pairs = iter(pairs)

    def run():
        log.append(name)
        return next(pairs)

    return run


def test_sides_take_turns():
    log = []
    sides = {name: side(name, repeat((1.0, QUIET)), log) for name in "ab"}
    alternate(sides, runs=3, tries=9)
    assert log == ["a", "b"] * 3


def test_a_disturbed_run_is_done_again_and_left_out():
    log = []
    pairs = [(9.0, BUSY), (1.0, QUIET), (2.0, QUIET), (3.0, QUIET)]
    figure = alternate({"a": side("a", pairs, log)}, runs=3, tries=9)["a"]
    assert len(log) == 4
    assert (figure.median, figure.min, figure.max, figure.runs) == (2.0, 1.0, 3.0, 3)
    assert not figure.disturbed


def test_a_side_with_enough_runs_waits_for_the_others():
    log = []
    sides = {
        "a": side("a", repeat((1.0, QUIET)), log),
        "b": side("b", [(1.0, BUSY), (1.0, QUIET), (1.0, QUIET)], log),
    }
    alternate(sides, runs=2, tries=9)
    assert log == ["a", "b", "a", "b", "b"]


def test_after_the_last_try_the_least_disturbed_are_kept_and_marked():
    pairs = [(4.0, 0.4), (3.0, 0.3), (2.0, 0.2), (1.0, 0.1)]
    figure = alternate({"a": side("a", pairs, [])}, runs=2, tries=4)["a"]
    assert figure.median == pytest.approx(1.5)
    assert figure.others == pytest.approx(0.2)
    assert figure.disturbed
