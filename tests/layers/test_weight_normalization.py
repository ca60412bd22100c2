"""Weight normalisation: the gain is the length, whatever the kernel."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import WeightNormalizedDense

VALUES = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def random_layer():
    layer = WeightNormalizedDense(5)
    layer.build(VALUES.shape)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def test_equals_its_equation():
    layer = random_layer()
    kernel, gain, bias = layer.get_weights()
    expected = np.zeros((2, 3, 5))
    for unit in range(5):
        length = np.sqrt(sum(weight**2 for weight in kernel[:, unit]))
        expected[..., unit] = gain[unit] * (VALUES @ kernel[:, unit]) / length + bias[unit]
    np.testing.assert_allclose(numpy(layer(VALUES)), expected, rtol=1e-5, atol=1e-6)


def test_the_weights_into_a_unit_are_as_long_as_its_gain():
    layer = random_layer()
    lengths = np.linalg.norm(numpy(layer.normalized_kernel()), axis=0)
    np.testing.assert_allclose(lengths, np.abs(layer.get_weights()[1]), rtol=1e-5)


def test_a_longer_kernel_changes_nothing():
    layer = random_layer()
    expected = numpy(layer(VALUES))
    layer.kernel.assign(7 * layer.kernel)
    np.testing.assert_allclose(numpy(layer(VALUES)), expected, rtol=1e-5, atol=1e-6)


def test_begins_as_the_dense_layer_of_its_kernel():
    layer = WeightNormalizedDense(5)
    layer.build(VALUES.shape)
    kernel, gain, bias = layer.get_weights()
    np.testing.assert_allclose(gain, np.linalg.norm(kernel, axis=0), rtol=1e-5)
    assert not bias.any()
    np.testing.assert_allclose(numpy(layer(VALUES)), VALUES @ kernel, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dropped", [0.0, 0.5])
def test_begins_with_the_variance_of_the_paper(dropped):
    keras.utils.set_random_seed(0)
    layer = WeightNormalizedDense(300, dropped)
    layer.build((None, 400))
    kernel = layer.get_weights()[0]
    np.testing.assert_allclose(kernel.std(), np.sqrt((1 - dropped) / 400), rtol=0.01)


def test_the_gradient_of_the_kernel_is_at_right_angles_to_it():
    layer = random_layer()
    weights = layer.get_weights()

    def loss(kernel):
        mapping = list(zip(layer.weights, [kernel, *weights[1:]], strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return ops.sum(layer(VALUES) ** 2)

    found = numpy(gradients.gradient(loss)(weights[0]))
    assert np.abs(found).max() > 0.1
    np.testing.assert_allclose((found * weights[0]).sum(axis=0), np.zeros(5), atol=1e-4)


def test_a_kernel_of_zeros_gives_the_bias_and_a_finite_gradient():
    layer = random_layer()
    weights = layer.get_weights()

    def loss(kernel):
        mapping = list(zip(layer.weights, [kernel, *weights[1:]], strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return ops.sum(layer(VALUES) - weights[2])

    value, found = gradients.value_and_gradient(loss)(np.zeros_like(weights[0]))
    assert abs(float(value)) < 1e-5
    assert np.isfinite(numpy(found)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` must be at least 1. Received: units=0"),
        ({"dropped": 1}, r"`dropped` must be in \[0, 1\)\. Received: dropped=1"),
        ({"dropped": -0.1}, r"`dropped` must be in \[0, 1\). Received: dropped=-0.1"),
    ],
)
def test_refuses_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        WeightNormalizedDense(**{"units": 2, **arguments})
