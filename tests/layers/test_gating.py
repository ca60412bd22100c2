"""The highway layer and gated linear units against their equations in NumPy."""

import numpy as np
import pytest
from keras import ops

from seqnlp.layers import GatedLinearUnit, Highway, gated_linear_unit

VALUES = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def test_equals_its_equation():
    layer = Highway(activation="tanh")
    layer.build(VALUES.shape)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    kernel, bias, gate_kernel, gate_bias = layer.get_weights()
    gate = 1 / (1 + np.exp(-(VALUES @ gate_kernel + gate_bias)))
    expected = gate * np.tanh(VALUES @ kernel + bias) + (1 - gate) * VALUES
    actual = ops.convert_to_numpy(layer(VALUES))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_a_closed_gate_carries_the_input_over():
    layer = Highway(gate_bias=-100.0)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(VALUES)), VALUES)


def test_begins_by_carrying_over():
    layer = Highway()
    layer.build(VALUES.shape)
    np.testing.assert_array_equal(layer.get_weights()[3], np.full(4, -2.0))


def test_a_gated_linear_unit_multiplies_one_half_by_the_sigmoid_of_the_other():
    expected = VALUES[..., :2] / (1 + np.exp(-VALUES[..., 2:]))
    for found in (GatedLinearUnit()(VALUES), gated_linear_unit(VALUES)):
        np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5)


def test_open_gates_of_a_gated_linear_unit_let_all_through_and_closed_ones_nothing():
    values, gates = [[3.0, -2.0, 5.0]], [[100.0, -100.0, 0.0]]
    found = gated_linear_unit(np.concatenate([values, gates], axis=-1).astype("float32"))
    np.testing.assert_allclose(ops.convert_to_numpy(found), [[3.0, 0.0, 2.5]], atol=1e-6)


def test_a_gated_linear_unit_refuses_an_odd_width():
    with pytest.raises(ValueError, match=r"`inputs` must have an even .*inputs.shape=\(2, 3, 3\)"):
        GatedLinearUnit()(VALUES[..., :3])
