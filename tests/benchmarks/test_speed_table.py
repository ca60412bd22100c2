import json

import pytest

from benchmarks import speed_table
from benchmarks.figures import END, rewrite
from benchmarks.speed_table import best, page, ratio, table, verdict


def side(who, median, ours=False, others=0.0):
    figures = {"median": median, "min": median, "max": 2 * median, "others": others}
    return {"who": who, "ours": ours, "first_call": 1.5, "versions": {"numpy": "1"}, **figures}


def line(*sides, **fields):
    return {
        "workload": "crf(32,50,9)",
        "metric": "loss gradient",
        "unit": "ms",
        "sides": list(sides),
        "about": "float32",
        "gflop": None,
        "peak": None,
        "threads": 2,
        "processor": "some processor",
        "commit": "abc",
        **fields,
    }


def test_ratio_is_above_one_when_ours_takes_less_time():
    assert ratio(2.0, 6.0, "ms") == 3.0


def test_ratio_is_above_one_when_ours_has_the_higher_rate():
    assert ratio(6.0, 2.0, "sentences/s") == 3.0


@pytest.mark.parametrize(("unit", "expected"), [("ms", "fast"), ("sentences/s", "slow")])
def test_best_is_the_shortest_time_or_the_highest_rate(unit, expected):
    sides = [side("slow", 5.0), {"who": "failed", "failed": "x"}, side("fast", 1.0)]
    assert best(sides, unit)["who"] == expected


@pytest.mark.parametrize(
    ("factor", "goal", "expected"),
    [(6.0, 6, "6x"), (5.99, 6, "**missed** 6x"), (0.1, None, "-")],
)
def test_a_missed_goal_is_marked(factor, goal, expected):
    assert verdict(factor, goal) == expected


def test_the_best_of_ours_stands_beside_each_peer():
    written = table(
        [
            line(
                side("seqnlp, JAX", 0.5, ours=True),
                side("seqnlp, TensorFlow", 0.7, ours=True),
                side("TensorFlow Addons", 2.5),
                side("pytorch-crf", 6.25),
            )
        ]
    )
    assert (
        "| crf(32,50,9) | loss gradient | 0.5 ms | TensorFlow Addons | 2.5 ms | 5.00x "
        "| **missed** 6x |\n" in written
    )
    assert "| 0.5 ms | pytorch-crf | 6.25 ms | 12.50x | 12x |\n" in written
    assert "seqnlp, TensorFlow | 0.7 ms | 0.7 to 1.4 | 1.50 s | - |\n" in written


def test_a_peer_that_did_not_run_keeps_its_goal_and_says_why():
    failed = {"who": "pytorch-crf", "ours": False, "failed": "not run: `make peers` installs it"}
    written = table([line(side("seqnlp, JAX", 0.5, ours=True), failed)])
    assert "| pytorch-crf | not run: `make peers` installs it | - | 12x |\n" in written


def test_a_disturbed_figure_is_marked():
    written = table([line(side("seqnlp, JAX", 0.5, ours=True, others=0.06))])
    assert "| 0.5 ms, disturbed 6% |" in written


@pytest.mark.parametrize(
    ("unit", "gflop", "median"), [("ms", 4.0, 20.0), ("sentences/s", 0.05, 4000.0)]
)
def test_the_share_of_the_peak_counts_what_is_done_a_second(unit, gflop, median):
    made = line(side("seqnlp, JAX", median, ours=True), unit=unit, gflop=gflop, peak=400.0)
    assert table([made]).endswith("| 50% |\n")


def test_the_page_shows_the_newest_figure_of_each_metric():
    old, new = (line(side("seqnlp, JAX", median, ours=True)) for median in (9.0, 1.0))
    written = page([old, new])
    assert "| 1 ms |" in written
    assert "| 9 ms |" not in written
    assert "versions: numpy 1\n" in written


def test_the_page_names_each_version_that_a_side_ran_with():
    ours, peer = side("seqnlp, JAX", 1.0, ours=True), side("pytorch-crf", 2.0)
    peer["versions"] = {"numpy": "2"}
    assert page([line(ours, peer)]).endswith("- versions: numpy 1, numpy 2\n")


def test_only_the_part_between_the_marks_is_rewritten(tmp_path, monkeypatch):
    begin = "<!-- figures: benchmarks/speed_table.py -->\n"
    text = f"before\n{begin}old{END}after\n"
    monkeypatch.setattr(speed_table, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(speed_table, "SPEED", tmp_path / "speed.jsonl")
    speed_table.PAGE.write_text(text)
    speed_table.SPEED.write_text(json.dumps(line(side("seqnlp, JAX", 1.0, ours=True))) + "\n")
    speed_table.main()
    written = speed_table.PAGE.read_text()
    assert written.startswith(f"before\n{begin}some processor, 2 threads.\n")
    assert written.endswith(f"{END}after\n")
    assert "old" not in written


@pytest.mark.parametrize(
    ("text", "missing"),
    [("a\n" + END, "<!-- figures: p -->"), ("<!-- figures: p -->\na\n", END.strip())],
)
def test_a_page_without_a_mark_is_left_alone(text, missing, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match=f"^{page}: expected a line '{missing}'. Received: none$"):
        rewrite(page, "p", "new\n")
    assert page.read_text() == text
