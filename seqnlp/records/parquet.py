"""Parquet files of examples: the same bytes each time, and damage named by its place.

A row is an example, a column a list with a feature's values: those of the tf.train.Examples in
TFRecord files, under the same names.
"""

import itertools

import numpy as np

from seqnlp.records.columns import FLOAT_COLUMNS, TEXT_COLUMNS

# Rows held in memory at a time, by who writes and by who reads.
GROUP_ROWS = 8192
# Nothing that depends on more than the rows; every page has a checksum.
_SETTINGS = {
    "compression": "zstd",
    "compression_level": 1,
    "store_schema": False,
    "version": "2.6",
    "write_page_checksum": True,
    "write_statistics": False,
}


def import_pyarrow():
    """The modules `pyarrow` and `pyarrow.parquet`.

    Raises:
        ImportError: pyarrow is not installed; the message names the extra.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError('Parquet files need pyarrow: pip install "seqnlp[parquet]".') from error
    return pyarrow, pyarrow.parquet


def write_parquet(file, rows, names):
    """Writes a Parquet file whose bytes depend on `rows` alone.

    Args:
        file: Object with `write` to write to. It stays open.
        rows: Iterable of rows of `ParquetRows`, whose columns are `names` in this order.
        names: Names of the columns.

    Returns:
        The number of rows.

    Raises:
        ImportError: pyarrow is not installed.
        OSError: The file cannot be written.
    """
    arrow, parquet = import_pyarrow()
    schema = arrow.schema(
        [(name, arrow.list_(_value_type(arrow, name))) for name in names],
    )
    rows, count = iter(rows), 0
    with parquet.ParquetWriter(file, schema, **_SETTINGS) as writer:
        while group := list(itertools.islice(rows, GROUP_ROWS)):
            columns = zip(names, zip(*group, strict=True), strict=True)
            lists = [_lists(arrow, name, cells) for name, cells in columns]
            writer.write_table(arrow.table(lists, schema), row_group_size=len(group))
            count += len(group)
    return count


def _value_type(arrow, name):
    if name in FLOAT_COLUMNS:
        return arrow.float32()
    return arrow.string() if name in TEXT_COLUMNS else arrow.int32()


def _lists(arrow, name, cells):
    """A column of lists from the bytes of each list, as `ParquetRows` makes them."""
    joined = b"".join(cells)
    if name in TEXT_COLUMNS:
        values, lengths = joined.split(b"\0")[:-1], [cell.count(b"\0") for cell in cells]
    else:
        kind = "<f4" if name in FLOAT_COLUMNS else "<i4"
        values, lengths = np.frombuffer(joined, kind), [len(cell) // 4 for cell in cells]
    limits = np.cumsum([0, *lengths], dtype="int32")
    return arrow.ListArray.from_arrays(limits, arrow.array(values, _value_type(arrow, name)))


def read_parquet(path, names):
    """Yields the rows of a Parquet file, at most `GROUP_ROWS` at a time.

    Args:
        path: Path of a local file.
        names: Names of the columns to read; what else the file holds is left out.

    Yields:
        `pyarrow.Table` with the columns `names`: lists of int32, of float32, or of text.

    Raises:
        ImportError: pyarrow is not installed.
        OSError: The file cannot be read.
        ValueError: The file is damaged, or a column is missing or of another kind. The message
            names the file and the column or rows, what was expected and what was received.
    """
    arrow, parquet = import_pyarrow()
    number = 0
    with open(path, "rb") as file:
        try:
            source = parquet.ParquetFile(file, page_checksum_verification=True)
            _check_columns(path, source.schema_arrow, names)
            for batch in source.iter_batches(GROUP_ROWS, columns=list(names)):
                yield _checked(path, arrow, arrow.Table.from_batches([batch]), names, number)
                number += len(batch)
        except (arrow.ArrowException, OSError) as error:
            raise ValueError(
                f"{path}, from row {number + 1} on: expected an intact Parquet file. "
                f"Received: {_first_line(error)}"
            ) from None


def _check_columns(path, schema, names):
    missing = [name for name in names if name not in schema.names]
    if missing:
        raise ValueError(
            f"{path}, column {missing[0]!r}: expected the columns {', '.join(names)}. "
            f"Received: {', '.join(schema.names) or 'none'}"
        )


def _checked(path, arrow, table, names, number):
    """The columns `names` of a table, none of its values missing."""
    lists = []
    for name in names:
        expected = arrow.list_(_value_type(arrow, name))
        column = table[name]
        try:
            lists.append(column.cast(expected).combine_chunks())
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
            raise ValueError(
                f"{path}, column {name!r}: expected {expected}. Received: {column.type}"
            ) from None
        if lists[-1].null_count or lists[-1].flatten().null_count:
            raise ValueError(
                f"{path}, column {name!r}, from row {number + 1} on: expected lists without "
                "nulls. Received: null"
            )
    return arrow.table(lists, list(names))


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]
