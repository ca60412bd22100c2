import json
import pathlib
import sys

import pytest

from benchmarks import run
from benchmarks.parts import PARTS, Comparison
from benchmarks.sides import Side, SideError

VENV = str(pathlib.Path(sys.prefix))


def side(who, *arguments, ours=False, venv=VENV):
    return Side(who, ("tests.benchmarks.small_side", *arguments), venv, ours=ours, make="peers")


def comparison(*sides, **settings):
    return Comparison("small", (side("ours", ours=True), *sides), "sleeping", **settings)


def test_a_line_holds_the_figures_of_all_sides_and_where_they_come_from():
    (line,) = run.compare(comparison(side("peer", "--value", "1.00001")), runs=2)
    ours, peer = line["sides"]
    assert (ours["who"], ours["ours"], peer["who"], peer["ours"]) == ("ours", True, "peer", False)
    for row in (ours, peer):
        assert 5.0 <= row["min"] <= row["median"] <= row["max"]
        assert row["runs"] == 2
        assert row["first_call"] >= 0.01
        assert set(row["versions"]) == {"numpy"}
    assert (line["workload"], line["metric"], line["unit"]) == ("small", "sleep", "ms")
    assert line["threads"] == 2
    assert line["commit"]
    assert line["processor"]


def test_a_side_with_other_results_stops_the_comparison():
    with pytest.raises(SideError, match=r"sleep, peer: value is off by 1, allowed is 0.0001"):
        list(run.compare(comparison(side("peer", "--value", "2")), runs=1))


def test_a_side_that_is_not_alike_may_have_other_results():
    other = side("peer", "--value", "2")._replace(alike=False)
    (line,) = run.compare(comparison(other), runs=1)
    assert line["sides"][1]["runs"] == 1


def test_a_side_that_is_not_installed_is_named_with_what_installs_it(capsys):
    (line,) = run.compare(comparison(side("peer", venv=".venv-nowhere")), runs=1)
    failed = "not run: `make peers` installs it"
    assert line["sides"][1] == {"who": "peer", "ours": False, "failed": failed}
    assert f"small, peer: {failed}\n" in capsys.readouterr().out


def test_a_side_that_does_not_come_to_an_end_is_named():
    (line,) = run.compare(comparison(side("peer", "--hang"), limit=5), runs=1)
    assert line["sides"][0]["runs"] == 1
    assert line["sides"][1]["failed"] == "not done within 5 s"


def test_a_setup_that_fails_stops_the_comparison():
    with pytest.raises(SideError, match=r"benchmarks.no_such ended with exit status 1"):
        list(run.compare(comparison(setup=(("benchmarks.no_such",),)), runs=1))


def test_the_program_adds_a_line_for_every_metric(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(PARTS, "small", lambda _: [comparison()])
    path = tmp_path / "speed.jsonl"
    for _ in range(2):
        run.main(["small", "--runs", "1", "--results", str(path)])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["metric"] for line in lines] == ["sleep", "sleep"]
    assert "| small | sleep | ours |" in capsys.readouterr().out


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        run.main(["small"])
    assert "expected parts of attention, bert, complexity" in capsys.readouterr().err


def test_every_part_says_what_it_needs_or_has_comparisons(capsys, tmp_path):
    options = run.arguments().parse_args(["--export", str(tmp_path / "none")])
    for name, part in PARTS.items():
        assert part(options) or f"{name}: not run: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["crf"], ["crf"]),
        (["crf", "tagger"], ["peak", "crf", "tagger"]),
        (["rnn", "peak"], ["peak", "rnn"]),
        (["transformer", "complexity"], ["peak", "transformer", "complexity"]),
    ],
)
def test_the_peak_comes_before_what_is_set_against_it(parts, expected):
    assert run.with_peak(parts) == expected
