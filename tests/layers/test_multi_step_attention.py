"""Multi-step attention: a case by hand, the equations in NumPy, padding."""

import numpy as np
import pytest
from keras import ops

from seqnlp.layers import MultiStepAttention
from seqnlp.layers.multi_step_attention import dot_attention, multi_step_memory

RANDOM = np.random.default_rng(0)
STATES = RANDOM.normal(size=(2, 3, 5)).astype("float32")
TARGET = RANDOM.normal(size=(2, 3, 4)).astype("float32")
KEY = RANDOM.normal(size=(2, 6, 4)).astype("float32")
VALUE = RANDOM.normal(size=(2, 6, 4)).astype("float32")
MASK = np.array([[0, 1, 1, 0, 1, 0], [1, 1, 1, 1, 1, 1]], dtype=bool)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def make():
    layer = MultiStepAttention()
    layer.build(STATES.shape, TARGET.shape, KEY.shape, VALUE.shape)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def test_a_case_by_hand():
    """Scores ln 1, ln 2 and ln 5, whose shares are eighths; the fourth token is padding."""
    key = np.log([[[1.0], [2.0], [5.0], [9.0]]]).astype("float32")
    value = np.array([[[8.0], [4.0], [-8.0], [100.0]]], dtype="float32")
    memory = multi_step_memory(key, value, np.array([[True, True, True, False]]))
    context, weights = dot_attention(np.ones((1, 1, 1), dtype="float32"), memory)
    np.testing.assert_allclose(numpy(weights), [[[1 / 8, 2 / 8, 5 / 8, 0]]], rtol=1e-6)
    expected = (1 + 1 - 5) * 3 * np.sqrt(1 / 3)  # the mean times m sqrt(1/m), m = 3
    np.testing.assert_allclose(numpy(context), [[[expected]]], rtol=1e-6)


def normalized(weights):
    kernel, gain, bias = weights
    return gain * kernel / np.linalg.norm(kernel, axis=0), bias


def test_equals_the_equations_of_the_paper():
    layer = make()
    outputs, weights = layer(STATES, TARGET, KEY, VALUE, MASK)
    query_kernel, query_bias = normalized(layer.query.get_weights())
    output_kernel, output_bias = normalized(layer.output_projection.get_weights())
    for row, mask in enumerate(MASK):
        key, value = KEY[row, mask], VALUE[row, mask]
        for time, state in enumerate(STATES[row]):
            query = (state @ query_kernel + query_bias + TARGET[row, time]) * np.sqrt(0.5)
            share = np.exp(key @ query) / np.exp(key @ query).sum()
            context = np.sqrt(mask.sum()) * share @ value
            expected = (state + context @ output_kernel + output_bias) * np.sqrt(0.5)
            found = numpy(weights)[row, time]
            np.testing.assert_allclose(found[mask], share, rtol=1e-4, atol=1e-6)
            np.testing.assert_array_equal(found[~mask], 0)
            np.testing.assert_allclose(numpy(outputs)[row, time], expected, rtol=1e-4, atol=1e-4)


def test_without_a_mask_every_token_is_real():
    layer = make()
    for a, b in zip(
        layer(STATES, TARGET, KEY, VALUE),
        layer(STATES, TARGET, KEY, VALUE, np.ones_like(MASK)),
        strict=True,
    ):
        np.testing.assert_allclose(numpy(a), numpy(b), rtol=1e-6)


def test_where_all_is_padding_weights_are_zeros_and_states_pass():
    layer = make()
    nothing = np.full_like(KEY, np.nan)
    outputs, weights = layer(STATES, TARGET, nothing, nothing, np.zeros_like(MASK))
    np.testing.assert_array_equal(numpy(weights), np.zeros((2, 3, 6)))
    bias = layer.output_projection.get_weights()[2]
    np.testing.assert_allclose(numpy(outputs), (STATES + bias) * np.sqrt(0.5), rtol=1e-5)


def test_a_mean_of_many_varies_as_much_as_one():
    value = np.random.default_rng(2).normal(size=(200, 50, 4)).astype("float32")
    memory = multi_step_memory(np.zeros_like(value), value)
    context, _ = dot_attention(np.ones((200, 1, 4), dtype="float32"), memory)
    np.testing.assert_allclose(numpy(context).std(), 1.0, rtol=0.1)


@pytest.mark.parametrize("name", ["key", "value"])
def test_refuses_widths_that_differ(name):
    inputs = {"key": KEY, "value": VALUE, name: VALUE[..., :3]}
    message = rf"`{name}` must be 4 wide, as `target` is. Received: {name}.shape=\(2, 6, 3\)"
    with pytest.raises(ValueError, match=message):
        MultiStepAttention()(STATES, TARGET, **inputs)
