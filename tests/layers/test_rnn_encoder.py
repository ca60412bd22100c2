"""The recurrent encoder against Keras' layers and a plain NumPy cell."""

import keras
import numpy as np
import pytest
from keras import ops, tree

from seqnlp import gradients
from seqnlp.layers import RNNEncoder

FEATURES, UNITS, TIME = 3, 4, 6
INPUTS = np.random.default_rng(0).normal(size=(3, TIME, FEATURES)).astype("float32")
HOLES = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 1, 1, 0]], dtype=bool)
STATES = {"vanilla": 1, "gru": 1, "lstm": 2}


def encoder(cell="lstm", seed=1, **arguments):
    keras.utils.set_random_seed(seed)
    layer = RNNEncoder(UNITS, cell, **arguments)
    layer.build((None, None, FEATURES))
    return layer


def run(layer, inputs, mask=None, initial_state=None):
    """The layer's answer as arrays; compiled, as a loop is slow in eager JAX."""

    def call(inputs, mask, initial_state):
        return layer(inputs, mask=mask, initial_state=initial_state)

    outputs, state = gradients.compiled(call)(inputs, mask, initial_state)
    return numpy(outputs), [[numpy(tensor) for tensor in tensors] for tensors in state]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("cell", STATES)
def test_equals_the_layer_of_keras_with_the_same_weights(cell):
    layer = encoder(cell)
    keras_class = {
        "vanilla": keras.layers.SimpleRNN,
        "gru": keras.layers.GRU,
        "lstm": keras.layers.LSTM,
    }[cell]
    peer = keras.layers.Bidirectional(keras_class(UNITS, return_sequences=True, return_state=True))
    peer.build((None, None, FEATURES))
    peer.set_weights(layer.get_weights())
    expected, *expected_state = gradients.compiled(peer.__call__)(INPUTS)
    outputs, [state] = run(layer, INPUTS)
    np.testing.assert_allclose(outputs, numpy(expected), rtol=1e-5, atol=1e-6)
    assert len(state) == 2 * STATES[cell]
    for actual, wanted in zip(state, expected_state, strict=True):
        np.testing.assert_allclose(actual, numpy(wanted), rtol=1e-5, atol=1e-6)


