"""The character CNN against a convolution written out in NumPy."""

import numpy as np
import pytest
from keras import ops

from seqnlp.layers import CharCNN

WORDS = np.array([[[5, 2, 7, 1], [3, 0, 0, 0]], [[4, 4, 0, 0], [0, 0, 0, 0]]])


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def spelled(vectors, kernel, bias):
    """The largest value of each filter over the positions of one word `(chars, units)`."""
    width = len(kernel)
    left = (width - 1) // 2
    padded = np.pad(vectors, [(left, width - 1 - left), (0, 0)])
    steps = [
        sum(padded[at + offset] @ kernel[offset] for offset in range(width)) + bias
        for at in range(len(vectors))
    ]
    return np.max(steps, axis=0)


@pytest.fixture(params=[1, 2, 3, 5])
def layer(request):
    layer = CharCNN(9, char_units=3, filters=4, width=request.param, dropout=0.5)
    layer.build((None, None, 4))
    random = np.random.default_rng(request.param)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def test_equals_a_convolution_by_hand(layer):
    embeddings, kernel, bias = layer.get_weights()
    actual = numpy(layer(WORDS))
    for at in [(0, 0), (0, 1), (1, 0)]:
        vectors = embeddings[WORDS[at][WORDS[at] != 0]]
        np.testing.assert_allclose(
            actual[at], spelled(vectors, kernel, bias), rtol=1e-5, atol=1e-6
        )


def test_words_without_characters_are_zeros(layer):
    assert not numpy(layer(WORDS))[1, 1].any()


def test_padding_of_characters_changes_nothing(layer):
    padded = np.pad(WORDS, [(0, 0), (0, 0), (0, 3)])
    np.testing.assert_allclose(numpy(layer(padded)), numpy(layer(WORDS)), rtol=1e-5, atol=1e-6)


def test_padding_of_words_changes_nothing(layer):
    padded = np.pad(WORDS, [(0, 0), (0, 3), (0, 0)])
    np.testing.assert_allclose(
        numpy(layer(padded))[:, :2], numpy(layer(WORDS)), rtol=1e-5, atol=1e-6
    )
    assert layer.compute_output_shape((2, None, 4)) == (2, None, 4)


def test_dropout_acts_in_training_alone(layer):
    np.testing.assert_array_equal(numpy(layer(WORDS)), numpy(layer(WORDS, training=False)))
    assert not np.allclose(numpy(layer(WORDS, training=True)), numpy(layer(WORDS)))


@pytest.mark.parametrize("name", ["filters", "width"])
def test_refuses_sizes_below_one(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 1. Received: {name}=0"):
        CharCNN(9, **{name: 0})
