"""The recurrences against plain loops in NumPy, and their gradients against differences."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers.recurrence import Direction, gru, lstm, vanilla_rnn

TIME, BATCH, FEATURES, UNITS = 4, 3, 2, 2
RANDOM = np.random.default_rng(0)
MASK = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=bool)  # holes, left padding
DROPOUT = np.array([[0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def vanilla_step(x, state, dropout, kernel, recurrent, bias):
    return [np.tanh(x @ kernel + (state[0] * dropout) @ recurrent + bias)]


def gru_step(x, state, dropout, *weights):
    (hidden,), dropped = state, state[0] * dropout
    kernel, recurrent, bias = (np.split(weight, 3, axis=-1) for weight in weights)
    update, reset = (sigmoid(x @ kernel[at] + dropped @ recurrent[at] + bias[at]) for at in (0, 1))
    candidate = np.tanh(x @ kernel[2] + (reset * dropped) @ recurrent[2] + bias[2])
    return [update * hidden + (1 - update) * candidate]


def gru_after_step(x, state, dropout, *weights):
    (hidden,), dropped = state, state[0] * dropout
    kernel, recurrent, bias = (np.split(weight, 3, axis=-1) for weight in weights)
    of_input = [x @ kernel[at] + bias[at][0] for at in range(3)]
    of_state = [dropped @ recurrent[at] + bias[at][1] for at in range(3)]
    update, reset = (sigmoid(of_input[at] + of_state[at]) for at in (0, 1))
    candidate = np.tanh(of_input[2] + reset * of_state[2])
    return [update * hidden + (1 - update) * candidate]


def lstm_step(x, state, dropout, kernel, recurrent, bias):
    sums = np.split(x @ kernel + (state[0] * dropout) @ recurrent + bias, 4, axis=-1)
    enter, forget, leave = (sigmoid(sums[at]) for at in (0, 1, 3))
    cell = forget * state[1] + enter * np.tanh(sums[2])
    return [leave * np.tanh(cell), cell]


CELLS = {  # gates, states, function, plain step, shape of the bias
    "vanilla": (1, 1, vanilla_rnn, vanilla_step, (UNITS,)),
    "gru": (3, 1, gru, gru_after_step, (2, 3 * UNITS)),
    "gru, reset before": (3, 1, gru, gru_step, (3 * UNITS,)),
    "lstm": (4, 2, lstm, lstm_step, (4 * UNITS,)),
}


def shapes_of(cell):
    """Shapes of inputs, the three weights, and the initial states."""
    gates, states, _, _, bias = CELLS[cell]
    weights = [(FEATURES, gates * UNITS), (UNITS, gates * UNITS), bias]
    return [(TIME, BATCH, FEATURES), *weights, *[(BATCH, UNITS)] * states]


def plain_total(cell, directions, reverse, arrays):
    """A weighted sum of outputs at tokens and of final states, by a loop over time."""
    step = CELLS[cell][3]
    inputs, weights, state = arrays[0], arrays[1:4], arrays[4:]
    total = 0.0
    for at in reversed(range(TIME)) if reverse else range(TIME):
        now = step(inputs[at], state, DROPOUT, *weights)
        real = MASK[at][:, None]
        state = [np.where(real, new, old) for new, old in zip(now, state, strict=True)]
        total += (directions[0][at] * np.where(real, state[0], 0.0)).sum()
    return total + sum((d * s).sum() for d, s in zip(directions[1:], state, strict=True))


def our_total(cell, directions, reverse, arrays):
    dropout = ops.convert_to_tensor(DROPOUT, dtype="float32")
    direction = Direction(arrays[0], arrays[1:4], arrays[4:], dropout, reverse)
    [(outputs, final)] = CELLS[cell][2]([direction], ops.convert_to_tensor(MASK))
    outputs = ops.where(ops.convert_to_tensor(MASK)[..., None], outputs, 0.0)
    found = zip([outputs, *final], directions, strict=True)
    return sum(ops.sum(x * d.astype("float32")) for x, d in found)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_value_and_gradient_are_those_of_a_plain_loop_with_masks_and_dropout(cell, reverse):
    shapes, states = shapes_of(cell), CELLS[cell][1]
    random = np.random.default_rng(1)
    directions = [random.normal(size=(TIME, BATCH, UNITS))]
    directions += [random.normal(size=(BATCH, UNITS)) for _ in range(states)]
    sizes = [int(size) for size in np.cumsum([np.prod(shape) for shape in shapes])]
    flat = random.normal(size=sizes[-1])
    plain = functools.partial(plain_total, cell, directions, reverse)
    expected = [
        (plain(shaped(np, flat + 1e-5 * unit)) - plain(shaped(np, flat - 1e-5 * unit))) / 2e-5
        for shaped in [functools.partial(pieces, shapes, sizes)]
        for unit in np.eye(len(flat))
    ]

    def total(flat):
        return our_total(cell, directions, reverse, pieces(shapes, sizes, ops, flat))

    def both(flat):
        return total(flat), gradients.gradient(total)(flat)

    value, gradient = gradients.compiled(both)(flat.astype("float32"))
    assert float(value) == pytest.approx(plain(pieces(shapes, sizes, np, flat)), abs=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), expected, rtol=1e-4, atol=1e-5)


def pieces(shapes, sizes, library, flat):
    split = library.split(flat, sizes[:-1])
    return [library.reshape(x, shape) for x, shape in zip(split, shapes, strict=True)]


@pytest.mark.parametrize("cell", CELLS)
def test_padding_passes_the_state_on_bit_for_bit_whatever_stands_there(cell):
    arrays = [5 * RANDOM.normal(size=shape).astype("float32") for shape in shapes_of(cell)]
    inputs, weights, state = 20 * ops.convert_to_tensor(arrays[0]), arrays[1:4], arrays[4:]
    nothing = np.zeros((TIME, BATCH), dtype=bool)
    [(outputs, final)] = CELLS[cell][2]([Direction(inputs, weights, state)], nothing)
    for actual, expected in zip(final, state, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(actual), expected)
    for output in ops.convert_to_numpy(outputs):
        np.testing.assert_array_equal(output, state[0])


if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    @pytest.mark.parametrize("cell", CELLS)
    def test_time_and_batch_may_be_unknown_until_the_graph_runs(cell):
        shapes = shapes_of(cell)
        inputs, *weights = (tf.constant(RANDOM.normal(size=s), "float32") for s in shapes[:4])

        def gradient(inputs, mask):
            def total(inputs):
                state = [tf.ones((tf.shape(inputs)[1], UNITS))] * CELLS[cell][1]
                [(outputs, _)] = CELLS[cell][2]([Direction(inputs, weights, state)], mask)
                return tf.reduce_sum(outputs**2)

            return gradients.gradient(total)(inputs)

        specs = [tf.TensorSpec((None, None, FEATURES)), tf.TensorSpec((None, None), tf.bool)]
        dynamic = tf.function(gradient, input_signature=specs)
        np.testing.assert_allclose(
            dynamic(inputs, MASK), gradient(inputs, MASK), rtol=1e-4, atol=1e-6
        )
