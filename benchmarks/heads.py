"""CRF against softmax: the README's command of a data set, with either head and three seeds.

python -m benchmarks.heads --data FOLDER [--sets NAME ...] [--arms ARM ...] [--seeds SEED ...]
"""

import argparse
import shlex
import statistics
import sys
import tempfile

from benchmarks.figures import rewrite
from benchmarks.quality import measure
from benchmarks.readme import cut, newest, results
from benchmarks.speed_table import PAGE

SETS = ("BC5CDR, span F1", "WNUT-17, span F1")
ARMS = {
    "crf": ["--head", "crf"],
    "softmax": ["--head", "softmax"],
}
SEEDS = (0, 1, 2)


def table(lines):
    """Markdown: the mean and the spread of each arm; `lines` are those of results.jsonl."""
    rows = ["| set | head | test, by seed | mean | standard deviation | CRF wins |"]
    rows.append("|---|---|---|---:|---:|---|")
    for name in SETS:
        figures = {arm: _figures(lines, name, arm) for arm in ARMS}
        for arm, tests in figures.items():
            shown = ", ".join(cut(test) for test in tests)
            spread = cut(statistics.stdev(tests)) if len(tests) > 1 else "-"
            mean = cut(statistics.mean(tests)) if tests else "-"
            won = "" if arm == "crf" else verdict(figures["crf"], tests)
            rows.append(f"| {name} | {arm} | {shown} | {mean} | {spread} | {won} |")
    return "\n".join([*rows, ""])


def verdict(ours, others):
    """`yes` where the mean is higher by more than the larger standard deviation."""
    if min(len(ours), len(others)) < len(SEEDS):
        return "-"
    gap = statistics.mean(ours) - statistics.mean(others)
    spread = max(statistics.stdev(ours), statistics.stdev(others))
    return "yes" if gap > spread else "no: the other does" if -gap > spread else "neither does"


def _figures(lines, name, arm):
    """The newest test figure of each seed."""
    by_seed = {
        line["seed"]: line["test"][line["measure"]]
        for line in lines
        if (line["name"], line.get("arm")) == (name, arm)
    }
    return [by_seed[seed] for seed in sorted(by_seed)]


def _run(name, arm, seed, data):
    """Measures the README's command of a name with what the arm and the seed add."""
    shown = shlex.split(newest(results())[name]["command"])
    shown = shown[shown.index("run") + 1 :]
    shown += [*ARMS[arm], "--seed", str(seed)]
    with tempfile.TemporaryDirectory() as folder:
        given = [word.replace("DATA", data) for word in shown]
        given[given.index("--output") + 1] = folder
        measure("tagging", given, shown, name=name, arm=arm)


def main(argv):
    """Measures what is not in results.jsonl yet, then rewrites docs/benchmarks.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.heads")
    parser.add_argument("--data", required=True, help="folder that the commands call DATA")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=SETS)
    parser.add_argument("--arms", nargs="*", choices=ARMS, default=ARMS)
    parser.add_argument("--seeds", nargs="*", type=int, choices=SEEDS, default=SEEDS)
    options = parser.parse_args(argv)
    for name in options.sets:
        for arm in options.arms:
            for seed in options.seeds:
                done = {(line["name"], line.get("arm"), line["seed"]) for line in results()}
                if (name, arm, seed) not in done:
                    _run(name, arm, seed, options.data)
    rewrite(PAGE, "benchmarks/heads.py", table(results()))


if __name__ == "__main__":
    main(sys.argv[1:])
