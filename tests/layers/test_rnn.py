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
