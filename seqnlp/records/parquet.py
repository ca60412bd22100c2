"""Parquet files of examples: the same bytes each time, and damage named by its place.

A row is an example, a column a list with a feature's values: those of the tf.train.Examples in
TFRecord files, under the same names.
"""

import itertools

import numpy as np

TEXT_COLUMNS = ("tokens",)
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


def example_columns(characters):
    """Names of the columns of a tagger's examples; `characters` says whether words are spelled."""
    return ("tokens", "word_ids", "tag_ids", *(("char_ids", "char_counts") if characters else ()))


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
        rows: Iterable of dicts from name to a list of integers, or of UTF-8 `bytes` for tokens.
        names: Names of the columns.

    Returns:
        The number of rows.

    Raises:
        ImportError: pyarrow is not installed.
        OSError: The file cannot be written.
    """
    arrow, parquet = import_pyarrow()
    types = {name: arrow.string() if name in TEXT_COLUMNS else arrow.int32() for name in names}
    schema = arrow.schema([(name, arrow.list_(type_)) for name, type_ in types.items()])
    rows, count = iter(rows), 0
    with parquet.ParquetWriter(file, schema, **_SETTINGS) as writer:
        while group := list(itertools.islice(rows, GROUP_ROWS)):
            lists = []
            for name, type_ in types.items():
                values = [value for row in group for value in row[name]]
                ends = np.cumsum([0, *(len(row[name]) for row in group)], dtype="int32")
                lists.append(arrow.ListArray.from_arrays(ends, arrow.array(values, type_)))
            writer.write_table(arrow.table(lists, schema), row_group_size=len(group))
            count += len(group)
    return count


def read_parquet(path, names):
    """Yields the rows of a Parquet file, at most `GROUP_ROWS` at a time.

    Args:
        path: Path of a local file.
        names: Names of the columns to read; what else the file holds is left out.

    Yields:
        `pyarrow.Table` with the columns `names`: lists of int32, of text for tokens.

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
        expected = arrow.list_(arrow.string() if name in TEXT_COLUMNS else arrow.int32())
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
