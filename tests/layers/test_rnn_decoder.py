"""The recurrent decoder against loops in NumPy, step by step and all at once."""

import functools
import re

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import RNNDecoder
from seqnlp.layers.bahdanau_attention import BahdanauAttention
from seqnlp.layers.final_state import FinalState
from seqnlp.layers.luong_attention import LuongAttention

BATCH, TARGET, SOURCE, UNITS, FEATURES, VALUES = 3, 5, 6, 4, 3, 7
RANDOM = np.random.default_rng(0)
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 0], [1, 0, 0, 0, 0, 0]], dtype=bool)


def normal(*shape):
    return RANDOM.normal(size=shape).astype("float32")


INPUTS, VALUE = normal(BATCH, TARGET, FEATURES), normal(BATCH, SOURCE, VALUES)
HIDDEN, CELL = normal(BATCH, UNITS), normal(BATCH, UNITS)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_step(x, hidden, kernel, recurrent, bias):
    of_input = np.split(x @ kernel + bias[0], 3, axis=-1)
    of_state = np.split(hidden @ recurrent + bias[1], 3, axis=-1)
    update, reset = (sigmoid(of_input[at] + of_state[at]) for at in (0, 1))
    return update * hidden + (1 - update) * np.tanh(of_input[2] + reset * of_state[2])


def gru_step_reset_before(x, hidden, kernel, recurrent, bias):
    of_input = np.split(x @ kernel + bias, 3, axis=-1)
    matrices = np.split(recurrent, 3, axis=-1)
    update, reset = (sigmoid(of_input[at] + hidden @ matrices[at]) for at in (0, 1))
    candidate = np.tanh(of_input[2] + (reset * hidden) @ matrices[2])
    return update * hidden + (1 - update) * candidate


def lstm_step(x, hidden, cell, kernel, recurrent, bias):
    enter, forget, candidate, leave = np.split(x @ kernel + hidden @ recurrent + bias, 4, axis=-1)
    cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(candidate)
    return sigmoid(leave) * np.tanh(cell), cell


def softmax(scores, mask):
    scores = np.where(mask, scores, -np.inf)
    found = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)


def made(*args, states=(HIDDEN,), layers=1, **kwargs):
    """A decoder with random weights, and those by name."""
    keras.utils.set_random_seed(0)
    decoder = RNNDecoder(UNITS, *args, num_layers=layers, **kwargs)
    value_shape = None if decoder.attention is None else VALUE.shape
    decoder.build(INPUTS.shape, value_shape=value_shape)
    decoder.set_weights([normal(*w.shape) for w in decoder.weights])
    return decoder, {w.path.split("/", 1)[-1]: ops.convert_to_numpy(w) for w in decoder.weights}


def answer(decoder, states, mask=MASK, compiled=True):
    def call(inputs, states, value, mask):
        with keras.StatelessScope():
            return decoder(inputs, states, value, value_mask=mask)

    function = gradients.compiled(call) if compiled else call
    outputs, weights = function(INPUTS, states, VALUE, mask)
    return ops.convert_to_numpy(outputs), weights is not None and ops.convert_to_numpy(weights)


