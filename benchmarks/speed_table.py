"""Writes the newest figures of speed.jsonl into docs/benchmarks.md."""

import json
import pathlib

from benchmarks.complexity_workloads import KINDS
from benchmarks.figures import rewrite
from benchmarks.goals import GOALS
from benchmarks.timing import DISTURBED

SPEED = pathlib.Path(__file__).with_name("speed.jsonl")
PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def ratio(ours, peer, unit):
    """How many times as fast `ours` is; both are figures in `unit`, a time or a rate."""
    return peer / ours if unit in ("ms", "s") else ours / peer


def best(sides, unit):
    """The fastest of the sides that have a figure, or None."""
    timed = [side for side in sides if "median" in side]
    if not timed:
        return None
    choose = min if unit in ("ms", "s") else max
    return choose(timed, key=lambda side: side["median"])


def verdict(factor, goal):
    """What stands beside a ratio: the goal, and that it is missed if it is."""
    if goal is None:
        return "-"
    shown = f"{goal:.3g}x"
    return shown if factor >= goal else f"**missed** {shown}"


def table(lines):
    """Markdown: ours beside each peer, then every figure by itself."""
    compared = [row for line in lines for row in _compared(line)]
    head = ["| workload | metric | seqnlp | peer | its figure | times as fast | goal |"]
    head.append("|---|---|---:|---|---:|---:|---|")
    rows = [*head, *compared, ""] if compared else []
    rows.append("| workload | metric | side | median | min to max | first call | of peak |")
    rows.append("|---|---|---|---:|---:|---:|---:|")
    rows += [row for line in lines for row in _figures(line)]
    return "\n".join([*rows, ""])


def _compared(line):
    unit, key = line["unit"], (line["workload"], line["metric"])
    ours = best([side for side in line["sides"] if side["ours"]], unit)
    for peer in line["sides"]:
        if peer["ours"] or ours is None:
            continue
        goal = GOALS.get((*key, peer["who"]))
        cells = [*key, _shown(ours, unit), peer["who"]]
        if "median" in peer:
            factor = ratio(ours["median"], peer["median"], unit)
            cells += [_shown(peer, unit), f"{factor:.2f}x", verdict(factor, goal)]
        elif goal is not None:
            cells += [peer["failed"], "-", f"{goal:.3g}x"]
        else:
            continue
        yield _row(cells)


def _figures(line):
    for side in line["sides"]:
        cells = [line["workload"], line["metric"], side["who"]]
        if "median" in side:
            spread = f"{side['min']:.4g} to {side['max']:.4g}"
            cells += [_shown(side, line["unit"]), spread, f"{side['first_call']:.2f} s"]
            cells.append(_of_peak(line, side["median"]))
        else:
            cells += [side["failed"], "-", "-", "-"]
        yield _row(cells)


def _of_peak(line, figure):
    if not line["gflop"] or not line["peak"]:
        return "-"
    rate = 1e3 * line["gflop"] / figure if line["unit"] == "ms" else line["gflop"] * figure
    return f"{rate / line['peak']:.0%}"


def _shown(side, unit):
    mark = f", disturbed {side['others']:.0%}" if side["others"] > DISTURBED else ""
    return f"{side['median']:.4g} {unit}{mark}"


def _row(cells):
    return f"| {' | '.join(cells)} |"


def page(lines):
    """The text between the marks: conditions, tables, shapes and versions."""
    others = {kind.workload for kind in KINDS}  # complexity_table.py has them
    here = [line for line in lines if line["workload"] not in others]
    newest = {(line["workload"], line["metric"]): line for line in here}.values()
    machines = {(line["processor"], line["threads"]) for line in newest}
    text = [f"{name}, {threads} threads." for name, threads in sorted(machines)]
    text += ["", table(newest)]
    text += [f"- {name}: {about}" for name, about in _abouts(newest).items()]
    text.append("- commits: " + ", ".join(sorted({line["commit"] for line in newest})))
    sides = [side for line in newest for side in line["sides"]]
    versions = sorted({pair for side in sides for pair in side.get("versions", {}).items()})
    text.append("- versions: " + ", ".join(f"{name} {version}" for name, version in versions))
    return "\n".join([*text, ""])


def _abouts(lines):
    return {line["workload"]: line["about"] for line in lines}


def main():
    """Rewrites the part of the page between the marks."""
    lines = [json.loads(line) for line in SPEED.read_text(encoding="utf-8").splitlines()]
    rewrite(PAGE, "benchmarks/speed_table.py", page(lines))


if __name__ == "__main__":
    main()
