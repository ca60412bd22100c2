"""Times calls: medians of several runs, with compiling left out."""

import json
import math
import os
import statistics
import time

RUNS, WARM_UP, SECONDS = 7, 3, 0.2


def time_calls(workload, who, metric, function, *arguments):
    """Prints the median milliseconds of `function(*arguments)` as a JSON line.

    A result that is still being computed is waited for.

    A run repeats a short call until it fills `SECONDS`; the first calls, which compile, do not
    count. `disturbed` is the largest share of the processors that others took in a run.
    """

    def call():
        result = function(*arguments)
        for wait in ("block_until_ready", "numpy"):
            if hasattr(result, wait):
                return getattr(result, wait)()
        return result

    for _ in range(WARM_UP):
        call()
    started = time.perf_counter()
    call()
    repeats = math.ceil(SECONDS / (time.perf_counter() - started))
    values, shares = [], []
    for _ in range(RUNS):
        others, started = _seconds_of_others(), time.perf_counter()
        for _ in range(repeats):
            call()
        elapsed = time.perf_counter() - started
        values.append(1e3 * elapsed / repeats)
        shares.append((_seconds_of_others() - others) / elapsed / os.cpu_count())
    line = {
        "workload": workload,
        "who": who,
        "metric": metric,
        "ms": float(f"{statistics.median(values):.4g}"),
        "min": float(f"{min(values):.4g}"),
        "max": float(f"{max(values):.4g}"),
        "runs": RUNS,
        "disturbed": round(max(0.0, *shares), 3),
    }
    print(json.dumps(line), flush=True)


def _seconds_of_others():
    """Processor seconds that every other process has used so far; 0 where there is no /proc."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, *rest = map(int, file.readline().split()[1:])
    except OSError:
        return 0.0
    used = (user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")
    return used - sum(os.times()[:4])
