"""Cases: requests to an export and the answers that are right, as JSON lines beside the export."""

import base64
import json
import pathlib

FILE = "assets.extra/conformance_cases.jsonl"


def make_case(signature, inputs, outputs):
    """Return a case, a dict that JSON can hold.

    Args:
        signature: Name of the signature.
        inputs: `{name: nested list or array}`; strings as `str` or `bytes`.
        outputs: `{name: nested list or array}`, what the export must answer.

    Raises:
        ValueError: An output is not UTF-8 and its name does not end in `_bytes`.
    """
    return {
        "signature": signature,
        "inputs": {name: _input(value) for name, value in inputs.items()},
        "outputs": {name: to_json(name, value) for name, value in outputs.items()},
    }


def write_cases(version_folder, cases):
    """Write the cases beside the export, where a later conformance run finds them.

    Args:
        version_folder: The SavedModel's folder.
        cases: List of cases.

    Returns:
        The path: one JSON object a line.
    """
    path = pathlib.Path(version_folder) / FILE
    path.parent.mkdir(exist_ok=True)
    lines = [json.dumps(case, ensure_ascii=False) + "\n" for case in cases]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def cut(outputs, name):
    """Return the rows of an output without what stands behind their lengths."""
    rows = zip(outputs[name], outputs["lengths"], strict=True)
    return [row[:length] for row, length in rows]


def to_json(name, value):
    """Return an output as the REST interface writes it.

    Args:
        name: Its name; `bytes` of a name that ends in `_bytes` become `{"b64": ...}`.
        value: Nested list or array.

    Raises:
        ValueError: It holds `bytes` that are not UTF-8 and its name does not end in `_bytes`.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [to_json(name, item) for item in value]
    if not isinstance(value, bytes):
        return value
    if name.endswith("_bytes"):
        return _base64(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(
            "`name` must end in `_bytes` for an output that may not be UTF-8."
            f" Received: name={name!r} with {value[:50]!r}"
        ) from None


def to_values(value):
    """Return an input of a case with its strings as `bytes`, which TensorFlow takes."""
    if isinstance(value, list):
        return [to_values(item) for item in value]
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return value.encode("utf-8") if isinstance(value, str) else value


def _input(value):
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_input(item) for item in value]
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return _base64(value)


def _base64(value):
    return {"b64": base64.b64encode(value).decode("ascii")}
