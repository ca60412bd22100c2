"""Attention of many heads against NumPy, in windows, token by token, over a memory."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import CrossAttention, SelfAttention, dot_product

UNITS, HEADS, TIME = 6, 3, 7
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(3, TIME, UNITS)).astype("float32")
VALUE = RANDOM.normal(size=(3, 5, 4)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [0, 1, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0]], dtype=bool)
VALUE_MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def with_random_weights(layer, *shapes, seed=1):
    layer.build(*shapes)
    random = np.random.default_rng(seed)
    layer.set_weights([random.normal(size=w.shape, scale=0.5) for w in layer.weights])
    return layer


def self_attention(units=UNITS, heads=HEADS, **arguments):
    return with_random_weights(SelfAttention(heads, **arguments), (None, None, units))


def cross_attention(**arguments):
    return with_random_weights(CrossAttention(HEADS, **arguments), INPUTS.shape, VALUE.shape)


def expected_attention(queries, keys, values, allowed):
    """One sentence, head by head and query by query; `allowed` bool `(target, source)`."""
    context = np.zeros_like(queries)
    weights = np.zeros((HEADS, len(queries), len(keys)))
    size = queries.shape[-1] // HEADS
    for head in range(HEADS):
        of_head = slice(head * size, (head + 1) * size)
        for at in range(len(queries)):
            seen = np.flatnonzero(allowed[at])
            if len(seen):
                scores = keys[seen, of_head] @ queries[at, of_head] / np.sqrt(size)
                weight = np.exp(scores - scores.max())
                weights[head, at, seen] = weight / weight.sum()
                context[at, of_head] = weights[head, at] @ values[:, of_head]
    return context, weights


def expected_self_attention(layer, inputs, mask, near):
    """The layer in NumPy; `near` bool `(positions, positions)` among real tokens."""
    out_kernel, out_bias, kernel, bias = layer.get_weights()
    outputs = np.zeros_like(inputs)
    weights = np.zeros((len(inputs), HEADS, inputs.shape[1], inputs.shape[1]))
    for row, real in enumerate(mask):
        places = np.flatnonzero(real)
        queries, keys, values = np.split(inputs[row, places] @ kernel + bias, 3, axis=-1)
        allowed = near[: len(places), : len(places)]
        context, found = expected_attention(queries, keys, values, allowed)
        outputs[row, places] = context @ out_kernel + out_bias
        weights[row][:, places[:, None], places] = found
    return outputs, weights


def near(time, causal, window):
    ahead = np.arange(time) - np.arange(time)[:, None]
    window = time if window is None else window
    return (ahead >= -window) & (ahead <= (0 if causal else window))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [None, 2])
def test_self_attention_is_that_of_the_paper_over_real_tokens(causal, window):
    layer = self_attention(causal=causal, window=window)
    allowed = near(TIME, causal, window)
    expected, expected_weights = expected_self_attention(layer, INPUTS, MASK, allowed)
    outputs, weights = layer(INPUTS, mask=MASK, return_weights=True)
    np.testing.assert_allclose(numpy(outputs)[MASK], expected[MASK], rtol=1e-5, atol=1e-5)
    real = MASK[:, None, :, None]
    np.testing.assert_allclose(numpy(weights) * real, expected_weights, rtol=1e-5, atol=1e-6)
    alone = numpy(layer(INPUTS, mask=MASK))
    np.testing.assert_allclose(alone, numpy(outputs), rtol=1e-5, atol=1e-6)


LONG = RANDOM.normal(size=(3, 101, UNITS)).astype("float32")
LONG_MASKS = {
    "none": None,
    "padding behind": np.arange(101) < np.array([[101], [64], [1]]),
    "holes and padding in front": RANDOM.random((3, 101)) < np.array([[0.8], [0.3], [0.0]]),
}


@pytest.mark.parametrize("window", [1, 5, 33])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", LONG_MASKS)
def test_windows_in_blocks_equal_a_masked_matrix(window, causal, kind):
    layer, mask = self_attention(causal=causal, window=window), LONG_MASKS[kind]
    real = np.ones((3, 101), dtype=bool) if mask is None else mask
    assert layer._is_long(101)
    expected, _ = expected_self_attention(layer, LONG, real, near(101, causal, window))
    outputs = numpy(layer(LONG, mask=mask))
    assert np.isfinite(outputs).all()
    np.testing.assert_allclose(outputs[real], expected[real], rtol=1e-4, atol=1e-5)


def test_a_window_makes_no_matrix_of_all_pairs_of_tokens(monkeypatch):
    window, time, block = 2, 4096, dot_product.LEAST_BLOCK
    layer, seen = self_attention(window=window), []

    def recorded(queries, keys, values, mask=None, dropout=None):
        seen.append((tuple(queries.shape), tuple(keys.shape)))
        return queries, None

    monkeypatch.setattr(dot_product, "dot_product_attention", recorded)
    layer(np.zeros((1, time, UNITS), dtype="float32"))
    blocks = (1, HEADS, time // block)
    size = UNITS // HEADS
    assert seen == [((*blocks, block, size), (*blocks, block + 2 * window, size))]


def test_gradients_of_a_window_are_those_of_a_masked_matrix():
    layer, mask = self_attention(window=5), LONG_MASKS["holes and padding in front"]

    def loss(inputs, return_weights):
        outputs = layer(inputs, mask=mask, return_weights=return_weights)
        outputs = outputs[0] if return_weights else outputs
        return ops.sum(ops.where(mask[..., None], outputs, 0) ** 2)

    found, expected = (
        numpy(gradients.compiled(gradients.gradient(lambda x, w=w: loss(x, w)))(LONG))
        for w in (False, True)
    )
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_cross_attention_is_that_of_the_paper_over_real_tokens():
    layer = cross_attention()
    out_kernel, out_bias, q_kernel, q_bias, kernel, bias = layer.get_weights()
    outputs, weights = layer(INPUTS, VALUE, value_mask=VALUE_MASK, return_weights=True)
    for row, mask in enumerate(VALUE_MASK):
        keys, values = np.split(VALUE[row] @ kernel + bias, 2, axis=-1)
        queries, allowed = INPUTS[row] @ q_kernel + q_bias, np.tile(mask, (TIME, 1))
        context, expected = expected_attention(queries, keys, values, allowed)
        np.testing.assert_allclose(numpy(weights)[row], expected, rtol=1e-5, atol=1e-6)
        expected = context @ out_kernel + out_bias
        np.testing.assert_allclose(numpy(outputs)[row], expected, rtol=1e-5, atol=1e-5)
    alone = numpy(layer(INPUTS, VALUE, value_mask=VALUE_MASK))
    np.testing.assert_array_equal(alone, numpy(outputs))


@pytest.mark.parametrize("window", [None, 2])
def test_token_by_token_it_answers_as_at_once(window):
    layer = self_attention(causal=True, window=window)
    cache = layer.initial_cache(3, TIME + 2)
    step = gradients.compiled(layer.step)
    for position in range(TIME):
        outputs, cache = step(INPUTS[:, position], cache, np.int32(position))
        expected = numpy(layer(INPUTS))[:, position]
        np.testing.assert_allclose(numpy(outputs), expected, rtol=1e-5, atol=1e-5)
    assert cache["keys"].shape == (3, TIME + 2, HEADS, UNITS // HEADS)


def test_without_a_mask_every_token_is_real():
    layer, cross = self_attention(), cross_attention()
    ones, value_ones = np.ones((3, TIME), dtype=bool), np.ones((3, 5), dtype=bool)
    np.testing.assert_allclose(numpy(layer(INPUTS)), numpy(layer(INPUTS, mask=ones)), rtol=1e-6)
    expected = numpy(cross(INPUTS, VALUE, value_mask=value_ones))
    np.testing.assert_allclose(numpy(cross(INPUTS, VALUE)), expected, rtol=1e-6)


def test_dropout_drops_weights_in_training_alone():
    keras.utils.set_random_seed(0)
    for layer, inputs in (
        (self_attention(dropout=0.5, window=2), (LONG,)),
        (cross_attention(dropout=0.5), (INPUTS, VALUE)),
    ):
        plain = type(layer).from_config({**layer.get_config(), "dropout": 0.0})
        plain.build(*(x.shape for x in inputs))
        plain.set_weights(layer.get_weights())
        np.testing.assert_array_equal(numpy(layer(*inputs)), numpy(plain(*inputs)))
        trained = numpy(layer(*inputs, training=True))
        assert not np.allclose(trained, numpy(plain(*inputs)), atol=1e-2)


if keras.backend.backend() == "tensorflow":

    @pytest.mark.parametrize("window", [None, 4])
    def test_batch_and_time_need_not_be_known(window):
        import tensorflow as tf

        layer = self_attention(window=window)
        specs = [tf.TensorSpec([None, None, UNITS]), tf.TensorSpec([None, None], "bool")]
        unknown = tf.function(lambda x, mask: layer(x, mask=mask), input_signature=specs)
        for inputs, mask in ((INPUTS, MASK), (LONG, LONG_MASKS["padding behind"])):
            expected = numpy(layer(inputs, mask=mask))
            np.testing.assert_allclose(
                numpy(unknown(inputs, mask))[mask], expected[mask], rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("return_weights", [False, True])
def test_keras_hands_over_the_masks_of_embeddings(return_weights):
    ids = keras.Input((TIME,), dtype="int32"), keras.Input((5,), dtype="int32")
    embeddings = [keras.layers.Embedding(9, units, mask_zero=True) for units in (UNITS, 4)]
    given = np.array([[0, 3, 0, 4, 1, 2, 0]]), np.array([[0, 5, 2, 0, 0]])
    query, value = (embed(x) for embed, x in zip(embeddings, ids, strict=True))
    itself, across = self_attention(), cross_attention()
    found = [
        itself(query, return_weights=return_weights),
        across(query, value, return_weights=return_weights),
    ]
    query, value = (numpy(embed(x)) for embed, x in zip(embeddings, given, strict=True))
    expected = [itself(query, mask=given[0] != 0), across(query, value, given[1] != 0)]
    for outputs, arrays in zip(found, expected, strict=True):
        outputs, *weights = keras.tree.flatten(outputs)
        assert getattr(outputs, "_keras_mask", None) is not None
        assert all(getattr(x, "_keras_mask", None) is None for x in weights)
        answer = keras.Model(ids, outputs)(given)
        np.testing.assert_allclose(numpy(answer), numpy(arrays), rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(numpy(answer._keras_mask), given[0] != 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_heads": 0}, "`num_heads` must be at least 1. Received: num_heads=0"),
        ({"num_heads": 2, "dropout": 1.0}, r"`dropout` must be in \[0, 1\). .* dropout=1.0"),
        ({"num_heads": 2, "window": 0}, "`window` must be None or at least 1. .* window=0"),
    ],
)
def test_refuses_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        SelfAttention(**arguments)


def test_refuses_units_that_heads_cannot_share():
    message = r"`num_heads`=4. Received: inputs.shape=\(3, 7, 6\)"
    with pytest.raises(ValueError, match=message):
        SelfAttention(4).build(INPUTS.shape)
    with pytest.raises(ValueError, match=r"`num_heads`=4. Received: query.shape=\(3, 7, 6\)"):
        CrossAttention(4).build(INPUTS.shape, VALUE.shape)


def test_refuses_to_go_token_by_token_where_tokens_look_ahead():
    layer = self_attention()
    with pytest.raises(ValueError, match="`causal` must be True .* Received: causal=False"):
        layer.step(INPUTS[:, 0], layer.initial_cache(3, 2), 0)
