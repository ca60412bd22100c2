"""The recurrences against plain loops in NumPy, and their gradients against differences."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers.recurrence import gru, lstm, vanilla_rnn

TIME, BATCH, UNITS = 4, 3, 2
RANDOM = np.random.default_rng(0)
MASK = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=bool)  # holes, left padding
DROPOUT = np.array([[0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def vanilla_step(x, state, dropout, kernel):
    return [np.tanh(x + (state[0] * dropout) @ kernel)]


def gru_step(x, state, dropout, kernel, bias=None):
    hidden, dropped = state[0], state[0] * dropout
    update, reset = np.split(sigmoid(x[:, : 2 * UNITS] + dropped @ kernel[:, : 2 * UNITS]), 2, 1)
    if bias is None:
        recurrent = (reset * dropped) @ kernel[:, 2 * UNITS :]
    else:
        recurrent = reset * (dropped @ kernel[:, 2 * UNITS :] + bias)
    return [update * hidden + (1 - update) * np.tanh(x[:, 2 * UNITS :] + recurrent)]


def lstm_step(x, state, dropout, kernel):
    sums = x + (state[0] * dropout) @ kernel
    enter, forget, leave = np.split(sigmoid(sums[:, : 3 * UNITS]), 3, 1)
    cell = forget * state[1] + enter * np.tanh(sums[:, 3 * UNITS :])
    return [leave * np.tanh(cell), cell]


def gru_of(projected, kernel, bias, state, *rest):
    return gru(projected, kernel, state, *rest, bias=bias)


CELLS = {  # gates, states, function, plain step, whether there is a bias
    "vanilla": (1, 1, vanilla_rnn, vanilla_step, False),
    "gru": (3, 1, gru_of, gru_step, True),
    "gru, reset before": (3, 1, gru, gru_step, False),
    "lstm": (4, 2, lstm, lstm_step, False),
}


def plain_total(cell, directions, reverse, arrays):
    """A weighted sum of outputs at tokens and of final states, by a loop over time."""
    *_, step, has_bias = CELLS[cell]
    projected, *weights = arrays[: 3 if has_bias else 2]
    state = list(arrays[len(weights) + 1 :])
    total = 0.0
    for at in reversed(range(TIME)) if reverse else range(TIME):
        now = step(projected[at], state, DROPOUT, *weights)
        real = MASK[at][:, None]
        state = [np.where(real, new, old) for new, old in zip(now, state, strict=True)]
        total += (directions[0][at] * np.where(real, state[0], 0.0)).sum()
    return total + sum((d * s).sum() for d, s in zip(directions[1:], state, strict=True))


def our_total(cell, directions, reverse, arrays):
    _, _, function, _, has_bias = CELLS[cell]
    count = 3 if has_bias else 2
    rest = ops.convert_to_tensor(MASK), ops.convert_to_tensor(DROPOUT, dtype="float32"), reverse
    outputs, final = function(*arrays[:count], arrays[count:], *rest)
    outputs = ops.where(ops.convert_to_tensor(MASK)[..., None], outputs, 0.0)
    found = zip([outputs, *final], directions, strict=True)
    return sum(ops.sum(x * d.astype("float32")) for x, d in found)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_value_and_gradient_are_those_of_a_plain_loop_with_masks_and_dropout(cell, reverse):
    gates, states, _, _, has_bias = CELLS[cell]
    shapes = [(TIME, BATCH, gates * UNITS), (UNITS, gates * UNITS)]
    shapes += [(UNITS,)] if has_bias else []
    shapes += [(BATCH, UNITS)] * states
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
    gates, states, function, _, has_bias = CELLS[cell]
    kernel = 5 * RANDOM.normal(size=(UNITS, gates * UNITS)).astype("float32")
    weights = [kernel, np.ones(UNITS, "float32")] if has_bias else [kernel]
    state = [RANDOM.normal(size=(BATCH, UNITS)).astype("float32") for _ in range(states)]
    inputs = 100 * RANDOM.normal(size=(TIME, BATCH, gates * UNITS)).astype("float32")
    nothing = np.zeros((TIME, BATCH), dtype=bool)
    outputs, final = function(ops.convert_to_tensor(inputs), *weights, state, nothing)
    for actual, expected in zip(final, state, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(actual), expected)
    for output in ops.convert_to_numpy(outputs):
        np.testing.assert_array_equal(output, state[0])


if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    @pytest.mark.parametrize("cell", CELLS)
    def test_time_and_batch_may_be_unknown_until_the_graph_runs(cell):
        gates, states, function, _, has_bias = CELLS[cell]
        kernel = tf.constant(RANDOM.normal(size=(UNITS, gates * UNITS)), "float32")
        weights = [kernel, tf.ones(UNITS)] if has_bias else [kernel]

        def gradient(projected, mask):
            def total(projected):
                state = [tf.ones((tf.shape(projected)[1], UNITS))] * states
                outputs, _ = function(projected, *weights, state, mask)
                return tf.reduce_sum(outputs**2)

            return gradients.gradient(total)(projected)

        specs = [tf.TensorSpec((None, None, gates * UNITS)), tf.TensorSpec((None, None), tf.bool)]
        inputs = tf.constant(RANDOM.normal(size=(TIME, BATCH, gates * UNITS)), "float32")
        dynamic = tf.function(gradient, input_signature=specs)
        np.testing.assert_allclose(
            dynamic(inputs, MASK), gradient(inputs, MASK), rtol=1e-4, atol=1e-6
        )
