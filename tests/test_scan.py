"""`scan` against a plain loop, eager, compiled, and with a gradient under XLA."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.scan import scan

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(6, 2)).astype("float32")
INITIAL = np.array([1.0, -1.0], dtype="float32")
MODES = {"eager": lambda function: function, "compiled": gradients.compiled}


@pytest.fixture(params=MODES)
def mode(request):
    return MODES[request.param]


def decay(state, x):
    state = 0.5 * state + x
    return state, state * x


def plain_loop(function, state, inputs, reverse=False):
    steps = range(len(inputs))
    ys = [None] * len(inputs)
    for at in reversed(steps) if reverse else steps:
        state, ys[at] = function(state, inputs[at])
    return state, np.stack(ys)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("reverse", [False, True])
def test_equals_a_plain_loop(mode, reverse):
    def run(initial, inputs):
        return scan(decay, initial, inputs, reverse=reverse)

    state, ys = mode(run)(INITIAL, INPUTS)
    expected_state, expected_ys = plain_loop(decay, INITIAL, INPUTS, reverse)
    np.testing.assert_allclose(numpy(state), expected_state, rtol=1e-6)
    np.testing.assert_allclose(numpy(ys), expected_ys, rtol=1e-6)


def test_states_inputs_and_outputs_may_be_nested(mode):
    def step(state, x):
        total, (count,) = state["total"] + x["a"] * x["b"][0], state["inner"]
        new = {"total": total, "inner": (count + 1,)}
        return new, {"total": total, "count": [count]}

    def run(inputs):
        initial = {
            "total": ops.zeros((2,), dtype="float32"),
            "inner": (ops.zeros((), dtype="int32"),),
        }
        return scan(step, initial, {"a": inputs, "b": (inputs,)})

    state, ys = mode(run)(INPUTS)
    np.testing.assert_allclose(numpy(state["total"]), (INPUTS**2).sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(numpy(ys["total"]), np.cumsum(INPUTS**2, axis=0), rtol=1e-5)
    assert numpy(state["inner"][0]) == 6
    assert numpy(ys["count"][0]).tolist() == [0, 1, 2, 3, 4, 5]


def test_states_and_outputs_keep_their_own_dtypes(mode):
    def step(state, x):
        return ops.cast(x > 0, "bool"), ops.cast(state, "int32")

    def run(inputs):
        return scan(step, ops.zeros((2,), dtype="bool"), inputs)

    state, ys = mode(run)(INPUTS)
    assert keras.backend.standardize_dtype(state.dtype) == "bool"
    assert keras.backend.standardize_dtype(ys.dtype) == "int32"
    np.testing.assert_array_equal(numpy(ys)[1:], INPUTS[:-1] > 0)


def test_one_step_is_the_function(mode):
    def run(initial, inputs):
        return scan(decay, initial, inputs)

    state, ys = mode(run)(INITIAL, INPUTS[:1])
    np.testing.assert_allclose(numpy(state), 0.5 * INITIAL + INPUTS[0], rtol=1e-6)
    np.testing.assert_allclose(numpy(ys), [numpy(state) * INPUTS[0]], rtol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_gradient_equals_finite_differences(mode, reverse):
    def total(inputs):
        state, ys = scan(decay, ops.convert_to_tensor(INITIAL), inputs, reverse=reverse)
        return ops.sum(state) + ops.sum(ys)

    def plain_total(inputs):
        state, ys = plain_loop(decay, INITIAL.astype("float64"), inputs, reverse)
        return state.sum() + ys.sum()

    expected = np.zeros(INPUTS.shape)
    for at in np.ndindex(*INPUTS.shape):
        step = np.zeros(INPUTS.shape)
        step[at] = 1e-5
        expected[at] = (plain_total(INPUTS + step) - plain_total(INPUTS - step)) / 2e-5
    actual = mode(gradients.gradient(total))(INPUTS)
    np.testing.assert_allclose(numpy(actual), expected, rtol=1e-3, atol=1e-4)


def test_refuses_inputs_without_a_tensor():
    with pytest.raises(ValueError, match="`inputs` must hold at least one tensor. Received: inp"):
        scan(decay, INITIAL, ())


if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    @pytest.mark.parametrize("reverse", [False, True])
    def test_time_may_be_unknown_until_the_graph_runs(reverse):
        def total(inputs):
            return scan(decay, tf.constant(INITIAL), inputs, reverse=reverse)

        dynamic = tf.function(total, input_signature=[tf.TensorSpec((None, 2), tf.float32)])
        for time in (1, 4, 6):
            state, ys = dynamic(INPUTS[:time])
            expected_state, expected_ys = plain_loop(decay, INITIAL, INPUTS[:time], reverse)
            np.testing.assert_allclose(state, expected_state, rtol=1e-6)
            np.testing.assert_allclose(ys, expected_ys, rtol=1e-6)

    def test_gradient_at_unknown_time_equals_the_eager_one():
        def total(inputs):
            return tf.reduce_sum(scan(decay, tf.constant(INITIAL), inputs)[1])

        gradient = gradients.gradient(total)
        dynamic = tf.function(gradient, input_signature=[tf.TensorSpec((None, 2), tf.float32)])
        np.testing.assert_allclose(dynamic(INPUTS), gradient(INPUTS), rtol=1e-5)
