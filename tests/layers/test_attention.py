"""Attention against its equations in NumPy; step by step, and what padding may not change."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients, scan
from seqnlp.layers import BahdanauAttention, LuongAttention
from seqnlp.layers.attention import ALIGNMENTS
from tests.layers.attention_cases import (
    MASK,
    QUERY,
    SCORES,
    VALUE,
    WIDE_VALUE,
    case,
    numpy,
    randomised,
)

LAYERS = {"bahdanau": "normalized", "luong": "general"}


@pytest.mark.parametrize("name", SCORES)
def test_weights_are_the_softmax_of_the_score(name):
    layer, value, scores = case(name)
    context, weights = layer(QUERY, value, value_mask=MASK)
    expected = np.zeros(scores.shape)
    for row, query in np.ndindex(scores.shape[:2]):
        real = np.exp(scores[row, query][MASK[row]])
        expected[row, query][MASK[row]] = real / real.sum()
    np.testing.assert_allclose(numpy(weights), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numpy(context), expected @ value, rtol=1e-4, atol=1e-5)


def test_additive_score_by_hand():
    layer = BahdanauAttention(2)
    layer.build(query_shape=(1, 1, 1), value_shape=(1, 2, 1))
    layer.query_projection.kernel.assign([[1.0, 0.0]])
    layer.value_projection.kernel.assign([[0.0, 1.0]])
    layer.v.assign([5.0, 1.0])  # 5 tanh(query) is the same for both values and falls out
    context, weights = layer(np.array([[[0.3]]]), np.array([[[0.0], [np.arctanh(0.5)]]]))
    share = 1 / (1 + np.exp(-0.5))
    np.testing.assert_allclose(numpy(weights), [[[1 - share, share]]], rtol=1e-5)
    np.testing.assert_allclose(numpy(context), [[[share * np.arctanh(0.5)]]], rtol=1e-5)


def test_multiplicative_score_by_hand():
    value = np.log(np.array([[[2.0, 1.0], [1.0, 3.0], [1.0, 1.0]]]))
    _, weights = LuongAttention("dot")(np.array([[[1.0, 1.0]]]), value)
    np.testing.assert_allclose(numpy(weights), [[[2 / 6, 3 / 6, 1 / 6]]], rtol=1e-5)


def test_normalized_v_begins_with_the_length_and_a_bias_of_addons():
    layer = BahdanauAttention(16, normalize=True)
    layer.build(query_shape=(1, 1, 2), value_shape=(1, 2, 2))
    assert float(layer.g) == 0.25
    assert not numpy(layer.b).any()


def test_a_learned_scale_begins_at_one():
    plain, scaled = LuongAttention("dot"), LuongAttention("dot", learn_scale=True)
    actual, expected = (numpy(layer(QUERY, VALUE)[1]) for layer in (scaled, plain))
    np.testing.assert_array_equal(actual, expected)
    assert [weight.path.split("/")[-1] for weight in scaled.weights] == ["g"]


def test_units_are_those_of_the_query_where_none_are_given():
    layer = randomised(LuongAttention("projected"), WIDE_VALUE)
    assert tuple(layer.value_projection.kernel.shape) == (7, 3)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_loop_of_steps_gives_what_a_call_gives(name, alignment):
    layer, value, _ = case(LAYERS[name], alignment=alignment, half_width=2)

    def by_steps(query, value, mask):
        memory = layer.memory(value, mask)

        def step(previous, inputs):
            position, query = inputs
            context, weights = layer.attend(query[:, None], memory, previous, position)
            return weights, (context[:, 0], weights[:, 0])

        start = ops.zeros((len(QUERY), 1, value.shape[1]))
        steps = (ops.arange(query.shape[1]), ops.swapaxes(query, 0, 1))
        return [ops.swapaxes(x, 0, 1) for x in scan.scan(step, start, steps)[1]]

    def at_once(query, value, mask):
        return layer(query, value, value_mask=mask)

    inputs = [ops.convert_to_tensor(x) for x in (QUERY, value, MASK)]
    found = (gradients.compiled(function)(*inputs) for function in (by_steps, at_once))
    for actual, expected in zip(*found, strict=True):
        np.testing.assert_allclose(numpy(actual), numpy(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_beams_attend_each_by_itself_to_one_memory(alignment):
    layer, value, _ = case("concat", alignment=alignment, half_width=1)
    memory = layer.memory(value, MASK)
    random = np.random.default_rng(2)
    previous = np.eye(6, dtype="float32")[random.integers(6, size=(4, 5))]
    options = {"position": 3} if alignment == "local-m" else {}
    context, weights = layer.attend(QUERY, memory, previous=previous, **options)
    for beam in range(QUERY.shape[1]):
        of_beam = slice(beam, beam + 1)
        alone = layer.attend(QUERY[:, of_beam], memory, previous=previous[:, of_beam], **options)
        np.testing.assert_allclose(numpy(alone[0]), numpy(context)[:, of_beam], atol=1e-5)
        np.testing.assert_allclose(numpy(alone[1]), numpy(weights)[:, of_beam], atol=1e-6)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("name", LAYERS)
def test_padding_has_no_weight_and_a_row_of_padding_no_context(name, alignment):
    layer, value, _ = case(LAYERS[name], alignment=alignment, half_width=2)
    spoilt = np.where(MASK[..., None], value, np.float32("nan"))
    context, weights = (numpy(x) for x in layer(QUERY, spoilt, value_mask=MASK))
    assert np.isfinite(context).all()
    assert not weights.transpose(0, 2, 1)[~MASK].any()
    assert not context[3].any()
    assert weights[:3].any(axis=(1, 2)).all()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_queries_at_padding_do_not_count_as_steps(alignment):
    layer, value, _ = case("general", alignment=alignment, half_width=1)
    places = [1, 3, 4, 6, 7]
    padded = np.full((4, 9, 3), np.nan, dtype="float32")
    padded[:, places] = QUERY
    query_mask = np.isin(np.arange(9), places) & np.ones((4, 1), dtype=bool)
    _, weights = layer(padded, value, value_mask=MASK, query_mask=query_mask)
    expected = layer(QUERY, value, value_mask=MASK)[1]
    np.testing.assert_allclose(numpy(weights)[:, places], numpy(expected), atol=1e-6)


def test_without_a_mask_every_token_is_real():
    layer, value, _ = case("general")
    actual = layer(QUERY, value)[1]
    expected = layer(QUERY, value, value_mask=np.ones_like(MASK))[1]
    np.testing.assert_array_equal(numpy(actual), numpy(expected))


def test_keras_hands_over_the_masks_of_embeddings():
    ids = keras.Input((4,), dtype="int32"), keras.Input((6,), dtype="int32")
    embeddings = [keras.layers.Embedding(9, 3, mask_zero=True) for _ in ids]
    layer = LuongAttention("dot", alignment="monotonic")
    outputs = layer(*(embed(x) for embed, x in zip(embeddings, ids, strict=True)))
    query_ids, value_ids = np.array([[2, 0, 3, 4]]), np.array([[3, 4, 0, 5, 1, 0]])
    query, value = (embed(x) for embed, x in zip(embeddings, (query_ids, value_ids), strict=True))
    masks = {"value_mask": value_ids != 0, "query_mask": query_ids != 0}
    expected = layer(numpy(query), numpy(value), **masks)
    for a, b in zip(keras.Model(ids, outputs)([query_ids, value_ids]), expected, strict=True):
        np.testing.assert_allclose(numpy(a), numpy(b), atol=1e-6)
    assert getattr(outputs[0], "_keras_mask", None) is not None
    assert getattr(outputs[1], "_keras_mask", None) is None


@pytest.mark.parametrize("alignment", [a for a in ALIGNMENTS if a != "monotonic-hard"])
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_finite_also_for_extreme_scores(name, alignment):
    layer, value, _ = case(LAYERS[name], alignment=alignment, half_width=2)

    def loss(both):
        context, weights = layer(both["query"], both["value"], value_mask=MASK)
        return ops.sum(context**2) + ops.sum(weights**2)

    gradient_of = gradients.compiled(gradients.gradient(loss))
    for factor in (1, 1e4):
        both = {"query": factor * QUERY, "value": factor * value}
        found = gradient_of({key: ops.convert_to_tensor(x) for key, x in both.items()})
        assert all(np.isfinite(numpy(gradient)).all() for gradient in found.values())
    padding = numpy(found["value"])[~MASK]
    assert not padding.any()


@pytest.mark.parametrize("name", LAYERS)
def test_weights_are_float32_where_the_context_is_not(name):
    make, arguments, _, value = SCORES[LAYERS[name]]
    layer = randomised(make(**arguments, dtype="mixed_bfloat16"), value)
    memory = layer.memory(value, MASK)
    for context, weights in (layer(QUERY, value), layer.attend(QUERY, memory)):
        dtypes = [keras.backend.standardize_dtype(x.dtype) for x in (context, weights)]
        assert dtypes == ["bfloat16", "float32"]
    assert keras.backend.standardize_dtype(memory["keys"].dtype) == "bfloat16"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BahdanauAttention(0), r"`units` must be at least 1. Received: units=0"),
        (
            lambda: LuongAttention("projected", units=0),
            r"`units` must be at least 1. Received: units=0",
        ),
        (
            lambda: LuongAttention("dot", units=4),
            r"`units` must be None with score='dot'. Received: units=4",
        ),
        (
            lambda: LuongAttention("cosine"),
            r"`score` must be one of \('dot', .*\). Received: score='cosine'",
        ),
        (
            lambda: LuongAttention(alignment="hard"),
            r"`alignment` must be one of \('softmax', .*\). Received: alignment='hard'",
        ),
        (
            lambda: BahdanauAttention(3, alignment="local-p", half_width=0),
            r"`half_width` must be at least 1. Received: half_width=0",
        ),
        (
            lambda: BahdanauAttention(3, sigmoid_noise=1.0),
            r"`sigmoid_noise` must be 0 with alignment='softmax'. Received: sigmoid_noise=1.0",
        ),
        (
            lambda: BahdanauAttention(3, alignment="local-m", score_bias=-1.0),
            r"`score_bias` must be 0 with alignment='local-m'. Received: score_bias=-1.0",
        ),
        (
            lambda: LuongAttention(alignment="monotonic", sigmoid_noise=-1.0),
            r"`sigmoid_noise` must be at least 0. Received: sigmoid_noise=-1.0",
        ),
        (
            lambda: LuongAttention("dot").build(query_shape=(4, 5, 3), value_shape=(4, 6, 7)),
            r"`value` must be as wide as `query`, 3, with score='dot'. "
            r"Received: value.shape=\(4, 6, 7\)",
        ),
        (
            lambda: LuongAttention("dot").build(query_shape=(4, 3), value_shape=(4, 6, 3)),
            r"`query` must have shape \(batch, time, units\). Received: query.shape=\(4, 3\)",
        ),
        (
            lambda: BahdanauAttention(3).build(query_shape=(4, 5, 3), value_shape=(4, 6)),
            r"`value` must have shape \(batch, time, units\). Received: value.shape=\(4, 6\)",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