def test_vanilla_cell_is_the_recurrence_of_elman_over_real_tokens():
    layer = encoder("vanilla", bidirectional=False)
    kernel, recurrent, bias = layer.get_weights()
    outputs, [[final]] = run(layer, INPUTS, HOLES)
    for row, mask in enumerate(HOLES):
        state = np.zeros(UNITS)
        for at in np.flatnonzero(mask):
            state = np.tanh(INPUTS[row, at] @ kernel + state @ recurrent + bias)
            np.testing.assert_allclose(outputs[row, at], state, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(final[row], state, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", STATES)
def test_holes_and_padding_are_passed_over(cell):
    layer = encoder(cell, num_layers=2)
    outputs, state = run(layer, INPUTS, HOLES)
    for row, mask in enumerate(HOLES):
        alone, alone_state = run(layer, INPUTS[row : row + 1, mask])
        np.testing.assert_allclose(outputs[row, mask], alone[0], rtol=1e-4, atol=1e-5)
        for tensors, wanted in zip(state, alone_state, strict=True):
            for actual, tensor in zip(tensors, wanted, strict=True):
                np.testing.assert_allclose(actual[row], tensor[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", STATES)
def test_final_states_are_the_outputs_at_either_end(cell):
    outputs, state = run(encoder(cell, num_layers=2), INPUTS)
    forward, backward = state[-1][0], state[-1][STATES[cell]]
    np.testing.assert_allclose(forward, outputs[:, -1, :UNITS], rtol=1e-5)
    np.testing.assert_allclose(backward, outputs[:, 0, UNITS:], rtol=1e-5)


@pytest.mark.parametrize("cell", STATES)
def test_initial_state_continues_a_sequence(cell):
    layer = encoder(cell, num_layers=2, bidirectional=False)
    whole, whole_state = run(layer, INPUTS)
    first, state = run(layer, INPUTS[:, :2])
    second, state = run(layer, INPUTS[:, 2:], initial_state=state)
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, rtol=1e-4, atol=1e-6)
    for tensors, wanted in zip(state, whole_state, strict=True):
        np.testing.assert_allclose(tensors, wanted, rtol=1e-4, atol=1e-6)


def test_initial_state_of_zeros_is_no_initial_state():
    layer = encoder("gru")
    outputs, state = run(layer, INPUTS)
    zeros = [[np.zeros_like(tensor) for tensor in tensors] for tensors in state]
    np.testing.assert_array_equal(run(layer, INPUTS, initial_state=zeros)[0], outputs)


def test_residual_adds_the_input_of_every_layer_but_the_first():
    plain, residual = encoder(num_layers=2), encoder(num_layers=2, residual=True)
    residual.set_weights(plain.get_weights())
    first = encoder(num_layers=1)
    first.set_weights(plain.get_weights()[: len(first.get_weights())])
    expected = run(plain, INPUTS)[0] + run(first, INPUTS)[0]
    np.testing.assert_allclose(run(residual, INPUTS)[0], expected, rtol=1e-5, atol=1e-6)


def test_one_direction_is_half_as_wide():
    assert run(encoder(), INPUTS)[0].shape == (3, TIME, 2 * UNITS)
    assert run(encoder(bidirectional=False), INPUTS)[0].shape == (3, TIME, UNITS)


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_dropout_acts_in_training_alone(kind):
    layer = encoder("vanilla", bidirectional=False, **{kind: 0.5})
    trained, [[_]] = layer(INPUTS[:1, :2], training=True)
    expected = run(encoder("vanilla", bidirectional=False), INPUTS[:1, :2])[0]
    np.testing.assert_allclose(run(layer, INPUTS[:1, :2])[0], expected, rtol=1e-5)
    assert not np.allclose(numpy(trained), expected)


def test_keras_hands_over_the_mask_of_an_embedding_and_passes_it_on():
    ids = keras.Input((None,), dtype="int32")
    layer = encoder("gru", num_layers=2)
    outputs, _ = layer(keras.layers.Embedding(9, FEATURES, mask_zero=True)(ids))
    assert outputs._keras_mask is not None
    model = keras.Model(ids, outputs)
    words = np.array([[1, 2, 3], [4, 5, 6]])
    padded = np.pad(words, [(0, 0), (0, 2)])
    call = gradients.compiled(model.__call__)
    np.testing.assert_allclose(numpy(call(padded))[:, :3], numpy(call(words)), rtol=1e-5)


@pytest.mark.parametrize(
    ("cell", "form"), [*((cell, {}) for cell in STATES), ("gru", {"reset_after": False})]
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_both_implementations_agree_with_the_same_weights(cell, form, bidirectional):
    arguments = {"num_layers": 2, "bidirectional": bidirectional, **form}
    layer, other = encoder(cell, **arguments), encoder(cell, implementation="keras", **arguments)
    other.set_weights(layer.get_weights())
    outputs, state = run(layer, INPUTS, HOLES)
    expected, expected_state = run(other, INPUTS, HOLES)
    np.testing.assert_allclose(outputs[HOLES], expected[HOLES], rtol=1e-5, atol=1e-6)
    for actual, wanted in zip(tree.flatten(state), tree.flatten(expected_state), strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-5, atol=1e-6)


def test_a_carried_state_goes_on_in_every_layer_until_it_is_reset():
    arguments = {"num_layers": 2, "bidirectional": False, "start": "carried"}
    keras.utils.set_random_seed(1)
    layer = RNNEncoder(UNITS, "gru", **arguments)
    layer.build((3, None, FEATURES))
    plain = RNNEncoder(UNITS, "gru", num_layers=2, bidirectional=False)
    plain.build((3, None, FEATURES))
    plain.set_weights([numpy(weight) for weight in layer.trainable_weights])
    expected, _ = run(plain, INPUTS)
    call = predict_with(layer)
    for _ in range(2):
        chunks = [call(INPUTS[:, :2]), call(INPUTS[:, 2:])]
        np.testing.assert_allclose(np.concatenate(chunks, 1), expected, rtol=1e-5, atol=1e-6)
        layer.reset_state()


def predict_with(layer):
    """`predict` of a model that is the layer alone: it keeps what the layer assigns."""
    inputs = keras.Input(batch_shape=(3, None, FEATURES))
    model = keras.Model(inputs, layer(inputs)[0])
    model.compile()
    return lambda inputs: model.predict(inputs, batch_size=3, verbose=0)


def test_learned_start_adds_a_weight_a_state():
    layer = encoder(num_layers=2, start="learned")
    assert len(layer.get_weights()) - len(encoder(num_layers=2).get_weights()) == 2 * 2 * 2


def test_refuses_an_unknown_implementation():
    with pytest.raises(ValueError, match="`implementation` must be .* implementation='torch'"):
        RNNEncoder(3, implementation="torch")


def test_refuses_a_start_that_the_layers_of_keras_do_not_know():
    with pytest.raises(ValueError, match="`start` must be 'zeros' with .* start='learned'"):
        RNNEncoder(3, start="learned", implementation="keras")


def test_refuses_an_unknown_cell():
    with pytest.raises(ValueError, match="`cell` must be one of .* Received: cell='tree'"):
        RNNEncoder(3, cell="tree")


@pytest.mark.parametrize("name", ["units", "num_layers"])
def test_refuses_sizes_below_one(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 1. Received: {name}=0"):
        RNNEncoder(**{"units": 3, name: 0})
