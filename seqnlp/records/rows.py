"""Examples as bytes, put together from those of their tokens: a row costs a few joins.

The bytes of a distinct token's word, letters and count are made once and kept by the caller. What
`TFRecordRows` gives is what `tf.train.Example.SerializeToString(deterministic=True)` would.
"""

import functools
import struct

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
    size = len(data)
    return _TAGS[number] + (_SIZES[size] if size < 4096 else _varint(size)) + data


class TFRecordRows:
    """Serialised `tf.train.Example`s, in protobuf's wire format."""

    @staticmethod
    def integer(value):
        """An integer from 0 on, as a packed list holds it."""
        return _varint(value)

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
            if name in _TEXTS:
                feature = _field(1, values)  # bytes_list
            elif name in FLOAT_COLUMNS:
                feature = _field(2, _field(1, values))  # float_list, packed
            else:
                feature = _field(3, _field(1, values))  # int64_list, packed
            entries.append(_field(1, _name(name) + _field(2, feature)))
        return _field(1, b"".join(entries))


@functools.cache
def _name(name):
    """The field of a feature's name."""
    return _field(1, name.encode())


class ParquetRows:
    """Tuples with the bytes of each column, as `write_parquet` takes them."""

    @staticmethod
    def integer(value):
        """An integer from 0 on."""
        return struct.pack("<i", value)

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
