import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.layers import LastPooling, MaxPooling, MeanPooling

VALUES = np.array(
    [
        [[1, -1], [2, -5], [6, 3]],
        [[1, -1], [2, -5], [6, 3]],
        [[-1, -1], [-2, -5], [6, 3]],
        [[1, -1], [2, -5], [6, 3]],
    ],
    dtype="float32",
)
MASK = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]], dtype=bool)
EXPECTED = {
    LastPooling: [[6, 3], [6, 3], [-2, -5], [0, 0]],
    MaxPooling: [[6, 3], [6, 3], [-1, -1], [0, 0]],
    MeanPooling: [[3, -1], [3.5, 1], [-1.5, -3], [0, 0]],
}


@pytest.fixture(params=EXPECTED, ids=lambda layer: layer.__name__)
def pooling(request):
    return request.param


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_pools_the_real_tokens_alone_and_empty_rows_give_zeros(pooling):
    np.testing.assert_allclose(numpy(pooling()(VALUES, mask=MASK)), EXPECTED[pooling], rtol=1e-6)


def test_what_stands_at_padding_changes_nothing(pooling):
    spoilt = np.where(MASK[..., None], VALUES, np.float32("nan"))
    np.testing.assert_allclose(numpy(pooling()(spoilt, mask=MASK)), EXPECTED[pooling], rtol=1e-6)


def test_without_a_mask_every_token_is_real(pooling):
    assert numpy(pooling()(VALUES[:1])).tolist() == EXPECTED[pooling][:1]


def test_keras_hands_over_the_mask_of_an_embedding_and_the_result_has_none(pooling):
    ids = keras.Input((3,), dtype="int32")
    embedding = keras.layers.Embedding(9, 2, mask_zero=True)
    pooled = pooling()(embedding(ids))
    model = keras.Model(ids, pooled)
    word_ids = np.array([[3, 4, 0]])
    expected = pooling()(embedding(word_ids), mask=word_ids != 0)
    np.testing.assert_allclose(numpy(model(word_ids)), numpy(expected))
    assert pooled.shape == (None, 2)
    assert getattr(pooled, "_keras_mask", None) is None


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_stays_finite(pooling, dtype):
    pooled = pooling(dtype=dtype)(ops.cast(VALUES, dtype), mask=MASK)
    assert keras.backend.standardize_dtype(pooled.dtype) == dtype
    actual = numpy(ops.cast(pooled, "float32"))
    np.testing.assert_allclose(actual, EXPECTED[pooling], rtol=1e-2)


def test_the_mean_of_a_long_bfloat16_sequence_counts_every_token():
    values = ops.ones((1, 1001, 1), dtype="bfloat16")
    pooled = MeanPooling(dtype="bfloat16")(values)
    assert numpy(ops.cast(pooled, "float32")) == 1
