"""Lists of different lengths as arrays of NumPy."""

import numpy as np

from seqnlp.records.columns import FLOAT_COLUMNS
from seqnlp.records.parquet import GROUP_ROWS, read_parquet
from seqnlp.records.tfrecord import import_tensorflow


class Ragged:
    """Rows of lists: their values one after the other, and how long each is.

    Args:
        values: Array of the values of all rows.
        lengths: Array of integers, one a row.
    """

    def __init__(self, values, lengths):
        self.values = values
        self.lengths = lengths
        self._limits = np.concatenate([[0], np.cumsum(lengths)])

    @classmethod
    def of(cls, table, name):
        """A column of lists of a table of pyarrow."""
        column = table[name].combine_chunks()
        return cls(column.flatten().to_numpy(), column.value_lengths().to_numpy())

    def rows(self, start, end):
        """Values and lengths of the rows from `start` to `end`."""
        return self.values[self._limits[start] : self._limits[end]], self.lengths[start:end]

    def take(self, order):
        """The rows of these numbers, in this order."""
        lengths = self.lengths[order]
        # What to add to the place of a value in the result for its place in `values`.
        moved = self._limits[order] - np.concatenate([[0], np.cumsum(lengths)[:-1]])
        places = np.repeat(moved, lengths) + np.arange(lengths.sum())
        return Ragged(self.values[places], lengths)


class RaggedTable:
    """Columns of `Ragged` with equally many rows.

    Args:
        columns: Dict from name to `Ragged`.
    """

    def __init__(self, columns):
        self.columns = columns

    def __len__(self):
        return len(next(iter(self.columns.values())).lengths)

    def __getitem__(self, rows):
        start, end, _ = rows.indices(len(self))
        return RaggedTable({k: Ragged(*v.rows(start, end)) for k, v in self.columns.items()})

    def take(self, order):
        """The rows of these numbers, in this order."""
        return RaggedTable({name: column.take(order) for name, column in self.columns.items()})


def tables_of(file, output_format, names):
    """Yields the rows of a file as `RaggedTable`s.

    Args:
        file: Path of the file.
        output_format: One of `OUTPUT_FORMATS`.
        names: Names of the columns of numbers to read.
    """
    if output_format == "parquet":
        for table in read_parquet(file, names):
            yield RaggedTable({name: Ragged.of(table, name) for name in names})
        return
    tf = import_tensorflow()
    kinds = {name: tf.float32 if name in FLOAT_COLUMNS else tf.int64 for name in names}
    features = {name: tf.io.RaggedFeature(kind) for name, kind in kinds.items()}
    examples = tf.data.TFRecordDataset(file, "GZIP").batch(GROUP_ROWS)
    for parsed in examples.map(lambda records: tf.io.parse_example(records, features)):
        columns = {
            name: Ragged(_narrow(ragged.values.numpy()), ragged.row_lengths().numpy())
            for name, ragged in parsed.items()
        }
        yield RaggedTable(columns)


def _narrow(values):
    return values.astype("int32") if values.dtype == "int64" else values


def concatenate(tables):
    """Several `RaggedTable`s with the same columns as one."""
    columns = {}
    for name in tables[0].columns:
        parts = [table.columns[name] for table in tables]
        values, lengths = ([getattr(p, field) for p in parts] for field in ("values", "lengths"))
        columns[name] = Ragged(np.concatenate(values), np.concatenate(lengths))
    return RaggedTable(columns)


def dense(values, real):
    """`values` at the places where `real` is True, zeros elsewhere."""
    padded = np.zeros((*real.shape, *values.shape[1:]), "int32")
    padded[real] = values
    return padded
