"""Recurrent layers against Keras' and, for what Keras lacks, against plain loops."""

import functools

import keras
import numpy as np
import pytest
from keras import ops, tree

from seqnlp import gradients
from seqnlp.layers import GRU, LSTM, VanillaRNN

JAX = keras.backend.backend() == "jax"
BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
MASKS = {
    "no mask": None,
    "padding": np.arange(TIME) < np.array([6, 4, 1, 3])[:, None],
    "padding on the left": np.arange(TIME) >= np.array([0, 2, 5, 3])[:, None],
    "holes": np.array(
        [[1, 1, 1, 1, 1, 1], [0, 1, 0, 0, 1, 1], [1, 0, 0, 1, 1, 0], [0, 0, 1, 0, 0, 0]], bool
    ),
    "an empty row": np.arange(TIME) < np.array([0, 4, 6, 0])[:, None],
}
keras_gru_before = functools.partial(keras.layers.GRU, reset_after=False)
PAIRS = {
    "vanilla": (VanillaRNN, keras.layers.SimpleRNN),
    "gru": (GRU, keras.layers.GRU),
    "gru, reset before": (functools.partial(GRU, reset_after=False), keras_gru_before),
    "lstm": (LSTM, keras.layers.LSTM),
}


@pytest.fixture(params=PAIRS)
def pair(request):
    return PAIRS[request.param]


def random_weights(layer):
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=w.shape, scale=0.6) for w in layer.get_weights()])
    return layer


def ours(cls, direction="forward", **arguments):
    layer = cls(UNITS, direction, **arguments)
    layer.build((BATCH, TIME, FEATURES))
    return random_weights(layer)


def peer(cls, direction):
    sequences = {"return_sequences": True, "return_state": True}
    layer = cls(UNITS, go_backwards=direction == "backward", **sequences)
    if direction == "both":
        layer = keras.layers.Bidirectional(layer)
    layer.build((BATCH, TIME, FEATURES))
    return layer


def peer_call(layer, direction):
    """Keras' layer, with outputs in the order of the inputs and states in a list."""

    def call(inputs, mask, state):
        outputs, *states = layer(inputs, mask=mask, initial_state=state)
        return ops.flip(outputs, axis=1) if direction == "backward" else outputs, states

    return call


def our_call(layer):
    return lambda inputs, mask, state: layer(inputs, mask=mask, initial_state=state)


def initial_state(layer):
    random = np.random.default_rng(3)
    number = layer.states * len(layer.reversals)
    return [random.normal(size=(BATCH, UNITS)).astype("float32") for _ in range(number)]


def values_and_gradients(layer, call):
    """A function of mask and initial state that gives outputs at tokens, final states, and the
    gradients of a sum of both for inputs, initial state and weights, as a list of arrays.
    """
    weights = layer.trainable_weights
    count = len(weights)

    def results(tensors, mask):
        inputs, *state = tensors[: len(tensors) - count]
        mapping = list(zip(weights, tensors[-count:], strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            outputs, final = call(inputs, mask, state)
        if mask is not None:
            outputs = ops.where(ops.cast(mask, "bool")[..., None], outputs, 0.0)
        return [outputs, *final]

    def loss(flat, shapes, mask):
        random = np.random.default_rng(4)
        found = results(unflat(flat, shapes), mask)
        return sum(ops.sum(x * random.normal(size=x.shape).astype("float32")) for x in found)

    def both(tensors, mask):
        shapes = [tuple(x.shape) for x in tensors]
        flat = ops.concatenate([ops.reshape(x, (-1,)) for x in tensors])
        gradient = gradients.gradient(functools.partial(loss, shapes=shapes, mask=mask))(flat)
        return [*results(tensors, mask), *unflat(gradient, shapes)]

    fast = compiled_on_jax(both)
    return lambda mask, state: [
        numpy(x) for x in fast([INPUTS, *state, *map(numpy, layer.get_weights())], mask)
    ]


def unflat(flat, shapes):
    sizes = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]
    pieces = ops.split(flat, [int(size) for size in sizes])
    return [ops.reshape(x, shape) for x, shape in zip(pieces, shapes, strict=True)]


def compiled_on_jax(function):
    """A loop is slow in eager JAX, and slow to compile on TensorFlow."""
    return gradients.compiled(function) if JAX else function


def assert_all_close(actual, expected, **tolerance):
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 1e-5, "atol": 1e-5, **tolerance})


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("direction", ["backward", "both"])
def test_values_and_gradients_are_those_of_keras(pair, direction):
    layer, other = ours(pair[0], direction), peer(pair[1], direction)
    other.set_weights(layer.get_weights())
    state = initial_state(layer)
    actual = values_and_gradients(layer, our_call(layer))
    expected = values_and_gradients(other, peer_call(other, direction))
    for mask in MASKS.values():
        assert_all_close(actual(mask, state), expected(mask, state))


