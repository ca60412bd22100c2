"""Files of one JSON object, with errors that name the file."""

import json

from seqnlp.text.files import read_lines, write_lines


def read_json(path):
    """A dict from a file of JSON.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It does not hold a JSON object; the message names the place.
    """
    text = "\n".join(read_lines(path))
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        received = repr(text[error.pos : error.pos + 20]) if text[error.pos :] else "end of file"
        raise ValueError(
            f"{path}, line {error.lineno}, column {error.colno}: must be JSON. "
            f"Received: {received}"
        ) from None
    if not isinstance(found, dict):
        raise ValueError(f"{path}: must hold a JSON object. Received: {type(found).__name__}")
    return found


def write_json(path, fields):
    """Writes a dict so that the same fields give the same bytes.

    Raises:
        OSError: The file cannot be written.
    """
    write_lines(path, [json.dumps(fields, indent=2, sort_keys=True)])
