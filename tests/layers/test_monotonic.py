"""Monotonic attention against the paper's process, followed token by token in NumPy."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import BahdanauAttention, LuongAttention
from seqnlp.layers.monotonic import (
    hard_monotonic_weights,
    monotonic_weights,
    monotonic_weights_by_recursion,
)
from tests.layers.attention_cases import MASK, QUERY, VALUE, case, numpy

JAX = keras.backend.backend() == "jax"
FORMS = {"parallel": monotonic_weights, "recursive": monotonic_weights_by_recursion}


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


def by_paths(choose, previous):
    """Sum over where the last step stopped, and over where this one does."""
    weights = np.zeros(len(choose))
    for start, stop in itertools.combinations_with_replacement(range(len(choose)), 2):
        weights[stop] += previous[start] * np.prod(1 - choose[start:stop]) * choose[stop]
    return weights


def process(choose, start):
    """Equations 13 and 14 of the paper for all steps: `choose (queries, source)`."""
    previous, found = start, []
    for p in choose:
        q, weights = 0.0, []
        for at in range(len(p)):
            q = (1 - p[at - 1] if at else 0) * q + previous[at]
            weights.append(p[at] * q)
        previous = np.array(weights)
        found.append(previous)
    return np.array(found)


@pytest.mark.parametrize("source", [1, 2, 3, 7, 8, 9])
def test_soft_weights_sum_over_where_the_last_step_and_this_one_stop(form, source):
    random = np.random.default_rng(source)
    choose = random.random(size=(3, source))
    previous = random.dirichlet(np.ones(source), size=3)
    inputs = [x.astype("float32") for x in (choose, 1 - choose, previous)]
    actual = numpy(form(*map(ops.convert_to_tensor, inputs)))
    expected = [by_paths(c, p) for c, p in zip(choose, previous, strict=True)]
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_what_stands_behind_a_sure_stop_keeps_its_weight(form):
    """Where the paper's closed form divides by a product that is zero."""
    choose = np.array([1, 1, 0.25, 1], "float32")
    previous = np.array([0.5, 0, 0.5, 0], "float32")
    actual = form(*map(ops.convert_to_tensor, (choose, 1 - choose, previous)))
    np.testing.assert_allclose(numpy(actual), [0.5, 0, 0.125, 0.375])


