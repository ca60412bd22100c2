"""Sine and learned positions against the formula, and where padding stands between tokens."""

import math

import numpy as np
import pytest
from keras import ops

from seqnlp.layers import LearnedPositions, SinePositions, sine_positions

HOLES = np.array([[0, 1, 0, 1, 1, 0], [1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=bool)
INPUTS = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("units", [6, 5, 1])
def test_sines_are_those_of_the_paper(units):
    positions = np.array([0, 1, 7, 500])
    expected = [
        [
            (math.cos if unit % 2 else math.sin)(p / 10000 ** (unit // 2 * 2 / units))
            for unit in range(units)
        ]
        for p in positions
    ]
    actual = numpy(sine_positions(positions, units))
    np.testing.assert_allclose(actual, expected, atol=5e-5)


def layers():
    learned = LearnedPositions(9)
    learned.build(INPUTS.shape)
    learned.set_weights([np.random.default_rng(1).normal(size=(9, 4))])
    sines = SinePositions()
    sines.build(INPUTS.shape)
    return {"sine": sines, "learned": learned}


@pytest.mark.parametrize("kind", ["sine", "learned"])
def test_positions_count_real_tokens(kind):
    layer = layers()[kind]
    vectors = numpy(layer(np.zeros((1, 6, 4), dtype="float32")))[0]
    outputs = numpy(layer(INPUTS, mask=HOLES))
    for row, mask in enumerate(HOLES):
        for position, place in enumerate(np.flatnonzero(mask)):
            expected = INPUTS[row, place] + vectors[position]
            np.testing.assert_allclose(outputs[row, place], expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["sine", "learned"])
def test_one_position_is_that_of_the_whole_table(kind):
    layer = layers()[kind]
    vectors = numpy(layer(np.zeros((1, 6, 4), dtype="float32")))[0]
    for position in range(6):
        at = numpy(layer.at(ops.convert_to_tensor(position, dtype="int32")))
        np.testing.assert_allclose(at, vectors[position], atol=1e-6)


def test_learned_positions_refuse_longer_sequences():
    layer = LearnedPositions(5)
    message = "`inputs` must have at most `max_length`=5 tokens. Received: inputs with 6 tokens"
    with pytest.raises(ValueError, match=message):
        layer(INPUTS)


def test_learned_positions_refuse_a_length_below_one():
    with pytest.raises(ValueError, match="`max_length` must be at least 1. .* max_length=0"):
        LearnedPositions(0)
