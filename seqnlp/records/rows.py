"""Examples as bytes, put together from those of their tokens: a row costs a few joins.

The bytes of a distinct token's word, letters and count are made once and kept by the caller. What
`TFRecordRows` gives is what `tf.train.Example.SerializeToString(deterministic=True)` would.
"""

import functools
import itertools
import struct

import numpy as np

from seqnlp.records.columns import FLOAT_COLUMNS, TEXT_COLUMNS


def _varint(value):
    """An integer from 0 on, seven bits a byte, the lowest first."""
    piece = bytearray()
    while value > 127:
        piece.append(value & 127 | 128)
        value >>= 7
    piece.append(value)
    return bytes(piece)


_TEXTS = frozenset(TEXT_COLUMNS)
_SIZES = [_varint(size) for size in range(4096)]  # nearly all that there are
_TAGS = {number: bytes((number << 3 | 2,)) for number in (1, 2, 3)}


def _field(number, data):
    """A field whose value is `data` of any length."""
    return _begin(number, len(data)) + data


def _begin(number, size):
    """What stands before a value of `size` bytes."""
    return _TAGS[number] + (_SIZES[size] if size < 4096 else _varint(size))


class TFRecordRows:
    """Serialised `tf.train.Example`s, in protobuf's wire format."""

    @staticmethod
    def integer(value):
        """An integer from 0 on, as a packed list holds it."""
        return _varint(value)

    @staticmethod
    def integers(values, bounds):
        """Lists of integers from 0 on, all at once.

        Args:
            values: Integer array, one list behind the other.
            bounds: Integer array, 0 and the end of each list.

        Returns:
            List of `bytes`, each a packed list.
        """
        sizes = np.ones(len(values), dtype="int64")
        while (more := values >> 7 * sizes > 0).any():
            sizes += more
        ends = np.concatenate([[0], np.cumsum(sizes)])
        written = np.empty(ends[-1], dtype="uint8")
        for at in range(sizes.max(initial=0)):
            left = values[sizes > at] >> 7 * at
            written[ends[:-1][sizes > at] + at] = left & 127 | (left > 127) * 128
        return _parts(written.tobytes(), ends[bounds])

    @staticmethod
    def number(value):
        """A number in float32, as a packed list holds it."""
        return struct.pack("<f", value)

    @staticmethod
    def text(value):
        """`bytes`, as a list holds them."""
        return _field(1, value)

    @staticmethod
    def row(columns):
        """Dict from a feature's name to the pieces of its values -> the Example, `bytes`."""
        entries = []
        for name in sorted(columns):
            values = b"".join(columns[name])
            entries += (_head(name, len(values)), values)
        return _field(1, b"".join(entries))


@functools.lru_cache(1 << 14)
def _head(name, size):
    """What stands before the `size` bytes of a feature's values."""
    if name in _TEXTS:
        numbers = (1,)  # bytes_list
    elif name in FLOAT_COLUMNS:
        numbers = (1, 2)  # float_list, packed
    else:
        numbers = (1, 3)  # int64_list, packed
    head = b""
    for number in (*numbers, 2):
        head = _begin(number, size + len(head)) + head
    name = _field(1, name.encode())
    return _begin(1, len(name) + len(head) + size) + name + head


def _parts(data, bounds):
    """The parts of `bytes` between bounds, an array of integers."""
    return [data[start:end] for start, end in itertools.pairwise(bounds.tolist())]


class ParquetRows:
    """Tuples with the bytes of each column, as `write_parquet` takes them."""

    @staticmethod
    def integer(value):
        """An integer from 0 on."""
        return struct.pack("<i", value)

    @staticmethod
    def integers(values, bounds):
        """Lists of integers from 0 on, see `TFRecordRows`."""
        return _parts(values.astype("<i4").tobytes(), 4 * np.asarray(bounds))

    @staticmethod
    def number(value):
        """A number in float32."""
        return struct.pack("<f", value)

    @staticmethod
    def text(value):
        """`bytes` without NUL."""
        return value + b"\0"

    @staticmethod
    def row(columns):
        """Dict from a column's name to the pieces of its values -> tuple of `bytes`."""
        return tuple(b"".join(pieces) for pieces in columns.values())


ROWS = {"tfrecord": TFRecordRows, "parquet": ParquetRows}