def test_weights_go_into_the_layer_of_keras_and_come_from_it(pair):
    for direction in ("forward", "both"):
        layer, other = ours(pair[0], direction), random_weights(peer(pair[1], direction))
        shapes = [weight.shape for weight in other.get_weights()]
        assert [weight.shape for weight in layer.get_weights()] == shapes
        layer.set_weights(other.get_weights())
        other.set_weights(layer.get_weights())
        expected = compiled_on_jax(peer_call(other, direction))(INPUTS, None, None)
        actual = compiled_on_jax(our_call(layer))(INPUTS, None, None)
        assert_all_close(*(map(numpy, tree.flatten(x)) for x in (actual, expected)))


def test_starts_from_the_weights_that_keras_starts_from(pair):
    keras.utils.set_random_seed(0)
    layer = pair[0](100, "both")
    layer.build((None, None, 50))
    other = keras.layers.Bidirectional(pair[1](100))
    other.build((None, None, 50))
    for a, b in zip(layer.get_weights(), other.get_weights(), strict=True):
        if a.ndim == 1 or len(a) == 2:  # biases
            np.testing.assert_array_equal(a, b)
        else:
            assert a.std() == pytest.approx(b.std(), rel=0.05)
    recurrent = layer.get_weights()[1]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(100), atol=1e-4)


def outputs_of(layer, inputs, **arguments):
    call = compiled_on_jax(lambda inputs: layer(inputs, **arguments)[0])
    return numpy(call(inputs))


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_dropout_masks_are_the_same_at_every_step(direction):
    keras.utils.set_random_seed(0)
    layer = VanillaRNN(50, direction, dropout=0.5)
    layer.build((2, None, 20))
    kernel, recurrent, bias = layer.get_weights()[:3]
    layer.set_weights([kernel, np.zeros_like(recurrent), bias] * len(layer.reversals))
    constant = np.broadcast_to(RANDOM.normal(size=(2, 1, 20)), (2, TIME, 20)).astype("float32")
    outputs = outputs_of(layer, constant, training=True)
    np.testing.assert_allclose(outputs, outputs[:, :1].repeat(TIME, 1), rtol=1e-5)
    expected = np.tanh(constant @ kernel + bias)
    assert not np.allclose(outputs[..., :50], expected, atol=0.1)
    np.testing.assert_allclose(
        outputs_of(layer, constant)[..., :50], expected, rtol=1e-4, atol=1e-6
    )


def test_recurrent_dropout_masks_the_state_alike_at_every_step_and_scales_the_rest():
    keras.utils.set_random_seed(0)
    layer = VanillaRNN(1, recurrent_dropout=0.25)
    layer.build((400, None, 1))
    layer.set_weights([np.zeros((1, 1)), np.full((1, 1), 0.3), np.zeros(1)])
    state = [np.full((400, 1), 0.5, "float32")]
    inputs = np.zeros((400, 2, 1), "float32")
    outputs = outputs_of(layer, inputs, initial_state=state, training=True)[..., 0]
    kept = outputs[:, 0] != 0
    assert kept.mean() == pytest.approx(0.75, abs=0.07)
    first = np.tanh(0.3 / 0.75 * 0.5)
    np.testing.assert_allclose(outputs[kept, 0], first, rtol=1e-5)
    np.testing.assert_allclose(outputs[kept, 1], np.tanh(0.3 / 0.75 * first), rtol=1e-5)
    assert not outputs[~kept].any()


def test_learned_start_is_a_weight_that_begins_at_zero_and_is_where_every_row_starts(pair):
    layer, zeros = pair[0](UNITS, "both", start="learned"), pair[0](UNITS, "both")
    for each in (layer, zeros):
        each.build((None, None, FEATURES))
    plain = len(zeros.get_weights())
    assert len(layer.trainable_weights) - plain == 2 * layer.states
    assert not np.concatenate(layer.get_weights()[plain:]).any()
    random_weights(layer)
    zeros.set_weights(layer.get_weights()[:plain])
    rows = [np.tile(weight, (BATCH, 1)) for weight in layer.get_weights()[plain:]]
    expected = outputs_of(zeros, INPUTS, initial_state=rows)
    np.testing.assert_allclose(outputs_of(layer, INPUTS), expected, rtol=1e-5, atol=1e-6)


def test_a_given_state_comes_before_a_learned_one():
    layer = ours(LSTM, start="learned")
    state = initial_state(layer)
    zeros = ours(LSTM)
    zeros.set_weights(layer.get_weights()[:3])
    expected = outputs_of(zeros, INPUTS, initial_state=state)
    actual = outputs_of(layer, INPUTS, initial_state=state)
    np.testing.assert_array_equal(actual, expected)


