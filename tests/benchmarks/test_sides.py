import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.sides import ROOT, Asked, Side, SideError, check_equal, check_shapes

VENV = str(pathlib.Path(sys.prefix))


def small(*arguments):
    return Side("small side", ("tests.benchmarks.small_side", *arguments), VENV)


def test_a_side_builds_once_and_runs_as_often_as_asked():
    with Asked(small("--value", "3"), "small", limit=60) as side:
        assert side.metrics == ["sleep"]
        assert side.versions == {"numpy": np.__version__}
        answer, results = side.make("sleep")
        assert answer["unit"] == "ms"
        assert answer["first_call"] >= 0.01
        assert results == {"value": 3.0}
        for _ in range(2):
            milliseconds, share = side.run()
            assert milliseconds >= 5.0  # an item, of which a call does two
            assert 0.0 <= share <= 1.0
    assert side.process.returncode == 0


def test_a_side_that_takes_too_long_is_ended():
    with Asked(small("--hang"), "small", limit=5) as side:
        with pytest.raises(SideError, match=r"not done within 5 s"):
            side.make("sleep")
        assert side.process.returncode is not None


def test_a_side_that_fails_says_why():
    with (
        Asked(small("--fail"), "small", limit=60) as side,
        pytest.raises(SideError, match=r"ended: RuntimeError: no memory left"),
    ):
        side.make("sleep")


def test_a_side_that_cannot_start_says_why():
    side = Side("missing", ("tests.benchmarks.no_such_side",), VENV)
    asked = Asked(side, "small", limit=60)
    with pytest.raises(SideError, match=r"ended: .*No module named"), asked:
        pass
    assert asked.process.returncode is not None


def test_alone_a_side_times_every_case():
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.small_side"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["workload"] for line in lines] == ["small", "other"]
    assert all(line["min"] >= 5.0 for line in lines)


def test_equal_results_pass():
    check_equal({"x": np.array([1.0, 100.0])}, {"x": np.array([1.0, 100.001])}, 1e-4)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({"x": np.array([1.0, 101.0])}, "x is off by 0.01, allowed is 0.0001"),
        ({"x": np.array([1.0, np.nan])}, "x is off by nan, allowed is 0.0001"),
        ({"x": np.array([1.0])}, "x has shape (1,), the other side's (2,)"),
        ({"y": np.array([1.0])}, "gives ['y'] where the other side gives ['x']"),
        ({}, "gives [] where the other side gives ['x']"),
    ],
)
def test_other_results_are_refused(results, message):
    with pytest.raises(SideError) as caught:
        check_equal(results, {"x": np.array([1.0, 100.0])}, 1e-4)
    assert str(caught.value) == message


def test_results_of_the_same_shapes_pass_where_numbers_are_not_compared():
    expected = {"x": np.array([1.0, 100.0]), "y": np.array(1.0)}
    check_shapes({"x": np.array([2.0, 0.0])}, expected)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({"x": np.array([1.0, np.inf])}, "x is not finite"),
        ({"x": np.array([1.0])}, "x has shape (1,), the other side's (2,)"),
        ({"y": np.array([1.0])}, "gives ['y'] where the other side gives ['x']"),
        ({}, "gives [] where the other side gives ['x']"),
    ],
)
def test_other_shapes_are_refused(results, message):
    with pytest.raises(SideError) as caught:
        check_shapes(results, {"x": np.array([1.0, 100.0])})
    assert str(caught.value) == message
