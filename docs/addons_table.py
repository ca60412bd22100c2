"""Writes what replaces each name of Addons into migrating-from-addons.md.

`python -m docs.addons_table`, after a change of `seqnlp/compat/addons_names.py`.
"""

import pathlib

from seqnlp.compat.addons_names import WITHOUT, known_names, replacement_of

PAGE = pathlib.Path(__file__).with_name("migrating-from-addons.md")
BEGIN, END = "<!-- table: docs/addons_table.py -->\n", "<!-- end of table -->\n"


def table():
    """Two Markdown tables: names with a word on each, and names without, by package."""
    rows = ["| Addons | replacement | what differs |", "|---|---|---|"]
    for name in sorted(known_names()):
        new, note = replacement_of(name)
        if new or note:
            rows.append(f"| `tfa.{name}` | {f'`{new}`' if new else 'none'} | {note} |")
    rows += ["", "These have no replacement, in seqnlp or in Keras 3:", ""]
    rows += ["| package | names |", "|---|---|"]
    for package, names in WITHOUT.items():
        listed = ", ".join(f"`{name}`" for name in names.split())
        rows.append(f"| `tfa.{package}` | {listed} |")
    return "\n".join([*rows, ""])


def main():
    """Rewrite the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
