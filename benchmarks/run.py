"""Runs ours and the peers in turns and keeps the figures: `make bench`.

python -m benchmarks.run [crf] [tagger] ...
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys

from benchmarks import complexity_table, provenance, speed_table
from benchmarks.parts import PARTS
from benchmarks.rounds import alternate
from benchmarks.sides import ROOT, THREADS, Asked, SideError, check_equal, check_shapes


def arguments():
    """The parser."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=7, help="of each side, undisturbed")
    parser.add_argument("--data", metavar="DATA", help="folder of the public sets; for epoch")
    parser.add_argument(
        "--google_bert",
        type=pathlib.Path,
        metavar="CLONE",
        help="of github.com/google-research/bert; for pretraining_data",
    )
    paths = {
        "--export": ("runs/demo/serving/tagger", "for serving: versions of an export"),
        "--output": ("runs/benchmarks", "folder for what the parts write"),
        "--results": (speed_table.SPEED, "file to add to"),
    }
    for name, (default, words) in paths.items():
        path = pathlib.Path(default)
        parser.add_argument(name, type=pathlib.Path, default=path, metavar="PATH", help=words)
    return parser


def main(argv=None):
    """Appends the figures to speed.jsonl and writes the table of docs/benchmarks.md."""
    parser = arguments()
    options = parser.parse_args(argv)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"expected parts of {', '.join(PARTS)}. Received: {', '.join(unknown)}")
    peak = None
    for name in with_peak(options.parts or list(PARTS)):
        for comparison in PARTS[name](options):
            try:
                for line in compare(comparison, options.runs):
                    if line["unit"] == "GFLOP/s":
                        peak = max(side["median"] for side in line["sides"] if "median" in side)
                    line["peak"] = peak if line["gflop"] else None
                    _keep(line, options.results)
            except SideError as error:
                sys.exit(f"{comparison.workload}: {error}")
    if options.results == speed_table.SPEED:
        speed_table.main()
    if "complexity" in options.parts or not options.parts:
        picture = options.output / "complexity.png"
        complexity_table.main(["--results", str(options.results), "--picture", str(picture)])


def with_peak(parts):
    """The peak is measured before what is set against it."""
    measured_first = (
        {"peak"} if {"bert", "rnn", "seq2seq", "tagger", "transformer"} & set(parts) else set()
    )
    return [*measured_first, *(part for part in parts if part not in measured_first)]


def compare(comparison, runs):
    """Yields a dict for each metric of a comparison, as a line of speed.jsonl holds it.

    A side that is not installed or does not come up in time is named as such.

    Raises:
        SideError: A side gives other results than the first one, or its input cannot be made.
    """
    for command in comparison.setup:
        _set_up(command)
    with contextlib.ExitStack() as stack:
        started, missing = _start(comparison, stack)
        metrics = list(dict.fromkeys(m for side in started.values() for m in side.metrics))
        for metric in metrics:
            able = {who: side for who, side in started.items() if metric in side.metrics}
            rows = _make(comparison, metric, able)
            ready = {who: able[who].run for who, row in rows.items() if "failed" not in row}
            for who, figure in alternate(ready, runs, comparison.tries * runs).items():
                rows[who] |= _rounded(figure)
            units = {row.pop("unit") for row in rows.values() if "unit" in row}
            yield {
                "workload": comparison.workload,
                "metric": metric,
                "unit": units.pop() if units else "ms",
                "sides": [*rows.values(), *missing],
                "about": comparison.about,
                "gflop": comparison.gflop.get(metric),
                "threads": THREADS,
                "processor": provenance.processor(),
                "commit": provenance.commit(),
                "date": datetime.date.today().isoformat(),
            }


def _set_up(command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT)
    if done.returncode:
        raise SideError(f"{command[0]} ended with exit status {done.returncode}")


def _start(comparison, stack):
    """The sides that run, by name, and lines about those that do not."""
    started, missing = {}, []
    for side in comparison.sides:
        failed = f"not run: `make {side.make}` installs it"
        if side.installed:
            try:
                asked = Asked(side, comparison.workload, comparison.limit)
                started[side.who] = stack.enter_context(asked)
                continue
            except SideError as error:
                failed = str(error)
        print(f"{comparison.workload}, {side.who}: {failed}")
        missing.append({"who": side.who, "ours": side.ours, "failed": failed})
    return started, missing


def _make(comparison, metric, able):
    """Builds the case on every side and compares the results; a row for each side."""
    rows, first = {}, None
    for who, asked in able.items():
        row = {"who": who, "ours": asked.side.ours, "versions": asked.versions}
        rows[who] = row
        try:
            answer, results = asked.make(metric)
        except SideError as error:
            row["failed"] = str(error)
            print(f"{comparison.workload}, {metric}, {who}: {error}")
            continue
        row |= {"first_call": round(answer["first_call"], 2), "unit": answer["unit"]}
        if first is None:
            first = results
        else:
            try:
                if asked.side.alike:
                    check_equal(results, first, comparison.tolerance)
                else:
                    check_shapes(results, first)
            except SideError as error:
                raise SideError(f"{metric}, {who}: {error}") from None
    return rows


def _rounded(figure):
    digits = {name: float(f"{getattr(figure, name):.4g}") for name in ("median", "min", "max")}
    return {**digits, "runs": figure.runs, "others": round(figure.others, 3)}


def _keep(line, path):
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(speed_table.table([line]), flush=True)


def _pin():
    """Keeps this process and its children to as many processors as it has threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


if __name__ == "__main__":
    _pin()
    main()
