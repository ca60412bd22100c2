"""Examples as bytes, put together from those of their tokens: a row costs a few joins.

The bytes of a distinct token's word, letters and count are made once and kept by the caller. What
`TFRecordRows` gives is what `tf.train.Example.SerializeToString(deterministic=True)` would.
"""

import struct

from seqnlp.records.columns import FLOAT_COLUMNS, TEXT_COLUMNS


class TFRecordRows:
    """Serialised `tf.train.Example`s, in protobuf's wire format."""

    @staticmethod
    def integer(value):
        """An integer from 0 on, as a packed list holds it."""
        piece = bytearray()
        while value > 127:
            piece.append(value & 127 | 128)
            value >>= 7
        piece.append(value)
        return bytes(piece)

    @staticmethod
    def number(value):
        """A number in float32, as a packed list holds it."""
        return struct.pack("<f", value)

    @classmethod
    def text(cls, value):
        """`bytes`, as a list holds them."""
        return cls._field(1, value)

    @classmethod
    def row(cls, columns):
        """Dict from a feature's name to the pieces of its values -> the Example, `bytes`."""
        entries = []
        for name in sorted(columns):
            values = b"".join(columns[name])
            if name in TEXT_COLUMNS:
                feature = cls._field(1, values)  # bytes_list
            elif name in FLOAT_COLUMNS:
                feature = cls._field(2, cls._field(1, values))  # float_list, packed
            else:
                feature = cls._field(3, cls._field(1, values))  # int64_list, packed
            entry = cls._field(1, name.encode()) + cls._field(2, feature)
            entries.append(cls._field(1, entry))
        return cls._field(1, b"".join(entries))

    @classmethod
    def _field(cls, number, data):
        """A field whose value is `data` of any length."""
        size = len(data)
        length = bytes((size,)) if size < 128 else cls.integer(size)
        return bytes((number << 3 | 2,)) + length + data


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
