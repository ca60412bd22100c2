"""The character LSTM against an LSTM cell written out in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import CharLSTM

WORDS = np.array([[[5, 2, 7, 1], [3, 0, 0, 0]], [[4, 4, 0, 0], [0, 0, 0, 0]]])
UNITS = 3


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(0)
    layer = CharLSTM(9, char_units=2, units=UNITS)
    layer.build((None, None, 4))
    return layer


def spell(layer, words):
    return ops.convert_to_numpy(gradients.compiled(layer.__call__)(words))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def final_state(vectors, kernel, recurrent, bias):
    hidden, cell = np.zeros(UNITS), np.zeros(UNITS)
    for vector in vectors:
        gates = np.split(vector @ kernel + hidden @ recurrent + bias, 4)
        enter, forget, leave = (sigmoid(gates[at]) for at in (0, 1, 3))
        cell = forget * cell + enter * np.tanh(gates[2])
        hidden = leave * np.tanh(cell)
    return hidden


def test_equals_an_lstm_from_either_end_by_hand(layer):
    embeddings, *weights = layer.get_weights()
    actual = spell(layer, WORDS)
    for at in [(0, 0), (0, 1), (1, 0)]:
        vectors = embeddings[WORDS[at][WORDS[at] != 0]]
        forward = final_state(vectors, *weights[:3])
        backward = final_state(vectors[::-1], *weights[3:])
        np.testing.assert_allclose(actual[at], [*forward, *backward], rtol=1e-4, atol=1e-6)


def test_words_without_characters_are_zeros(layer):
    assert not spell(layer, WORDS)[1, 1].any()


def test_padding_of_characters_and_words_changes_nothing(layer):
    padded = np.pad(WORDS, [(0, 0), (0, 2), (0, 3)])
    np.testing.assert_allclose(
        spell(layer, padded)[:, :2], spell(layer, WORDS), rtol=1e-5, atol=1e-6
    )
    assert layer.compute_output_shape((2, None, 4)) == (2, None, 2 * UNITS)


def test_refuses_units_below_one():
    with pytest.raises(ValueError, match="`units` must be at least 1. Received: units=0"):
        CharLSTM(9, units=0)
