"""Python files and notebooks in folders, and the code in them."""

import json
import os
import pathlib
import tokenize

SUFFIXES = (".py", ".ipynb")


class Unreadable(Exception):
    """A file cannot be read; the message is a sentence that names it."""


def python_files(paths):
    """`(files, problems)`: the files named, and those in the folders named, each once.

    Left out are hidden folders, caches and virtual environments, unless they are named.
    """
    files, problems = {}, []
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            files.update(dict.fromkeys(_files_in(path)))
        elif path.exists():
            files[path] = None
        else:
            problems.append(f"{path}: there is no such file or folder")
    return list(files), problems


def _files_in(folder):
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in ("__pycache__", "site-packages", "node_modules")
            and not os.path.exists(os.path.join(root, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            if name.endswith(SUFFIXES):
                yield pathlib.Path(root, name)


def read_cells(path):
    """`[(place, source)]`: the file itself, or the code cells of a notebook.

    Raises:
        Unreadable: The file cannot be opened, decoded, or is no notebook.
    """
    try:
        if path.suffix == ".ipynb":
            return _notebook_cells(path)
        with tokenize.open(path) as file:
            return [(str(path), file.read())]
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path}: cannot be read: {error}") from error


def _notebook_cells(path):
    try:
        notebook = json.loads(path.read_text("utf-8"))
        worksheets = notebook.get("worksheets") or [notebook]  # worksheets: notebooks before 2015
        cells = [cell for sheet in worksheets for cell in sheet["cells"]]
        return [
            (f"{path}:cell {number}", _without_magics(_text(cell)))
            for number, cell in enumerate(cells, start=1)
            if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path}: cannot be read as a notebook: {error!r}") from error


def _text(cell):
    source = cell["source"] if "source" in cell else cell["input"]
    return "".join(source)


def _without_magics(source):
    """The code of a cell; lines of IPython's own become `pass`, which keeps their blocks whole."""
    lines = source.split("\n")
    if lines[0].startswith("%%") and lines[0].split()[0] not in ("%%time", "%%timeit"):
        return ""
    return "\n".join(_without_magic(line) for line in lines)


def _without_magic(line):
    code = line.strip()
    if code.startswith(("%", "!", "?")) or code.endswith("?"):
        return line[: len(line) - len(line.lstrip())] + "pass"
    return line
