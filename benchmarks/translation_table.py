"""Writes the newest figures of translators in results.jsonl into docs/translation.md."""

import pathlib

from benchmarks.figures import rewrite
from benchmarks.readme import cut, newest, results

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "translation.md"
SCORES = ("bleu", "lowercase_bleu", "chrf")


def table(lines):
    """A Markdown table; `lines` are those of results.jsonl."""
    head = ["model", "BLEU", "lower-cased", "chrF", "dev", "2017", "2017, lower-cased"]
    rows = [[*head, "entropy", "AER", "wall time"], ["---", *["---:"] * 9]]
    for name, line in newest(lines).items():
        if line["measure"] == "bleu":
            rows.append([name, *_row(line)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(line):
    also = line["also"]["scores"] if "also" in line else {}
    figures = [*(line["test"][name] for name in SCORES), line["dev"]]
    figures += [also.get(name) for name in SCORES[:2]]
    shown = ["-" if figure is None else cut(figure, 2) for figure in figures]
    for name in ("attention_entropy", "alignment_error_rate"):
        shown.append(cut(line[name]) if name in line else "-")
    return [*shown, f"{line['seconds'] / 60:.1f} min"]


def main():
    """Rewrites the page's table."""
    rewrite(PAGE, "benchmarks/translation_table.py", table(results()))


if __name__ == "__main__":
    main()
