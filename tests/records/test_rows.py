import random

import numpy as np
import pytest
from tensorflow.train import Example

from seqnlp.records import ParquetRows, TFRecordRows

WIDE = [0, 1, 127, 128, 16_383, 16_384, 2**31 - 1]


def example(columns):
    """The Example that TensorFlow serialises."""
    message = Example()
    for name, values in columns.items():
        feature = message.features.feature[name]
        (feature.bytes_list if name == "tokens" else feature.int64_list).value.extend(values)
    return message.SerializeToString(deterministic=True)


def row_of(rows, columns):
    return rows.row(
        {
            name: [rows.text(v) if name == "tokens" else rows.integer(v) for v in values]
            for name, values in columns.items()
        }
    )


def columns_of(count, rng):
    return {
        "tokens": [("서" * rng.randrange(80) + "x").encode() for _ in range(count)],
        "word_ids": [rng.choice(WIDE) for _ in range(count)],
        "tag_ids": [rng.randrange(300) for _ in range(count)],
        "char_ids": [rng.randrange(5000) for _ in range(3 * count)],
    }


@pytest.mark.parametrize("count", [1, 2, 40, 130, 9000])
def test_examples_are_the_bytes_that_tensorflow_writes(count):
    columns = columns_of(count, random.Random(count))
    assert row_of(TFRecordRows, columns) == example(columns)


@pytest.mark.parametrize("value", WIDE)
def test_integers_of_any_width_are_the_bytes_that_tensorflow_writes(value):
    columns = {"word_ids": [value]}
    assert row_of(TFRecordRows, columns) == example(columns)


def test_numbers_are_the_bytes_that_tensorflow_writes():
    message = Example()
    message.features.feature["value"].float_list.value.extend([0.1, -2.5])
    number = TFRecordRows.number
    row = TFRecordRows.row({"value": [number(0.1), number(-2.5)]})
    assert row == message.SerializeToString(deterministic=True)


def test_parquet_rows_hold_numbers_in_float32():
    assert ParquetRows.row({"value": [ParquetRows.number(1.0)]}) == (b"\0\0\x80\x3f",)


def test_parts_of_a_row_may_hold_many_values():
    integer = TFRecordRows.integer
    parts = {"char_ids": [integer(300) + integer(1), integer(7)]}
    assert TFRecordRows.row(parts) == example({"char_ids": [300, 1, 7]})


@pytest.mark.parametrize("rows", [TFRecordRows, ParquetRows])
@pytest.mark.parametrize("lists", [[WIDE, [], [300]], [[]], []], ids=["wide", "empty", "none"])
def test_lists_of_integers_are_those_of_their_integers(rows, lists):
    bounds = np.cumsum([0, *map(len, lists)])
    values = np.array([value for values in lists for value in values], "int64")
    expected = [b"".join(map(rows.integer, values)) for values in lists]
    assert rows.integers(values, bounds) == expected


def test_parquet_rows_keep_the_order_of_their_columns():
    columns = {"tokens": [b"a", b"bc"], "tag_ids": [1, 256]}
    assert row_of(ParquetRows, columns) == (b"a\0bc\0", b"\1\0\0\0\0\1\0\0")
