"""Local windows against brute force, and their edges by hand."""

import numpy as np
import pytest
from keras import ops

from seqnlp.layers import LuongAttention
from tests.layers.attention_cases import MASK, QUERY, VALUE, case, numpy, randomised

# The numbers of the real tokens of each row, in their order.
REAL = [np.flatnonzero(mask) for mask in MASK]


def windowed(scores, half_width, centre, gaussian):
    """Luong's weights, one pair after the other; `centre(row, query)` in tokens from 0."""
    weights = np.zeros(scores.shape)
    for row, query in np.ndindex(scores.shape[:2]):
        p = centre(row, query)
        near = [(n, s) for n, s in enumerate(REAL[row]) if abs(n - p) <= half_width]
        total = sum(np.exp(scores[row, query, s]) for _, s in near)
        for n, s in near:
            gauss = np.exp(-((n - p) ** 2) / (2 * (half_width / 2) ** 2)) if gaussian else 1
            weights[row, query, s] = np.exp(scores[row, query, s]) / total * gauss
    return weights


@pytest.mark.parametrize("half_width", [1, 2, 9])
@pytest.mark.parametrize("name", ["normalized", "dot", "concat"])
def test_local_m_is_a_softmax_within_a_window_at_the_step(name, half_width):
    layer, value, scores = case(name, alignment="local-m", half_width=half_width)
    context, weights = layer(QUERY, value, value_mask=MASK)
    expected = windowed(scores, half_width, lambda row, t: min(t, len(REAL[row]) - 1), False)
    np.testing.assert_allclose(numpy(weights), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numpy(context), expected @ value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("half_width", [1, 2, 9])
@pytest.mark.parametrize("name", ["normalized", "dot", "concat"])
def test_local_p_is_a_softmax_times_a_gaussian_where_the_query_points(name, half_width):
    layer, value, scores = case(name, alignment="local-p", half_width=half_width)
    hidden, place = (numpy(x.kernel) for x in (layer.aligner.hidden, layer.aligner.place))

    def centre(row, t):
        return len(REAL[row]) / (1 + np.exp(-np.tanh(QUERY[row, t] @ hidden) @ place[:, 0]))

    context, weights = layer(QUERY, value, value_mask=MASK)
    expected = windowed(scores, half_width, centre, True)
    np.testing.assert_allclose(numpy(weights), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numpy(context), expected @ value, rtol=1e-4, atol=1e-5)


def test_the_gaussian_by_hand():
    layer = randomised(LuongAttention("dot", alignment="local-p", half_width=2))
    layer.aligner.place.kernel.assign(np.zeros((3, 1)))  # a centre in the middle, at 3 of 6
    _, weights = layer(QUERY[:1], np.zeros_like(VALUE[:1]))
    expected = np.array([0, np.exp(-2), np.exp(-0.5), 1, np.exp(-0.5), np.exp(-2)]) / 5
    np.testing.assert_allclose(numpy(weights)[0], [expected] * 5, rtol=1e-5, atol=1e-7)


def test_the_window_stays_at_the_end_of_a_sentence_that_is_over():
    layer = randomised(LuongAttention("dot", alignment="local-m", half_width=1))
    memory = layer.memory(VALUE, MASK)
    last, later = (numpy(layer.attend(QUERY, memory, position=t)[1]) for t in (2, 9))
    np.testing.assert_array_equal(last[1:], later[1:])  # sentences of 3, 3 and 0 tokens
    assert (later[1] > 0).tolist() == [[False, True, True, False, False, False]] * 5
    assert not later[3].any()


@pytest.mark.parametrize("position", [np.arange(5), np.tile(np.arange(5), (4, 1))])
def test_each_query_may_have_a_position_of_its_own(position):
    layer = randomised(LuongAttention("dot", alignment="local-m", half_width=1))
    memory = layer.memory(VALUE, MASK)
    position = ops.convert_to_tensor(position)
    actual = numpy(layer.attend(QUERY, memory, position=position)[1])
    for t in range(5):
        expected = numpy(layer.attend(QUERY[:, t : t + 1], memory, position=t)[1])
        np.testing.assert_allclose(actual[:, t], expected[:, 0], atol=1e-6)


def test_a_window_at_the_step_needs_to_know_the_step():
    layer = randomised(LuongAttention("dot", alignment="local-m"))
    message = "`position` must be given with alignment='local-m'. Received: position=None"
    with pytest.raises(ValueError, match=message):
        layer.attend(QUERY, layer.memory(VALUE))