def carried_model(**arguments):
    """A model whose states go on from batch to batch, and its recurrent layer."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(batch_shape=(BATCH, 2, FEATURES))
    layer = LSTM(UNITS, start="carried", **arguments)
    model = keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)[0]))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model, layer


def test_a_carried_state_goes_on_from_batch_to_batch_until_it_is_reset():
    model, layer = carried_model()
    chunks = [INPUTS[:, at : at + 2] for at in range(0, TIME, 2)]
    whole = LSTM(UNITS)
    whole.build(INPUTS.shape)
    whole.set_weights(layer.get_weights()[:3])
    dense = model.layers[-1].get_weights()
    expected = np.split(outputs_of(whole, INPUTS) @ dense[0] + dense[1], 3, axis=1)
    for _ in range(2):
        for chunk, wanted in zip(chunks, expected, strict=True):
            actual = model.predict(chunk, batch_size=BATCH, verbose=0)
            np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-5)
        assert np.abs(layer.get_weights()[-1]).max() > 0
        layer.reset_state()
        assert not np.concatenate(layer.get_weights()[3:]).any()


def test_a_call_that_gives_a_state_leaves_the_carried_one_alone():
    layer = LSTM(UNITS, start="carried")
    layer.build((BATCH, TIME, FEATURES))
    call = compiled_on_jax(lambda inputs, state: layer(inputs, initial_state=state)[1])
    given = [np.ones((BATCH, UNITS), "float32")] * 2
    assert np.abs(numpy(call(INPUTS, given)[0])).max() > 0
    assert not np.concatenate(layer.get_weights()[3:]).any()


def test_training_carries_the_state_as_well():
    model, layer = carried_model()
    chunks = np.concatenate([INPUTS[:, :2], INPUTS[:, 2:4]])
    targets = np.zeros((2 * BATCH, 2, 2), "float32")
    model.fit(chunks, targets, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    whole = LSTM(UNITS)
    whole.build(INPUTS.shape)
    whole.set_weights(layer.get_weights()[:3])
    call = compiled_on_jax(lambda inputs: whole(inputs)[1])
    for actual, expected in zip(layer.get_weights()[3:], call(INPUTS[:, :4]), strict=True):
        np.testing.assert_allclose(actual, numpy(expected), rtol=1e-4, atol=1e-6)


def test_a_state_keeps_float32_inside_while_all_that_leaves_is_bfloat16():
    layer = GRU(1, dtype="mixed_bfloat16")
    layer.build((1, None, 1))
    # An update gate of about 0.999 adds steps that bfloat16, whose next number after 0.5 is
    # 0.504, would all round away.
    kernel, bias = np.array([[0.0, 0.0, 10.0]]), np.array([[7.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    layer.set_weights([kernel, np.zeros((1, 3)), bias])
    steps = 200
    call = gradients.compiled(lambda inputs: layer(inputs, initial_state=[0.5 * inputs[:, 0]]))
    outputs, [state] = call(np.ones((1, steps, 1), "float32"))
    assert {keras.backend.standardize_dtype(x.dtype) for x in (outputs, state)} == {"bfloat16"}
    share = (1 / (1 + np.exp(-7.0))) ** steps
    expected = share * 0.5 + (1 - share)
    assert float(numpy(ops.cast(state, "float32"))[0, 0]) == pytest.approx(expected, abs=0.004)


REFUSALS = {
    "`units` must be at least 1. Received: units=0": {"units": 0},
    "`direction` must be one of .* Received: direction='up'": {"direction": "up"},
    "`dropout` must be in .0, 1.. Received: dropout=1": {"dropout": 1},
    "`recurrent_dropout` must be in .0, 1.. Received: recurrent_dropout=-1": {
        "recurrent_dropout": -1
    },
    "`start` must be one of .* Received: start='ones'": {"start": "ones"},
    "`start` must not be 'carried' where .* Received: start='carried'": {
        "start": "carried",
        "direction": "both",
    },
}


@pytest.mark.parametrize("message", REFUSALS)
def test_refuses_an_argument(message):
    with pytest.raises(ValueError, match=message):
        LSTM(**{"units": 2, **REFUSALS[message]})


def test_refuses_inputs_without_an_axis_of_time():
    with pytest.raises(ValueError, match="`inputs` must have shape .* inputs.shape=\\(2, 3\\)"):
        LSTM(2).build((2, 3))


def test_refuses_to_carry_the_state_of_a_batch_of_any_size():
    with pytest.raises(ValueError, match="`inputs` must have a fixed batch size with start='car"):
        LSTM(2, start="carried").build((None, None, 3))


def test_refuses_a_state_of_another_kind_of_layer():
    with pytest.raises(ValueError, match="`initial_state` must hold 2 tensors .* 1 tensor"):
        ours(LSTM)(INPUTS, initial_state=[INPUTS[:, 0]])