def test_gradients_are_finite_and_equal_in_both_forms():
    random = np.random.default_rng(0)
    scores = random.normal(size=(4, 11), scale=30).astype("float32")
    previous = random.dirichlet(np.ones(11), size=4).astype("float32")
    upstream = random.normal(size=(4, 11)).astype("float32")

    def loss(scores, form):
        weights = form(ops.sigmoid(scores), ops.sigmoid(-scores), previous)
        return ops.sum(weights * upstream)

    found = [
        numpy(
            gradients.gradient(lambda x, form=form: loss(x, form))(ops.convert_to_tensor(scores))
        )
        for form in FORMS.values()
    ]
    assert np.isfinite(found).all()
    assert found[0].any(axis=1).all()
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("choose", "previous", "expected"),
    [
        ([1, 0, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0]),
        ([1, 0, 1, 1], [0, 1, 0, 0], [0, 0, 1, 0]),
        ([0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 1, 0]),
        ([1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]),
        ([1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_hard_weights_are_the_next_token_that_is_chosen(choose, previous, expected):
    choose = ops.convert_to_tensor(np.array([choose], dtype=bool))
    previous = ops.convert_to_tensor(np.array([previous], dtype="float32"))
    assert numpy(hard_monotonic_weights(choose, previous)).tolist() == [expected]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_hard_weights_are_the_limit_of_soft_ones(form):
    random = np.random.default_rng(3)
    scores = random.normal(size=(50, 9)).astype("float32")
    scores = np.where(np.abs(scores) < 0.01, 1, 1000 * scores).astype("float32")
    previous = np.eye(9, dtype="float32")[random.integers(9, size=50)]
    hard = hard_monotonic_weights(ops.convert_to_tensor(scores > 0), previous)
    soft = form(ops.sigmoid(scores), ops.sigmoid(-scores), ops.convert_to_tensor(previous))
    np.testing.assert_allclose(numpy(soft), numpy(hard), atol=1e-4)


@pytest.mark.parametrize("alignment", ["monotonic", "monotonic-recursive"])
@pytest.mark.parametrize("name", ["normalized", "dot", "concat"])
def test_weights_follow_the_process_over_the_real_tokens(name, alignment):
    layer, value, scores = case(name, alignment=alignment)
    layer.aligner.r.assign(0.3)
    context, weights = layer(QUERY, value, value_mask=MASK)
    expected = np.zeros(scores.shape)
    for row, mask in enumerate(MASK[:3]):
        choose = 1 / (1 + np.exp(-scores[row][:, mask] - 0.3))
        expected[row][:, mask] = process(choose, np.eye(mask.sum())[0])
    np.testing.assert_allclose(numpy(weights), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numpy(context), expected @ value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["normalized", "dot"])
def test_hard_attention_stops_at_the_first_token_whose_score_is_above_zero(name):
    layer, value, scores = case(name, alignment="monotonic-hard")
    layer.aligner.r.assign(0.3)
    context, weights = layer(QUERY, value, value_mask=MASK)
    expected = np.zeros(scores.shape)
    for row, mask in enumerate(MASK):
        at = 0
        for query in range(scores.shape[1]):
            stops = mask & (scores[row, query] + 0.3 > 0) & (np.arange(6) >= at)
            if not stops.any():
                break
            at = int(stops.argmax())
            expected[row, query, at] = 1
    np.testing.assert_array_equal(numpy(weights), expected)
    np.testing.assert_allclose(numpy(context), expected @ value, rtol=1e-5)
    assert expected.any(axis=(1, 2)).sum() == 3


def test_hard_attention_is_soft_in_training():
    layer, value, _ = case("general", alignment="monotonic-hard")
    soft, _, _ = case("general", alignment="monotonic")
    actual = numpy(layer(QUERY, value, value_mask=MASK, training=True)[1])
    np.testing.assert_array_equal(actual, numpy(soft(QUERY, value, value_mask=MASK)[1]))
    memory = layer.memory(value, MASK)
    one = numpy(layer.attend(QUERY[:, :1], memory, training=True)[1])
    np.testing.assert_allclose(one, actual[:, :1], atol=1e-6)


def test_the_first_step_starts_at_the_first_real_token_whatever_came_before():
    layer, value, _ = case("general", alignment="monotonic")
    memory = layer.memory(value, MASK)
    rest = {"position": 0, "previous": np.full((4, 5, 6), np.nan, "float32")}
    actual = numpy(layer.attend(QUERY, memory, **rest)[1])
    np.testing.assert_array_equal(actual, numpy(layer.attend(QUERY, memory)[1]))
    assert actual[:3].any(axis=-1).all()


def test_each_query_may_be_at_a_step_of_its_own():
    layer, value, _ = case("general", alignment="monotonic")
    memory = layer.memory(value, MASK)
    previous = np.eye(6, dtype="float32")[np.full((4, 5), 1)]
    position = ops.convert_to_tensor([0, 1, 2, 0, 5])
    weights = layer.attend(QUERY, memory, previous=previous, position=position)[1]
    first = layer.attend(QUERY, memory)[1]
    later = layer.attend(QUERY, memory, previous=previous)[1]
    expected = np.where([[[True], [False], [False], [True], [False]]], numpy(first), numpy(later))
    np.testing.assert_allclose(numpy(weights), expected, atol=1e-6)


def test_a_score_bias_below_zero_reads_on():
    layer = BahdanauAttention(4, alignment="monotonic", score_bias=-20.0)
    assert numpy(layer(QUERY, VALUE)[1]).max() < 1e-6
    assert float(layer.aligner.r) == -20


def test_noise_is_normal_with_its_deviation_and_in_training_alone():
    values = np.zeros((1, 400, 1), "float32")
    layer = LuongAttention("dot", alignment="monotonic", sigmoid_noise=0.5)
    stops = []
    for training in (True, True, False):
        weights = layer(np.ones((1, 1, 1)), values, training=training)[1]
        stops.append(numpy(weights)[0, 0])
    first, second, calm = stops
    np.testing.assert_allclose(calm[:20], 0.5 ** np.arange(1, 21), rtol=1e-5)
    assert np.abs(first - second)[:5].max() > 0.01
    noise = numpy(layer.draw_noise((100, 400)))
    assert abs(noise.std() - 1) < 0.02
    assert abs(noise.mean()) < 0.02


def test_noise_given_to_a_step_is_added_to_its_scores():
    layer, value, scores = case("dot", alignment="monotonic", sigmoid_noise=2.0)
    layer.aligner.r.assign(0)
    noise = np.random.default_rng(5).normal(size=(4, 5, 6)).astype("float32")
    memory = layer.memory(value)
    weights = numpy(layer.attend(QUERY, memory, training=True, noise=noise)[1])
    choose = 1 / (1 + np.exp(-scores - 2 * noise))
    for row, query in np.ndindex(4, 5):
        expected = by_paths(choose[row, query], np.eye(6)[0])
        np.testing.assert_allclose(weights[row, query], expected, rtol=1e-4, atol=1e-6)


def test_without_sigmoid_noise_none_is_drawn():
    assert LuongAttention("dot", alignment="monotonic").draw_noise((2, 3)) is None


def test_a_step_in_training_with_noise_wants_it_drawn():
    layer, value, _ = case("dot", alignment="monotonic", sigmoid_noise=2.0)
    message = "`noise` must be what `draw_noise` gives, in training with sigmoid_noise=2.0. "
    with pytest.raises(ValueError, match=message + "Received: noise=None"):
        layer.attend(QUERY, layer.memory(value), training=True)


if not JAX:

    @pytest.mark.parametrize("name", ["normalized", "dot"])
    def test_sources_of_unknown_length_give_the_same_weights(name):
        import tensorflow as tf

        layer, value, _ = case(name, alignment="monotonic")
        spec = [tf.TensorSpec((None, None, x.shape[2]), "float32") for x in (QUERY, value)]
        function = tf.function(lambda *inputs: layer(*inputs)[1], input_signature=spec)
        actual, expected = function(QUERY, value), layer(QUERY, value)[1]
        np.testing.assert_allclose(numpy(actual), numpy(expected), atol=1e-6)
