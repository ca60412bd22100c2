"""Figures written into a page, between two marks."""

END = "<!-- end of figures -->\n"


def rewrite(path, program, figures):
    """Replaces what stands in a page between the mark of a program and the end of figures.

    Args:
        path: `pathlib.Path` of the page.
        program: Name of the program that writes them, as its mark has it.
        figures: `str` that ends with a line feed.

    Raises:
        ValueError: The page lacks a mark.
    """
    text, begin = path.read_text(encoding="utf-8"), f"<!-- figures: {program} -->\n"
    for mark in (begin, END):
        if mark not in text:
            raise ValueError(f"{path}: expected a line {mark.strip()!r}. Received: none")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(END)
    path.write_text(before + begin + figures + END + after, encoding="utf-8")
