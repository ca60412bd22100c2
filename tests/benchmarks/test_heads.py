import pytest

from benchmarks.heads import SETS, table, verdict


def line(arm, seed, f1, name=SETS[0]):
    return {"name": name, "arm": arm, "seed": seed, "measure": "f1", "test": {"f1": f1}}


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([0.50, 0.52, 0.54], "yes"),
        ([0.57, 0.59, 0.61], "neither does"),
        ([0.66, 0.68, 0.70], "no: the other does"),
        ([0.50, 0.52], "-"),
    ],
)
def test_a_win_exceeds_the_larger_standard_deviation_of_three_seeds(others, expected):
    assert verdict([0.59, 0.60, 0.61], others) == expected


def test_table_takes_the_newest_figure_of_a_seed_and_leaves_out_the_readmes():
    readme = {key: value for key, value in line("crf", 0, 0.9).items() if key != "arm"}
    rows = table([readme, line("crf", 1, 0.75), line("crf", 0, 0.1), line("crf", 0, 0.5)])
    assert f"| {SETS[0]} | crf | 0.5000, 0.7500 | 0.6250 | 0.1767 |  |" in rows
