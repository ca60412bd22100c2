import numpy as np
import pytest
from keras import ops

from seqnlp.layers.masking import first_and_last, lengths_of, real_tokens_first

MASK = np.array(
    [[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]], bool
)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_lengths_count_real_tokens():
    assert numpy(lengths_of(MASK)).tolist() == [4, 2, 2, 2, 1, 0]


@pytest.mark.parametrize(
    ("which", "expected"), [(0, [0, 0, 2, 0, 1, None]), (1, [3, 1, 3, 3, 1, None])]
)
def test_first_and_last_mark_one_token_of_each_row_that_has_one(which, expected):
    one_hot = numpy(first_and_last(MASK)[which])
    assert one_hot.dtype == bool
    assert [row.tolist().index(True) if row.any() else None for row in one_hot] == expected
    assert one_hot.sum() == 5


def test_real_tokens_come_first_in_their_order():
    values = np.arange(24).reshape(6, 4)
    moved = numpy(real_tokens_first(ops.convert_to_tensor(values), ops.convert_to_tensor(MASK)))
    for row, mask, result in zip(values, MASK, moved, strict=True):
        assert result[: mask.sum()].tolist() == row[mask].tolist()
