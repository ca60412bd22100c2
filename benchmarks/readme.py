"""Writes the newest figure of each name in results.jsonl into the README's table.

Lines with an `arm` are one side of a comparison and stand in its own table.
"""

import json
import pathlib

from benchmarks.figures import rewrite

RESULTS = pathlib.Path(__file__).with_name("results.jsonl")
README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


def table(lines):
    """A Markdown table and the commands below it; `lines` are those of results.jsonl."""
    rows = ["| figure | measure | test | dev | most frequent tag | wall time |"]
    rows.append("|---|---|---:|---:|---:|---:|")
    commands = []
    for name, line in newest(lines).items():
        measure = line["measure"]
        figures = (line["test"][measure], line["dev"], line["baseline"][measure])
        shown = " | ".join(cut(figure) for figure in figures)
        minutes = f"{line['seconds'] / 60:.1f} min"
        rows.append(f"| {name} | {measure.replace('_', ' ')} | {shown} | {minutes} |")
        commands += [
            f"    # {name} (commit {line['commit']}, seed {line['seed']})",
            _wrapped(line),
        ]
    return "\n".join([*rows, "", *commands, ""])


def newest(lines):
    """The newest of the README's lines of each name."""
    return {line["name"]: line for line in lines if "arm" not in line}


def cut(figure):
    """Four digits, never rounded up."""
    return f"{int(figure * 10_000) / 10_000:.4f}"


def _wrapped(line):
    return "    " + line["command"].replace(" --", " \\\n      --")


def results():
    """The lines of results.jsonl, oldest first."""
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]


def main():
    """Rewrites the README."""
    rewrite(README, "benchmarks/readme.py", table(results()))


if __name__ == "__main__":
    main()
