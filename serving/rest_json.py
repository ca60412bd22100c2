"""The JSON of TensorFlow Serving's REST API, version 1: requests to arrays, arrays to answers.

Two forms: rows (`instances` in, `predictions` out, one object or value per example) and columns
(`inputs` in, `outputs` out, one list per tensor).
"""

import base64
import binascii
import json
import math

import numpy as np
import tensorflow as tf

from serving.servable import invalid

ROWS, COLUMNS = "instances", "inputs"
_LONGEST_QUOTE = 200
_DEEPEST = 32  # the axes that a numpy array of any version may have


def parse_request(body, inputs_of):
    """Read the body of a predict request.

    Args:
        body: `bytes` of the JSON document.
        inputs_of: Function from a signature's name, `""` for the default, to its inputs,
            `{name: TensorInfo}`.

    Returns:
        `(signature_name, {name: numpy array}, form)` with `form` `ROWS` or `COLUMNS`.

    Raises:
        ServerError: INVALID_ARGUMENT, or what `inputs_of` raises.
    """
    try:
        document = _parse(body)
        signature_name = document.get("signature_name", "")
        if not isinstance(signature_name, str):
            raise invalid("'signature_name' key must be a string value.")
        inputs = inputs_of(signature_name)
        if not inputs:
            raise invalid(f"Failed to get input map for signature: {signature_name or 'DEFAULT'}")
        if ROWS in document and COLUMNS in document:
            raise invalid("Not formatted correctly expecting only one of 'inputs' or 'instances'")
        if ROWS in document:
            return signature_name, _from_rows(document[ROWS], inputs), ROWS
        if COLUMNS in document:
            return signature_name, _from_columns(document[COLUMNS], inputs), COLUMNS
        raise invalid("Missing 'inputs' or 'instances' key")
    except RecursionError:
        raise invalid("JSON Parse error: the document is nested too deeply") from None


def _parse(body):
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        # The server hands bytes that are not UTF-8 through to the model; surrogates carry them.
        text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
        document = json.loads(text)
    except ValueError as error:
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {_quote(document)} Is not object")
    return document


def _from_rows(rows, inputs):
    if not isinstance(rows, list):
        raise invalid("Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid("No values in 'instances' array")
    named = _is_named(rows[0])
    if not named and len(inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple"
            " input tensors required as per tensorinfo_map"
        )
    columns = {name: [] for name in inputs}
    for index, row in enumerate(rows):
        if _is_named(row) != named:
            kinds = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {kinds[0]} but got {kinds[1]} at item {index} of input list")
        row = row if named else {next(iter(inputs)): row}
        if row.keys() != columns.keys():
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object:"
                f" {_quote(row)} keys must be equal to: {','.join(sorted(inputs))}"
            )
        for name, value in row.items():
            columns[name].append(value)
    return {name: _to_array(columns[name], inputs[name].dtype) for name in inputs}


def _from_columns(value, inputs):
    if not _is_named(value):
        if len(inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple"
                " input tensors required as per tensorinfo_map"
            )
        value = {next(iter(inputs)): value}
    for name in sorted(inputs):
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _to_array(value[name], inputs[name].dtype) for name in inputs}


def _is_base64(value):
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def _is_named(value):
    return isinstance(value, dict) and not _is_base64(value)


def _to_array(value, dtype):
    """Return nested lists as an array; the first element at each depth sets the shape."""
    dtype = tf.as_dtype(dtype)
    shape, first = [], value
    while isinstance(first, list):
        shape.append(len(first))
        if len(shape) > _DEEPEST:
            raise invalid(
                f"Encountered list at unexpected level: {_DEEPEST} expected < {_DEEPEST}"
            )
        if not first:
            break
        first = first[0]
    leaves = []
    _collect(value, 0, shape, dtype, leaves)
    if dtype == tf.string:
        array = np.empty(len(leaves), object)
        array[:] = leaves
    else:
        array = np.array(leaves, dtype.as_numpy_dtype)
    return array.reshape(shape)


def _collect(value, level, shape, dtype, leaves):
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {_quote(value)} found at incorrect level: {level + 1}"
                f" in the JSON DOM. Expected at level: {len(shape)}"
            )
        leaves.append(_leaf(value, dtype))
        return
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level}"
            f" expected size: {shape[level]}"
        )
    for item in value:
        _collect(item, level + 1, shape, dtype, leaves)


def _leaf(value, dtype):
    if dtype == tf.string and isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None
    if dtype == tf.string and isinstance(value, dict):
        return _decode_base64(value)
    if dtype == tf.bool and isinstance(value, bool):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if dtype.is_integer and number and isinstance(value, int) and dtype.min <= value <= dtype.max:
        return value
    if dtype.is_floating and number:
        _check_lossless(value, dtype)
        return value
    raise invalid(
        f"JSON Value: {_quote(value)} Type: {_kind(value)} is not of expected type: {dtype.name}"
    )


def _check_lossless(value, dtype):
    info = np.finfo(dtype.as_numpy_dtype)
    largest = 2 ** (info.nmant + 1) - 1 if isinstance(value, int) else float(info.max)
    if (isinstance(value, int) or math.isfinite(value)) and abs(value) > largest:
        raise invalid(
            f"Cannot convert JSON value: {_quote(value)} to {dtype.name}"
            " without loss of precision."
        )


def _decode_base64(value):
    if not _is_base64(value):
        raise invalid(f"JSON Value: {_quote(value)} not formatted correctly for base64 data")
    try:
        text = value["b64"].encode("ascii")
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise invalid("Unable to base64 decode") from None


def _kind(value):
    names = {type(None): "Null", bool: str(value), dict: "Object", list: "Array", str: "String"}
    return names.get(type(value), "Number")


def _quote(value):
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."


def write_answer(outputs, form):
    """Return the JSON answer, as bytes.

    Args:
        outputs: `{name: numpy array}`; a string output whose name ends in `_bytes` is written
            as base64.
        form: `ROWS` or `COLUMNS`, as the request had it.

    Raises:
        ServerError: The outputs do not share a batch axis, which rows need.
    """
    if form == COLUMNS:
        columns = {name: _plain(name, array) for name, array in outputs.items()}
        answer = {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    else:
        answer = {"predictions": _rows(outputs)}
    text = json.dumps(answer, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "surrogateescape")


def _rows(outputs):
    sizes = {}
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        sizes[name] = len(array)
    expected = next(iter(sizes.values()))
    for name, size in sizes.items():
        if size != expected:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {size} expecting: {expected}"
            )
    columns = {name: _plain(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(name, array):
    if array.dtype.kind in "OSU":
        write = _base64 if name.endswith("_bytes") else _text
        return _map(write, array.tolist())
    if array.dtype == np.float32:
        return _floats(array)
    return array.tolist()


def _map(write, value):
    return [_map(write, item) for item in value] if isinstance(value, list) else write(value)


def _floats(array):
    # Through float32's own shortest digits: 0.2, where a plain cast gives 0.20000000298.
    return [_floats(item) for item in array] if array.ndim else float(str(array))


def _text(value):
    return value.decode("utf-8", "surrogateescape")


def _base64(value):
    return {"b64": base64.b64encode(value).decode("ascii")}
