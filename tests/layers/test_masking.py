import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers.masking import (
    first_and_last,
    lengths_of,
    masked_softmax,
    places_without_padding,
    real_tokens_first,
    take_places,
)

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


def test_tokens_go_to_the_front_and_back():
    mask = np.array([[0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]], dtype=bool)
    places, origins = places_without_padding(mask)
    np.testing.assert_array_equal(numpy(origins), [[1, 3, 0, 2], [0, 1, 2, 3], [0, 1, 2, 3]])
    values = np.arange(12.0, dtype="float32").reshape(3, 4, 1)
    back = numpy(take_places(take_places(values, origins), places))
    np.testing.assert_array_equal(back[mask], values[mask])


SCORES = np.array(
    [[0.0, 1.0, 3.0, -2.0], [2.0, 40.0, -70.0, 9.0], [5.0, 5.0, 5.0, 5.0]], "float32"
)
SOFTMAX_MASK = np.array([[1, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]], bool)
UPSTREAM = np.random.default_rng(0).normal(size=SCORES.shape).astype("float32")


def test_masked_softmax_shares_among_the_marked_and_gives_zeros_where_none_is():
    real = np.exp([0.0, 1.0, -2.0])
    first = (real / real.sum()).tolist()
    expected = [[*first[:2], 0, first[2]], [0, 0, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(numpy(masked_softmax(SCORES, SOFTMAX_MASK)), expected, rtol=1e-6)


def test_masked_softmax_takes_no_notice_of_what_the_mask_hides():
    spoilt = np.where(SOFTMAX_MASK, SCORES, np.float32("nan"))
    expected = numpy(masked_softmax(SCORES, SOFTMAX_MASK))
    np.testing.assert_array_equal(numpy(masked_softmax(spoilt, SOFTMAX_MASK)), expected)


def test_masked_softmax_is_float32_and_its_mask_broadcasts():
    weights = masked_softmax(ops.cast(SCORES[None], "bfloat16"), SOFTMAX_MASK[:1])
    assert keras.backend.standardize_dtype(weights.dtype) == "float32"
    assert (numpy(weights) > 0).tolist() == [[SOFTMAX_MASK[0].tolist()] * 3]


@pytest.mark.parametrize("factor", [1, 1e4, 1e30])
def test_the_gradient_of_masked_softmax_is_that_of_the_softmax_of_the_marked(factor):
    def loss(scores):
        return ops.sum(masked_softmax(scores, SOFTMAX_MASK) * ops.convert_to_tensor(UPSTREAM))

    scores = (factor * SCORES).astype("float32")
    actual = numpy(gradients.gradient(loss)(ops.convert_to_tensor(scores)))
    weights = numpy(masked_softmax(scores, SOFTMAX_MASK))
    centred = UPSTREAM - (weights * UPSTREAM).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(actual, weights * centred, atol=1e-6)
