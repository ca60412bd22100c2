"""Writes the newest figure of each name in results.jsonl into the README and docs/figures.md.

Lines with an `arm` are one side of a comparison and stand in its own table. The command of lines
that say why they are `outdated` gives something else by now; they stand in none.
"""

import json
import pathlib

from benchmarks.figures import rewrite

RESULTS = pathlib.Path(__file__).with_name("results.jsonl")
COMMANDS = pathlib.Path(__file__).resolve().parents[1] / "docs" / "figures.md"
README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


def table(lines):
    """A Markdown table; `lines` are those of results.jsonl."""
    rows = ["| figure | measure | test | dev | baseline | wall time |"]
    rows.append("|---|---|---:|---:|---:|---:|")
    for name, line in newest(lines).items():
        measure = line["measure"]
        figures = (line["test"][measure], line["dev"], line["baseline"][measure])
        shown = " | ".join(cut(figure, 2 if measure == "bleu" else 4) for figure in figures)
        minutes = f"{line['seconds'] / 60:.1f} min"
        rows.append(f"| {name} | {measure.replace('_', ' ')} | {shown} | {minutes} |")
    return "\n".join([*rows, ""])


def commands(lines):
    """The command of each row of the table, and the signatures of its scores."""
    found = []
    for name, line in newest(lines).items():
        found += [f"    # {name} (commit {line['commit']}, seed {line['seed']})", _wrapped(line)]
        for score, signature in line["test"].get("signatures", {}).items():
            found.append(f"    # {score.replace('_', ' ')}: {signature}")
    return "\n".join([*found, ""])


def newest(lines):
    """The newest of the README's lines of each name."""
    shown = (line for line in lines if not {"arm", "outdated"} & line.keys())
    return {line["name"]: line for line in shown}


def cut(figure, digits=4):
    """So many digits, never rounded up."""
    return f"{int(figure * 10**digits) / 10**digits:.{digits}f}"


def _wrapped(line):
    return "    " + line["command"].replace(" --", " \\\n      --")


def results():
    """The lines of results.jsonl, oldest first."""
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]


def main():
    """Rewrites the README's table and the page of commands."""
    rewrite(README, "benchmarks/readme.py", table(results()))
    rewrite(COMMANDS, "benchmarks/readme.py", commands(results()))


if __name__ == "__main__":
    main()
