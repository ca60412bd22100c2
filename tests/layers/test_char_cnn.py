"""The character CNN against a convolution written out in NumPy."""

import re

import numpy as np
import pytest
from keras import ops

from seqnlp.layers import KIM_LARGE, KIM_SMALL, CharCNN

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


def kim():
    layer = CharCNN(9, 3, (2, 4, 1), (1, 2, 6), 0.0, activation="tanh", num_highways=2)
    layer.build((None, None, 4))
    random = np.random.default_rng(0)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def highway(values, kernel, bias, gate_kernel, gate_bias):
    gate = 1 / (1 + np.exp(-(values @ gate_kernel + gate_bias)))
    return gate * np.maximum(values @ kernel + bias, 0) + (1 - gate) * values


def test_kims_encoder_equals_filters_tanh_and_highways_by_hand():
    layer = kim()
    embeddings, *rest = layer.get_weights()
    filters, highways = rest[:6], rest[6:]
    actual = numpy(layer(WORDS))
    for at in [(0, 0), (0, 1), (1, 0)]:  # one of them shorter than a filter
        vectors = embeddings[WORDS[at][WORDS[at] != 0]]
        found = [spelled(vectors, *filters[i : i + 2]) for i in (0, 2, 4)]
        expected = np.tanh(np.concatenate(found))
        for depth in (0, 4):
            expected = highway(expected, *highways[depth : depth + 4])
        np.testing.assert_allclose(actual[at], expected, rtol=1e-4, atol=1e-5)
    assert not actual[1, 1].any()


def test_padding_changes_nothing_in_kims_encoder():
    layer = kim()
    padded = np.pad(WORDS, [(0, 0), (0, 1), (0, 3)])
    actual = numpy(layer(padded))
    np.testing.assert_allclose(actual[:, :2], numpy(layer(WORDS)), rtol=1e-5, atol=1e-6)
    assert not actual[:, 2].any()


@pytest.mark.parametrize(
    ("sizes", "units", "weights"),
    [
        # Weights of 51 characters, filters and highways, added up from the paper's table 2.
        (KIM_SMALL, 525, 51 * 15 + 15 * 25 * 91 + 525 + 2 * 525 * 526),
        (KIM_LARGE, 1100, 51 * 15 + 15 * (50 * 30 + 200 * 18) + 1100 + 4 * 1100 * 1101),
    ],
    ids=["small", "large"],
)
def test_published_sizes(sizes, units, weights):
    layer = CharCNN(51, **sizes)
    layer.build((None, None, 10))
    assert layer.compute_output_shape((2, 3, 10)) == (2, 3, units)
    assert layer.count_params() == weights


def test_refuses_another_number_of_filters_than_widths():
    message = "`filters` must have a number for each width. Received: filters=(2, 3), width=3"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        CharCNN(9, filters=(2, 3), width=3)


def test_refuses_a_negative_number_of_highways():
    with pytest.raises(ValueError, match="`num_highways` must not be negative. Received: num_hi"):
        CharCNN(9, num_highways=-1)


@pytest.mark.parametrize("name", ["filters", "width"])
def test_refuses_sizes_below_one(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 1. Received: {name}=0"):
        CharCNN(9, **{name: 0})
