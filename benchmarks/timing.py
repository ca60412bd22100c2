"""Times calls: each side of a comparison runs here, in the environment of its library.

`main` makes a program of a side's cases. Alone, it times them and prints a JSON line each. Started
by `benchmarks.run` with `--asked WORKLOAD`, it answers one question a line, so that the sides can
take turns. Needs NumPy and nothing else.
"""

import argparse
import importlib.metadata
import json
import math
import os
import pathlib
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SECONDS = 0.5  # a run repeats a short call until it fills them
DISTURBED = 0.05  # a larger share of the processors taken by others spoils a run


class Work(NamedTuple):
    """What a case does: `call()` comes back when its result is there, `items` of it done.

    `results` takes what the first call gave and returns a dict of arrays, the same ones from each
    library; they are compared before anything is timed. `unit` says what the figure is: in "ms"
    and "s" the time of an item, otherwise items a second; `figure`, if given, takes it from what a
    call gave. A `long` call needs no other one to warm up or to fill a run.
    """

    call: Callable
    results: Callable
    items: int = 1
    unit: str = "ms"
    long: bool = False
    figure: Callable | None = None


class Case(NamedTuple):
    """`make()` gives the `Work`; nothing is built or compiled before."""

    workload: str
    metric: str
    make: Callable


def main(cases, packages):
    """Runs a side.

    Args:
        cases: Iterable of `Case`.
        packages: Names of the packages whose versions are reported.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--asked", metavar="WORKLOAD", help="answer questions about it")
    options, _ = parser.parse_known_args()
    if options.asked is None:
        for case in cases:
            print(json.dumps(_alone(case)), flush=True)
        return
    chosen = [case for case in cases if case.workload == options.asked]
    versions = {name: importlib.metadata.version(name) for name in packages}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not stand between the answers
    _answer(answers, metrics=[case.metric for case in chosen], versions=versions)
    work = None
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "make":
            work = _Timed(chosen[question["case"]].make())
            np.savez(question["results"], **work.results)
            _answer(answers, first_call=work.first_call, unit=work.unit)
        else:
            value, share = work.run()
            _answer(answers, value=value, share=share)


def _answer(file, **fields):
    file.write(json.dumps(fields) + "\n")
    file.flush()


def _alone(case, runs=5):
    work = _Timed(case.make())
    values, shares = zip(*(work.run() for _ in range(runs)), strict=True)
    return {
        "workload": case.workload,
        "metric": case.metric,
        "unit": work.unit,
        "median": float(f"{statistics.median(values):.4g}"),
        "min": float(f"{min(values):.4g}"),
        "max": float(f"{max(values):.4g}"),
        "first_call": round(work.first_call, 3),
        "others": round(max(shares), 3),
    }


class _Timed:
    """A `Work` after its first call, which compiles and is timed apart."""

    def __init__(self, work):
        self.work, self.unit = work, work.unit
        started = time.perf_counter()
        first = work.call()
        self.first_call = time.perf_counter() - started
        self.results = work.results(first)
        self.repeats = 1 if work.long else None

    def run(self):
        """`(figure, share of the processors that others took)` of one run."""
        if self.repeats is None:
            self.repeats = self._warm_up()
        others, started = seconds_of_others(), time.perf_counter()
        for _ in range(self.repeats):
            last = self.work.call()
        elapsed = time.perf_counter() - started
        share = (seconds_of_others() - others) / elapsed / len(processors())
        figure = self._figure(last, elapsed / self.repeats / self.work.items)
        return figure, min(max(share, 0.0), 1.0)  # clocks that tick may overstep

    def _figure(self, last, seconds):
        if self.work.figure is not None:
            return self.work.figure(last)
        return {"ms": 1e3 * seconds, "s": seconds}.get(self.unit, 1 / seconds)

    def _warm_up(self):
        """Calls a few times; returns how many calls fill a run."""
        for _ in range(3):
            started = time.perf_counter()
            self.work.call()
            elapsed = time.perf_counter() - started
            if elapsed > SECONDS:
                break
        return math.ceil(SECONDS / elapsed)


def processors():
    """The numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count()))


def seconds_of_others():
    """Seconds of our processors that other sessions used so far; 0 where there is no /proc."""
    try:
        lines = [line.split() for line in pathlib.Path("/proc/stat").read_text().splitlines()]
    except OSError:
        return 0.0
    names = {f"cpu{number}" for number in processors()}
    used = 0
    for name, *ticks in lines:
        if name in names:
            user, nice, system, _, _, interrupts, soft, stolen = map(int, ticks[:8])
            used += user + nice + system + interrupts + soft + stolen
    return used / os.sysconf("SC_CLK_TCK") - _seconds_of_session()


def _seconds_of_session():
    """What this process used with all that it has started, those that have ended too."""
    own, ticks = os.getsid(0), 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name in brackets: state, parent, group, session; times at 11 to 14.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[3]) == own:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
