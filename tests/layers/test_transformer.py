"""Stacks of Transformer layers against NumPy: both norms, causal or not, token by token."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import TransformerDecoder, TransformerEncoder

UNITS, HEADS, HIDDEN, TIME, SOURCE = 6, 2, 5, 4, 3
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(2, TIME, UNITS)).astype("float32")
VALUES = RANDOM.normal(size=(2, SOURCE, UNITS)).astype("float32")
ERF = np.vectorize(math.erf)
ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: x * (1 + ERF(x / math.sqrt(2))) / 2,
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def with_random_weights(stack, *shapes):
    stack.build(*shapes)
    random = np.random.default_rng(1)
    stack.set_weights([random.normal(size=w.shape, scale=0.5) for w in stack.weights])
    return stack


def encoder(num_layers=1, **arguments):
    return with_random_weights(
        TransformerEncoder(num_layers, HEADS, HIDDEN, **arguments), INPUTS.shape
    )


def decoder(num_layers=1, **arguments):
    stack = TransformerDecoder(num_layers, HEADS, HIDDEN, **arguments)
    return with_random_weights(stack, INPUTS.shape, VALUES.shape)


def arrays(layer):
    return [numpy(weight) for weight in layer.weights]


def normalize(layer, x):
    scale, shift = arrays(layer)
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6) * scale + shift


def project(layer, x):
    kernel, bias = arrays(layer)
    return x @ kernel + bias


def attend(queries, keys, values, causal=False):
    """One sentence: `(target, units)`, `(source, units)` twice."""
    heads = []
    for q, k, v in zip(*(np.split(x, HEADS, -1) for x in (queries, keys, values)), strict=True):
        scores = q @ k.T / math.sqrt(q.shape[-1])
        if causal:
            scores = np.where(np.tri(*scores.shape, dtype=bool), scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        heads.append(weights / weights.sum(axis=-1, keepdims=True) @ v)
    return np.concatenate(heads, axis=-1)


def self_attend(layer, x, causal):
    parts = np.split(project(layer.projection, x), 3, axis=-1)
    return project(layer.output_projection, attend(*parts, causal))


def cross_attend(layer, x, source):
    keys, values = np.split(project(layer.memory_projection, source), 2, axis=-1)
    queries = project(layer.query_projection, x)
    return project(layer.output_projection, attend(queries, keys, values))


def expected_layer(layer, x, norm, activation, branches):
    def feed_forward(x):
        return project(layer.output_projection, activation(project(layer.hidden, x)))

    for branch, normalizer in zip([*branches, feed_forward], layer.norms, strict=True):
        if norm == "pre":
            x = x + branch(normalize(normalizer, x))
        else:
            x = normalize(normalizer, x + branch(x))
    return x


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize(("activation", "causal"), [("relu", False), ("gelu", True)])
def test_encoder_is_that_of_the_paper(norm, activation, causal):
    stack = encoder(2, norm=norm, activation=activation, causal=causal)
    outputs = numpy(stack(INPUTS))
    for row, x in enumerate(INPUTS):
        for layer in stack.layers:
            branches = [lambda x, at=layer: self_attend(at.attention, x, causal)]
            x = expected_layer(layer, x, norm, ACTIVATIONS[activation], branches)
        x = normalize(stack.final_norm, x) if norm == "pre" else x
        np.testing.assert_allclose(outputs[row], x, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_decoder_is_that_of_the_paper(norm):
    stack = decoder(2, norm=norm)
    outputs = numpy(stack(INPUTS, VALUES))
    for row, (x, source) in enumerate(zip(INPUTS, VALUES, strict=True)):
        for layer in stack.layers:
            branches = [
                lambda x, at=layer: self_attend(at.self_attention, x, True),
                lambda x, at=layer, of=source: cross_attend(at.cross_attention, x, of),
            ]
            x = expected_layer(layer, x, norm, ACTIVATIONS["relu"], branches)
        x = normalize(stack.final_norm, x) if norm == "pre" else x
        np.testing.assert_allclose(outputs[row], x, rtol=1e-5, atol=1e-5)


def test_an_encoder_without_positions_is_equivariant_to_permutation():
    stack, order = encoder(2), [2, 0, 3, 1]
    expected = numpy(stack(INPUTS))[:, order]
    np.testing.assert_allclose(numpy(stack(INPUTS[:, order])), expected, rtol=1e-4, atol=1e-5)


def test_a_causal_encoder_sees_nothing_ahead():
    stack = encoder(2, causal=True)
    changed = INPUTS.copy()
    changed[:, 2:] = RANDOM.normal(size=changed[:, 2:].shape)
    before, after = numpy(stack(INPUTS)), numpy(stack(changed))
    np.testing.assert_allclose(after[:, :2], before[:, :2], rtol=1e-6, atol=1e-6)
    assert not np.allclose(after[:, 2:], before[:, 2:], atol=1e-2)


@pytest.mark.parametrize("window", [None, 1])
def test_a_causal_encoder_goes_token_by_token(window):
    stack = encoder(2, causal=True, window=window)
    expected, cache = numpy(stack(INPUTS)), stack.initial_cache(2, TIME + 1)
    step = gradients.compiled(stack.step)
    for position in range(TIME):
        outputs, cache = step(INPUTS[:, position], cache, np.int32(position))
        np.testing.assert_allclose(numpy(outputs), expected[:, position], rtol=1e-4, atol=1e-5)


def test_a_decoder_goes_token_by_token_with_several_rows_a_sentence():
    stack, beams = decoder(2), 2
    rows = RANDOM.normal(size=(2 * beams, TIME, UNITS)).astype("float32")
    expected, weights = stack(rows, np.repeat(VALUES, beams, axis=0), return_weights=True)
    cache, memory = stack.initial_cache(2 * beams, TIME), stack.memory(VALUES)
    step = gradients.compiled(stack.step)
    for position in range(TIME):
        outputs, cache, found = step(rows[:, position], cache, memory, np.int32(position))
        wanted = numpy(expected)[:, position]
        np.testing.assert_allclose(numpy(outputs), wanted, rtol=1e-4, atol=1e-5)
        for actual, (_, of_source) in zip(found, weights, strict=True):
            wanted = numpy(of_source)[:, :, position].reshape(2, beams, HEADS, SOURCE)
            actual = numpy(actual).swapaxes(1, 2)  # (batch, beams, heads, source)
            np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("at", range(3))
def test_each_of_three_shares_of_dropout_acts_in_training_alone(at):
    keras.utils.set_random_seed(0)
    stack = encoder(dropout=[0.5 if at == place else 0.0 for place in range(3)])
    plain = numpy(encoder()(INPUTS))
    np.testing.assert_array_equal(numpy(stack(INPUTS)), plain)
    assert not np.allclose(numpy(stack(INPUTS, training=True)), plain, atol=1e-2)


def test_weights_of_every_layer_are_returned_on_request():
    outputs, weights = encoder(3)(INPUTS, return_weights=True)
    assert [x.shape for x in weights] == [(2, HEADS, TIME, TIME)] * 3
    np.testing.assert_allclose(numpy(outputs), numpy(encoder(3)(INPUTS)), rtol=1e-6)
    _, weights = decoder(2)(INPUTS, VALUES, return_weights=True)
    shapes = [(2, HEADS, TIME, TIME), (2, HEADS, TIME, SOURCE)]
    assert [[tuple(x.shape) for x in pair] for pair in weights] == [shapes] * 2


@pytest.mark.parametrize("return_weights", [False, True])
def test_keras_hands_over_the_masks_of_embeddings(return_weights):
    ids = keras.Input((TIME,), dtype="int32"), keras.Input((SOURCE,), dtype="int32")
    embeddings = [keras.layers.Embedding(9, UNITS, mask_zero=True) for _ in ids]
    given = np.array([[0, 3, 0, 4]]), np.array([[0, 5, 2]])
    target, source = (embed(x) for embed, x in zip(embeddings, ids, strict=True))
    found = [
        encoder()(target, return_weights=return_weights),
        decoder()(target, source, return_weights=return_weights),
    ]
    vectors = [numpy(embed(x)) for embed, x in zip(embeddings, given, strict=True)]
    target_mask, source_mask = (x != 0 for x in given)
    expected = [
        encoder()(vectors[0], mask=target_mask),
        decoder()(*vectors, target_mask=target_mask, source_mask=source_mask),
    ]
    for outputs, arrays_there in zip(found, expected, strict=True):
        outputs, *weights = keras.tree.flatten(outputs)
        assert getattr(outputs, "_keras_mask", None) is not None
        assert all(getattr(x, "_keras_mask", None) is None for x in weights)
        answer = keras.Model(ids, outputs)(given)
        np.testing.assert_allclose(numpy(answer), numpy(arrays_there), rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(numpy(answer._keras_mask), target_mask)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_layers": 0}, "`num_layers` must be at least 1. Received: num_layers=0"),
        ({"num_heads": 0}, "`num_heads` must be at least 1. Received: num_heads=0"),
        ({"feed_forward_units": 0}, "`feed_forward_units` must be .* feed_forward_units=0"),
        ({"norm": "both"}, "`norm` must be one of .* Received: norm='both'"),
        ({"dropout": 1}, r"`dropout` must be a share in \[0, 1\), or three .* dropout=1"),
        ({"dropout": [0.1, 0.1]}, r"`dropout` must be .* Received: dropout=\[0.1, 0.1\]"),
    ],
)
@pytest.mark.parametrize("stack", [TransformerEncoder, TransformerDecoder])
def test_refuses_arguments_out_of_range(stack, arguments, message):
    with pytest.raises(ValueError, match=message):
        stack(**{"num_layers": 1, "num_heads": 2, "feed_forward_units": 4, **arguments})


def test_an_encoder_that_looks_ahead_refuses_to_go_token_by_token():
    stack = encoder()
    with pytest.raises(ValueError, match="`causal` must be True .* Received: causal=False"):
        stack.step(INPUTS[:, 0], stack.initial_cache(2, TIME), 0)
