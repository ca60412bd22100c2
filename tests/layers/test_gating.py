"""The highway layer against its equation in NumPy."""

import numpy as np
from keras import ops

from seqnlp.layers import Highway

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
