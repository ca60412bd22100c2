"""Writes time against length into docs/benchmarks.md, with the exponents, and draws it."""

import argparse
import json
import pathlib

import numpy as np

from benchmarks.complexity_workloads import KINDS, LENGTHS, PASSES, metric
from benchmarks.figures import rewrite
from benchmarks.speed_table import PAGE, SPEED

FITTED = 3  # lengths at the long end that the exponent is taken of
PICTURE = pathlib.Path("runs/benchmarks/complexity.png")


def newest(lines):
    """Dict from workload, metric and side to milliseconds, of the newest lines."""
    return {
        (line["workload"], line["metric"], side["who"]): side["median"]
        for line in lines
        for side in line["sides"]
        if "median" in side
    }


def series(times, kind, name):
    """Yields a side and its milliseconds at `LENGTHS`; sides that lack some are left out."""
    sides = dict.fromkeys(who for workload, _, who in times if workload == kind.workload)
    for who in sides:
        keys = [(kind.workload, metric(name, length), who) for length in LENGTHS]
        if all(key in times for key in keys):
            yield who, [times[key] for key in keys]


def exponent(milliseconds):
    """The slope of log time over log length, at the long end."""
    logs = np.log(LENGTHS[-FITTED:]), np.log(milliseconds[-FITTED:])
    return np.polyfit(*logs, 1)[0]


def table(times):
    """Markdown: a row for each kind of layer, pass and side."""
    shown = LENGTHS[::2]
    head = ["layer", "operations", "pass", "side", *(f"{n} tokens" for n in shown)]
    rows = [[*head, "exponent", "expected"], ["---"] * 4 + ["---:"] * (len(shown) + 2)]
    for kind in KINDS:
        for name in PASSES:
            for who, found in series(times, kind, name):
                figures = [f"{value:.4g} ms" for value in found[::2]]
                ends = [f"{exponent(found):.2f}", str(kind.exponent)]
                rows.append([kind.name, kind.cost, name, who, *figures, *ends])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def draw(times, path):
    """A panel a pass, both axes logarithmic: the exponent is the slope."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(PASSES), figsize=(11, 4.5), sharey=True)
    for panel, name in zip(panels, PASSES, strict=True):
        for kind in KINDS:
            for who, found in series(times, kind, name):
                style = "-" if "TensorFlow" in who else "--"
                label = f"{kind.name}, {who.rpartition(', ')[2]}: {exponent(found):.2f}"
                color = f"C{KINDS.index(kind)}"
                panel.loglog(LENGTHS, found, style, color=color, marker="o", label=label)
        panel.set(title=name, xlabel="tokens", xticks=LENGTHS, xticklabels=LENGTHS)
        panel.minorticks_off()
        if panel.has_data():
            panel.legend(fontsize=7)
    panels[0].set_ylabel("milliseconds")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def main(argv=None):
    """Rewrites the part of the page between the marks; draws the picture if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=pathlib.Path, default=SPEED, metavar="PATH")
    parser.add_argument("--picture", type=pathlib.Path, default=PICTURE, metavar="PATH")
    options = parser.parse_args(argv)
    lines = options.results.read_text(encoding="utf-8").splitlines()
    times = newest(json.loads(line) for line in lines)
    draw(times, options.picture)
    if options.results == SPEED:
        rewrite(PAGE, "benchmarks/complexity_table.py", table(times))
    else:
        print(table(times))


if __name__ == "__main__":
    main()
