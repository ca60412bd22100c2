"""The fields of a record that is a line: columns by their indices, or fields of JSON by name."""

import json

from seqnlp.preprocessing.formats import Fault, check_unicode, shown


def column_indices(columns, names):
    """The indices of the columns `names`, a list, and of all columns the number.

    Args:
        columns: Mapping from names to indices; further names say that there are further columns.
        names: Those that there must be.

    Raises:
        ValueError: One is missing, an index is no number from 0 on, or two are equal.
    """
    missing = [name for name in names if name not in columns]
    if missing:
        raise ValueError(
            f"`columns` must say which is {' and '.join(missing)}. Received: columns={columns}"
        )
    every = [*columns.values()]
    valid = all(isinstance(index, int) and index >= 0 for index in every)
    if not valid or len(set(every)) < len(every):
        raise ValueError(
            f"`columns` must map {' and '.join(names)} to different indices from 0 on. "
            f"Received: columns={columns}"
        )
    return [columns[name] for name in names], max(every) + 1


def check_width(number, fields, width, by="tabs"):
    """Raises a `Fault` where a line has not as many fields as columns are expected."""
    if len(fields) != width:
        raise Fault(
            number, "columns", f"columns: expected {width} parted by {by}, received {len(fields)}"
        )


def field_of(number, record, name, expected="a string"):
    """The value of a field of a JSON object; raises a `Fault` where there is none."""
    if name not in record:
        fields = ", ".join(map(repr, record)) or "no field"
        received = f"{fields} only" if record else fields
        raise Fault(number, "json", f"field '{name}': expected {expected}, received {received}")
    return record[name]


def string_field(number, record, name):
    """The text of a field of a JSON object; raises a `Fault` where there is none."""
    value = field_of(number, record, name)
    if not isinstance(value, str):
        received = shown(json.dumps(value))
        raise Fault(number, "json", f"field '{name}': expected a string, received {received}")
    check_unicode(number, f"field '{name}'", value)
    return value