def test_bahdanau_attends_with_the_state_before_and_reads_out_the_larger_half():
    decoder, weights = made(attention=BahdanauAttention(5))
    kernel, recurrent, bias = (
        weights[f"{name}_0"] for name in ("kernel", "recurrent_kernel", "bias")
    )
    attention = {name.split("/", 1)[-1]: x for name, x in weights.items() if "attention" in name}
    query, keys = attention["query_projection/kernel"], attention["value_projection/kernel"]
    hidden, outputs, found = HIDDEN, [], []
    for at in range(TARGET):
        scores = np.tanh((hidden @ query)[:, None] + VALUE @ keys) @ attention["v"]
        found.append(softmax(scores, MASK))
        context = (found[-1][..., None] * VALUE).sum(axis=1)
        x = INPUTS[:, at]
        hidden = gru_step(np.concatenate([x, context], axis=1), hidden, kernel, recurrent, bias)
        both = np.concatenate([hidden, x, context], axis=1)
        sums = both @ weights["readout_kernel"] + weights["readout_bias"]
        outputs.append(np.maximum(sums[:, :UNITS], sums[:, UNITS:]))
    actual = answer(decoder, [[HIDDEN]])
    np.testing.assert_allclose(actual[0], np.stack(outputs, axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(actual[1], np.stack(found, axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "lstm", "vanilla"])
def test_other_cells_attend_with_the_state_before(cell):
    """The GRU of the paper, whose reset gate acts before the product, among them."""
    attention = BahdanauAttention(5)
    decoder, weights = made(cell, attention=attention, readout="state", reset_after=False)
    own = [weights[f"{name}_0"] for name in ("kernel", "recurrent_kernel", "bias")]
    attention = {name.split("/", 1)[-1]: x for name, x in weights.items() if "attention" in name}
    query, keys = attention["query_projection/kernel"], attention["value_projection/kernel"]
    hidden, memory, outputs = HIDDEN, CELL, []
    for at in range(TARGET):
        scores = np.tanh((hidden @ query)[:, None] + VALUE @ keys) @ attention["v"]
        context = (softmax(scores, MASK)[..., None] * VALUE).sum(axis=1)
        x = np.concatenate([INPUTS[:, at], context], axis=1)
        if cell == "lstm":
            hidden, memory = lstm_step(x, hidden, memory, *own)
        elif cell == "gru":
            hidden = gru_step_reset_before(x, hidden, *own)
        else:
            hidden = np.tanh(x @ own[0] + hidden @ own[1] + own[2])
        outputs.append(hidden)
    actual, _ = answer(decoder, [[HIDDEN, CELL] if cell == "lstm" else [HIDDEN]])
    np.testing.assert_allclose(actual, np.stack(outputs, axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("input_feeding", [False, True])
def test_luong_attends_with_the_state_after_and_feeds_its_output(input_feeding):
    attention = LuongAttention("general")
    decoder, weights = made(attention=attention, attend="after", input_feeding=input_feeding)
    kernel, recurrent, bias = (
        weights[f"{name}_0"] for name in ("kernel", "recurrent_kernel", "bias")
    )
    (general,) = (x for name, x in weights.items() if "attention" in name)
    hidden, output, outputs = HIDDEN, np.zeros_like(HIDDEN), []
    for at in range(TARGET):
        x = INPUTS[:, at]
        x = np.concatenate([x, output], axis=1) if input_feeding else x
        hidden = gru_step(x, hidden, kernel, recurrent, bias)
        scores = np.einsum("bu,bsu->bs", hidden, VALUE @ general)
        context = (softmax(scores, MASK)[..., None] * VALUE).sum(axis=1)
        both = np.concatenate([context, hidden], axis=1)
        output = np.tanh(both @ weights["readout_kernel"] + weights["readout_bias"])
        outputs.append(output)
    actual, _ = answer(decoder, [[HIDDEN]])
    np.testing.assert_allclose(actual, np.stack(outputs, axis=1), rtol=1e-4, atol=1e-5)


def test_what_is_written_and_what_is_fed_may_differ():
    attention = LuongAttention("general")
    decoder, weights = made(
        attention=attention,
        attend="after",
        input_feeding="linear",
        readout="state",
        readout_units=6,
    )
    kernel, recurrent, bias = (
        weights[f"{name}_0"] for name in ("kernel", "recurrent_kernel", "bias")
    )
    (general,) = (x for name, x in weights.items() if "attention" in name)
    hidden, entering, outputs = HIDDEN, np.zeros((BATCH, 6)), []
    for at in range(TARGET):
        x = np.concatenate([INPUTS[:, at], entering], axis=1)
        hidden = gru_step(x, hidden, kernel, recurrent, bias)
        scores = np.einsum("bu,bsu->bs", hidden, VALUE @ general)
        context = (softmax(scores, MASK)[..., None] * VALUE).sum(axis=1)
        entering = np.concatenate([context, hidden], axis=1) @ weights["readout_kernel"]
        outputs.append(hidden)
    actual, _ = answer(decoder, [[HIDDEN]])
    np.testing.assert_allclose(actual, np.stack(outputs, axis=1), rtol=1e-4, atol=1e-5)


def test_the_context_before_the_cell_is_the_one_fed_after_it_but_for_the_first_step():
    """Both have the state before ask; what is fed begins with zeros in place of a context."""
    outputs, from_zeros, weights = [], [], None
    for attend, feeding in (("before", False), ("after", "context")):
        decoder, _ = made(
            attention=BahdanauAttention(5), attend=attend, input_feeding=feeding, readout="state"
        )
        weights = weights or decoder.get_weights()
        decoder.set_weights(weights)
        memory = decoder.attention.memory(VALUE, MASK)
        state = decoder.initial_state([[ops.convert_to_tensor(HIDDEN)]], memory)
        if feeding:
            query = ops.convert_to_tensor(HIDDEN)[:, None]
            state["fed"] = decoder.attention.attend(query, memory)[0][:, 0]
        for at in range(TARGET):
            found, state = decoder.step(INPUTS[:, at], state, memory, at)
        outputs.append(ops.convert_to_numpy(found))
        from_zeros.append(answer(decoder, [[HIDDEN]])[0])
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-4, atol=1e-5)
    assert np.abs(from_zeros[0] - from_zeros[1]).max() > 1e-3


def test_the_final_state_is_the_value_of_the_last_real_token():
    decoder, _ = made(attention=FinalState())
    _, weights = answer(decoder, [[HIDDEN]])
    last = [np.flatnonzero(row)[-1] for row in MASK]
    np.testing.assert_array_equal(weights, np.eye(SOURCE)[last][:, None].repeat(TARGET, axis=1))


@pytest.mark.parametrize("alignment", ["local-m", "local-p", "monotonic", "monotonic-hard"])
def test_the_final_state_has_no_other_alignment(alignment):
    with pytest.raises(
        ValueError, match=f"`alignment` must be 'softmax' .*alignment='{alignment}"
    ):
        FinalState(alignment=alignment)


def before():
    return {"attention": BahdanauAttention(5)}


def fed():
    return {"attention": LuongAttention("general"), "attend": "after", "input_feeding": True}


def after():
    return {"attention": LuongAttention("general"), "attend": "after"}


def local():
    return {"attention": BahdanauAttention(5, alignment="local-m", half_width=1)}


def monotonic():
    return {"attention": BahdanauAttention(5, alignment="monotonic")}


def last():
    return {"attention": FinalState()}


def reset_before():
    return {**before(), "reset_after": False}


def context():
    return {**fed(), "readout": "context"}


def context_fed():
    return {**fed(), "readout": "maxout", "readout_units": 2, "input_feeding": "context"}


def linear():
    return {**fed(), "readout": "linear", "readout_units": 6}


def linear_fed():
    return {**fed(), "readout": "state", "readout_units": 6, "input_feeding": "linear"}


KINDS = {
    "none": dict,
    **{make.__name__: make for make in (before, fed, after, local, monotonic, last)},
    "reset_before": reset_before,
    **{make.__name__: make for make in (context, context_fed, linear, linear_fed)},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("cell", "layers"), [("gru", 1), ("lstm", 2), ("vanilla", 2)])
def test_steps_one_by_one_give_what_all_at_once_gives(kind, cell, layers):
    decoder, _ = made(cell, layers=layers, **KINDS[kind]())
    initial = [[HIDDEN, CELL] if cell == "lstm" else [HIDDEN] for _ in range(layers)]
    initial = [[ops.convert_to_tensor(x) for x in layer] for layer in initial]
    expected, weights = answer(decoder, initial)
    memory = None
    if decoder.attention is not None:
        memory = decoder.attention.memory(VALUE, MASK)
    state = decoder.initial_state(initial, memory)
    for at in range(TARGET):
        output, state = decoder.step(INPUTS[:, at], state, memory, at)
        np.testing.assert_allclose(
            ops.convert_to_numpy(output), expected[:, at], rtol=1e-4, atol=1e-5
        )
        if memory is not None:
            alignment = ops.convert_to_numpy(state["alignment"])
            np.testing.assert_allclose(alignment, weights[:, at], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["before", "fed", "monotonic"])
def test_rows_of_several_beams_share_the_memory_of_their_sentence(kind):
    decoder, _ = made(**KINDS[kind]())
    beams = 3
    states, inputs = normal(BATCH, beams, UNITS), normal(BATCH, beams, FEATURES)
    memory = decoder.attention.memory(VALUE, MASK)

    def after_two_steps(inputs, states):
        state = decoder.initial_state([[ops.convert_to_tensor(states)]], memory)
        if len(states) != BATCH:
            state["alignment"] = ops.repeat(state["alignment"], beams, axis=0)
        for at in range(2):
            outputs, state = decoder.step(ops.convert_to_tensor(inputs), state, memory, at)
        return ops.convert_to_numpy(outputs)

    together = after_two_steps(inputs.reshape(-1, FEATURES), states.reshape(-1, UNITS))
    for beam in range(beams):
        alone = after_two_steps(inputs[:, beam], states[:, beam])
        np.testing.assert_allclose(together[beam::beams], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["before", "fed"])
def test_what_stands_at_padding_of_the_source_changes_nothing(kind):
    decoder, _ = made(**KINDS[kind]())
    expected = answer(decoder, [[HIDDEN]])[0]
    value = np.where(MASK[..., None], VALUE, np.nan)
    memory = decoder.attention.memory(value, MASK)
    state = decoder.initial_state([[ops.convert_to_tensor(HIDDEN)]], memory)
    outputs, _ = decoder.step(INPUTS[:, 0], state, memory)
    np.testing.assert_allclose(ops.convert_to_numpy(outputs), expected[:, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["before", "after"])
def test_keras_hands_over_the_masks_of_embeddings(kind):
    """Padding on the left would move the state if it were read."""
    decoder = RNNDecoder(UNITS, **KINDS[kind]())
    ids = keras.Input((TARGET,), dtype="int32"), keras.Input((SOURCE,), dtype="int32")
    embeddings = [keras.layers.Embedding(9, 3, mask_zero=True) for _ in ids]
    vectors, value = (embed(x) for embed, x in zip(embeddings, ids, strict=True))
    outputs, _ = decoder(vectors, value=value)
    assert getattr(outputs, "_keras_mask", None) is not None
    given = np.array([[0, 0, 5, 0, 4]]), np.array([[0, 3, 4, 0, 5, 0]])
    actual = keras.Model(ids, outputs)(given)
    vectors, value = (
        ops.convert_to_tensor(ops.convert_to_numpy(embed(x)))
        for embed, x in zip(embeddings, given, strict=True)
    )
    memory = {"value": value, "value_mask": ops.convert_to_tensor(given[1] != 0)}
    expected, _ = decoder(vectors, inputs_mask=ops.convert_to_tensor(given[0] != 0), **memory)
    np.testing.assert_allclose(
        ops.convert_to_numpy(actual), ops.convert_to_numpy(expected), rtol=1e-5, atol=1e-6
    )
    unmasked, _ = decoder(vectors, **memory)
    assert np.abs(ops.convert_to_numpy(unmasked - expected)[:, -1]).max() > 1e-3


@pytest.mark.parametrize(
    "kind", ["before", "fed", "after", "none", "context_fed", "linear_fed", "reset_before"]
)
def test_gradients_of_weights_are_those_of_steps_one_by_one(kind):
    decoder, _ = made(**KINDS[kind]())
    weights = decoder.trainable_variables
    factors = normal(BATCH, TARGET, decoder.output_units(VALUES))

    def loss(values, by_steps):
        with keras.StatelessScope(state_mapping=list(zip(weights, values, strict=True))):
            initial = [[ops.convert_to_tensor(HIDDEN)]]
            if not by_steps:
                outputs, _ = decoder(INPUTS, initial, VALUE, value_mask=MASK)
                return ops.sum(outputs * factors)
            memory = None if kind == "none" else decoder.attention.memory(VALUE, MASK)
            state, total = decoder.initial_state(initial, memory), 0.0
            for at in range(TARGET):
                output, state = decoder.step(INPUTS[:, at], state, memory, at)
                total += ops.sum(output * factors[:, at])
            return total

    values = [ops.convert_to_tensor(weight) for weight in weights]
    both = [
        gradients.compiled(gradients.gradient(functools.partial(loss, by_steps=by_steps)))(values)
        for by_steps in (False, True)
    ]
    for weight, a, b in zip(weights, *both, strict=True):
        a, b = ops.convert_to_numpy(a), ops.convert_to_numpy(b)
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4, err_msg=weight.path)
        assert a.any(), weight.path


@pytest.mark.parametrize("kind", ["none", "before", "fed", "after"])
def test_dropout_is_the_same_at_every_step(kind):
    """A call in training is a loop over what the same seed gives to drop, which is drawn once."""
    decoder, weights = made(layers=2, dropout=0.5, **KINDS[kind]())
    layers = [
        [weights[f"{name}_{depth}"] for name in ("kernel", "recurrent_kernel", "bias")]
        for depth in range(2)
    ]
    seed = ops.convert_to_numpy(decoder.seed_generator.state)
    given = decoder(INPUTS, [[HIDDEN], [CELL]], VALUE, value_mask=MASK, training=True)
    decoder.seed_generator.state.assign(seed)
    kept = {name: ops.convert_to_numpy(x) for name, x in decoder.draw_dropped(BATCH).items()}
    assert all(set(factors.ravel()) == {0.0, 2.0} for factors in kept.values())
    memory = None if kind == "none" else decoder.attention.memory(VALUE, MASK)

    def attend(hidden):
        context, _ = decoder.attention.attend(ops.convert_to_tensor(hidden)[:, None], memory)
        return ops.convert_to_numpy(context)[:, 0]

    lower, upper, output, outputs = HIDDEN, CELL, np.zeros_like(HIDDEN), []
    for at in range(TARGET):
        read = INPUTS[:, at] * kept["inputs"]
        context = attend(upper) if kind == "before" else None
        if kind in ("before", "fed"):
            entering = context if kind == "before" else output
            read = np.concatenate([read, entering * kept["entering"]], axis=1)
        lower = gru_step(read, lower, *layers[0]).astype("float32")
        upper = gru_step(lower * kept["hidden_1"], upper, *layers[1]).astype("float32")
        if kind in ("fed", "after"):
            context = attend(upper)
        parts = (upper, context, INPUTS[:, at])
        parts = [x if x is None else ops.convert_to_tensor(x) for x in parts]
        output = ops.convert_to_numpy(decoder._read_out(*parts))
        outputs.append(output)
    expected = np.stack(outputs, axis=1)
    np.testing.assert_allclose(ops.convert_to_numpy(given[0]), expected, rtol=1e-4, atol=1e-5)


def test_dropout_is_drawn_for_each_call_and_off_outside_of_training():
    decoder, _ = made(attention=BahdanauAttention(5), dropout=0.5)
    outputs = [
        ops.convert_to_numpy(
            decoder(INPUTS, [[HIDDEN]], VALUE, value_mask=MASK, training=training)[0]
        )
        for training in (False, False, True, True)
    ]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert np.abs(outputs[2] - outputs[0]).max() > 1e-3
    assert np.abs(outputs[2] - outputs[3]).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` must be at least 1. Received: units=0"),
        ({"num_layers": 0}, "`num_layers` must be at least 1. Received: num_layers=0"),
        (
            {"cell": "rnn"},
            "`cell` must be one of ('vanilla', 'gru', 'lstm'). Received: cell='rnn'",
        ),
        ({"attend": "x"}, "`attend` must be one of ('before', 'after'). Received: attend='x'"),
        (
            {"readout": "x"},
            "`readout` must be one of ('state', 'context', 'linear', 'tanh', 'maxout'). "
            "Received: readout='x'",
        ),
        (
            {"readout": "context"},
            "`readout` must not be 'context' without attention. Received: readout='context'",
        ),
        (
            {"readout_units": 0, "readout": "tanh"},
            "`readout_units` must be at least 1 with one of ('linear', 'tanh', 'maxout'), else "
            "None. Received: readout_units=0 with readout='tanh'",
        ),
        (
            {"readout_units": 3},
            "`readout_units` must be at least 1 with one of ('linear', 'tanh', 'maxout'), else "
            "None. Received: readout_units=3 with readout='state'",
        ),
        ({"dropout": 1.0}, "`dropout` must be in [0, 1). Received: dropout=1.0"),
        (
            {"attention": 5},
            "`attention` must be None or an attention layer such as BahdanauAttention. "
            "Received: attention=5",
        ),
        (
            {"input_feeding": "maxout"},
            "`input_feeding` must be False, True or one of ('context', 'linear', 'tanh'). "
            "Received: input_feeding='maxout'",
        ),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNDecoder(**{"units": 3, **arguments})


@pytest.mark.parametrize(
    "arguments",
    [
        {"input_feeding": True, "readout": "tanh"},
        {"input_feeding": "context", "attend": "before", "attention": BahdanauAttention(5)},
        {**fed(), "readout": "state"},
        {**fed(), "readout": "maxout"},
        {**fed(), "readout": "maxout", "input_feeding": "linear"},
    ],
)
def test_what_cannot_be_fed_is_refused(arguments):
    message = (
        "`input_feeding` must be False unless the decoder attends after the cell, and of what it "
        "writes and what it feeds, ('context', 'linear', 'tanh'), one at most has weights of its "
        f"own. Received: input_feeding={arguments['input_feeding']!r} with attention="
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNDecoder(3, **arguments)


def test_attention_without_a_memory_is_refused():
    decoder = RNNDecoder(3, attention=BahdanauAttention(5))
    with pytest.raises(ValueError, match="`value` must be given to attend to. Received: value=N"):
        decoder.build(INPUTS.shape)
