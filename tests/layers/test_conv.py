"""Gated convolutions against loops in NumPy; steps, padding, dropout."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.layers import GatedConv

RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(size=(2, 6, 3)).astype("float32")
HOLES = np.array([[0, 1, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0]], dtype=bool)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def make(units=3, **arguments):
    layer = GatedConv(units, **arguments)
    layer.build(VALUES.shape)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def by_hand(layer, values):
    """One sentence `(time, features)`, token by token and unit by unit."""
    kernel, gain, bias = (x.astype("float64") for x in layer.get_weights())
    size, _, double = kernel.shape
    units = double // 2
    first = 1 - size if layer.causal else -((size - 1) // 2)
    outputs = np.zeros((len(values), units))
    for time in range(len(values)):
        sums = bias.copy()
        for unit in range(double):
            length = np.sqrt(np.sum(kernel[..., unit] ** 2))
            for tap in range(size):
                if 0 <= time + first + tap < len(values):
                    weights = gain[unit] * kernel[tap, :, unit] / length
                    sums[unit] += weights @ values[time + first + tap]
        outputs[time] = sums[:units] / (1 + np.exp(-sums[units:]))
    return (outputs + values) * np.sqrt(0.5) if layer.residual else outputs


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("residual", [False, True])
def test_equals_loops_over_tokens_and_units(kernel_size, causal, residual):
    units = 3 if residual else 2
    layer = make(units, kernel_size=kernel_size, causal=causal, residual=residual)
    expected = [by_hand(layer, row) for row in VALUES]
    np.testing.assert_allclose(numpy(layer(VALUES)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_passes_over_padding_wherever_it_is(causal):
    layer = make(causal=causal, kernel_size=4)
    values = np.where(HOLES[..., None], VALUES, np.nan)
    found = numpy(layer(values, mask=HOLES))
    expected = by_hand(layer, VALUES[0, HOLES[0]])
    np.testing.assert_allclose(found[0, HOLES[0]], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found[~HOLES], 0)


def test_without_a_mask_padding_of_zeros_at_the_end_changes_nothing():
    layer = make(kernel_size=5)
    padded = np.pad(VALUES, [(0, 0), (0, 4), (0, 0)])
    np.testing.assert_allclose(
        numpy(layer(padded))[:, :6], numpy(layer(VALUES)), rtol=1e-5, atol=1e-6
    )


def test_a_causal_one_sees_no_later_token():
    layer = make(causal=True, kernel_size=3)
    other = VALUES.copy()
    other[:, 4:] += 1
    found, expected = numpy(layer(other)), numpy(layer(VALUES))
    np.testing.assert_array_equal(found[:, :4], expected[:, :4])
    assert (found[:, 4:] != expected[:, 4:]).all()


@pytest.mark.parametrize("kernel_size", [1, 2, 4])
@pytest.mark.parametrize("residual", [False, True])
def test_steps_equal_the_whole(kernel_size, residual):
    layer = make(causal=True, kernel_size=kernel_size, residual=residual)
    buffer, steps = layer.initial_buffer(2), []
    for time in range(6):
        output, buffer = layer.step(ops.convert_to_tensor(VALUES[:, time]), buffer)
        assert tuple(buffer.shape) == (2, kernel_size - 1, 3)
        steps.append(numpy(output))
    np.testing.assert_allclose(np.stack(steps, axis=1), numpy(layer(VALUES)), rtol=1e-4, atol=1e-5)


def test_steps_need_a_causal_one():
    layer = make()
    with pytest.raises(ValueError, match="`causal` must be True .* Received: causal=False"):
        layer.step(VALUES[:, 0], layer.initial_buffer(2))


def test_the_weights_into_a_unit_are_as_long_as_its_gain():
    layer = make(kernel_size=2)
    lengths = np.sqrt((numpy(layer.normalized_kernel()) ** 2).sum(axis=(0, 1)))
    np.testing.assert_allclose(lengths, np.abs(layer.get_weights()[1]), rtol=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_begins_with_weights_that_keep_the_size_of_the_outputs(dropout):
    keras.utils.set_random_seed(0)
    layer = GatedConv(100, 3, dropout=dropout, residual=False)
    layer.build((None, None, 100))
    kernel, gain, bias = layer.get_weights()
    np.testing.assert_allclose(kernel.std(), np.sqrt(4 * (1 - dropout) / 300), rtol=0.01)
    np.testing.assert_allclose(gain, np.sqrt((kernel**2).sum(axis=(0, 1))), rtol=1e-5)
    assert not bias.any()
    values = np.random.default_rng(0).normal(size=(20, 20, 100)).astype("float32")
    outputs = numpy(layer(values, training=True))
    # The paper takes the gate for a half; it swings around it, which adds some.
    assert 0.9 < np.mean(outputs**2) < 1.8


def test_dropout_is_of_the_inputs_of_the_convolution_alone():
    layer = make(dropout=0.5)
    keras.utils.set_random_seed(0)
    found = numpy(layer(VALUES, training=True))
    assert (found != numpy(layer(VALUES, training=False))).all()
    kernel, gain, bias = layer.get_weights()
    layer.set_weights([kernel, np.zeros_like(gain), np.zeros_like(bias)])
    np.testing.assert_allclose(
        numpy(layer(VALUES, training=True)), VALUES * np.sqrt(0.5), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` must be at least 1. Received: units=0"),
        ({"kernel_size": 0}, "`kernel_size` must be at least 1. Received: kernel_size=0"),
        ({"dropout": 1.0}, r"`dropout` must be in \[0, 1\)\. Received: dropout=1.0"),
        ({"units": 4}, r"`inputs` must be 4 wide, .* Received: inputs.shape=\(2, 6, 3\)"),
    ],
)
def test_refuses_arguments_that_make_no_convolution(arguments, message):
    with pytest.raises(ValueError, match=message):
        GatedConv(**{"units": 3, **arguments})(VALUES)
