"""The papers' recurrent models: steps against the whole, padding, and what they learn."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import RNNDecoder, RNNEncoder
from seqnlp.layers.bahdanau_attention import BahdanauAttention
from seqnlp.layers.final_state import FinalState
from seqnlp.layers.luong_attention import LuongAttention
from seqnlp.losses import SequenceCrossEntropy
from seqnlp.models import RNNSeq2Seq

SOURCE_SIZE, TARGET_SIZE, START, END = 11, 9, 2, 3
RANDOM = np.random.default_rng(0)
SOURCE = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0], [10, 3, 0, 0, 0]], dtype="int32")
TARGET = np.array([[2, 4, 5, 6], [2, 7, 8, 0], [2, 5, 0, 0]], dtype="int32")


def sutskever(**kwargs):
    encoder = RNNEncoder(6, "lstm", 2, bidirectional=False)
    decoder = RNNDecoder(6, "lstm", 2)
    return model(encoder, decoder, bridge="state", reverse_source=True, **kwargs)


def cho(**kwargs):
    encoder = RNNEncoder(6, "gru", bidirectional=False)
    decoder = RNNDecoder(7, "gru", attention=FinalState())
    return model(encoder, decoder, bridge="tanh", **kwargs)


def choo(**kwargs):
    return model(RNNEncoder(3, "vanilla"), RNNDecoder(6, "vanilla"), bridge="state", **kwargs)


def bahdanau(**kwargs):
    decoder = RNNDecoder(6, "gru", attention=BahdanauAttention(5))
    return model(RNNEncoder(4, "gru"), decoder, bridge="backward", **kwargs)


def luong(**kwargs):
    feeding = {"attend": "after", "input_feeding": True}
    decoder = RNNDecoder(6, "lstm", attention=LuongAttention("general"), **feeding)
    return model(RNNEncoder(6, "lstm", bidirectional=False), decoder, bridge="state", **kwargs)


def addons(readout="linear", readout_units=7, **kwargs):
    feeding = {"attend": "after", "input_feeding": True, "readout": readout}
    feeding["readout_units"] = readout_units
    decoder = RNNDecoder(6, "gru", attention=BahdanauAttention(5), **feeding)
    return model(RNNEncoder(4, "gru"), decoder, **kwargs)


def model(encoder, decoder, sizes=(SOURCE_SIZE, TARGET_SIZE), **kwargs):
    keras.utils.set_random_seed(0)
    made = RNNSeq2Seq(*sizes, encoder, decoder, **{"embedding_units": 5, **kwargs})
    made.build({"source_ids": (None, None), "target_ids": (None, None)})
    return made


PAPERS = {make.__name__: make for make in (sutskever, cho, choo, bahdanau, luong, addons)}
ATTEND = {name: PAPERS[name] for name in ("cho", "bahdanau", "luong")}


def logits_of(model, source=SOURCE, target=TARGET):
    def call(inputs):
        with keras.StatelessScope():
            return model(inputs, training=False)

    inputs = {"source_ids": source, "target_ids": target}
    return ops.convert_to_numpy(gradients.compiled(call)(inputs))


@pytest.mark.parametrize("paper", [*PAPERS, "context"])
def test_steps_one_by_one_give_what_all_at_once_gives(paper):
    """What writes the context is as wide as the memory's values."""
    written = {"readout": "context", "readout_units": None, "tied": "target"}
    model = addons(**written) if paper == "context" else PAPERS[paper]()
    expected = logits_of(model)
    assert expected.shape == (3, 4, TARGET_SIZE)
    state = model.initial_state(ops.convert_to_tensor(SOURCE), 4)
    for at in range(TARGET.shape[1]):
        logits, state = model.step(ops.convert_to_tensor(TARGET[:, at]), state)
        real = TARGET[:, at] != 0
        np.testing.assert_allclose(
            ops.convert_to_numpy(logits)[real], expected[real, at], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("paper", PAPERS)
def test_padding_on_either_side_and_a_row_of_padding_change_nothing(paper):
    model = PAPERS[paper]()
    source = np.zeros((4, 8), dtype="int32")
    source[:3, 2:7] = SOURCE
    padded = logits_of(model, source, np.pad(TARGET, [[0, 1], [0, 0]]))
    np.testing.assert_allclose(padded[:3], logits_of(model), rtol=1e-4, atol=1e-5)
    assert np.isfinite(padded).all()


@pytest.mark.parametrize("paper", ATTEND)
def test_attention_is_what_steps_align_with(paper):
    model = ATTEND[paper]()
    weights = model.attention({"source_ids": SOURCE, "target_ids": TARGET})
    state = model.initial_state(ops.convert_to_tensor(SOURCE))
    for at in range(TARGET.shape[1]):
        _, state = model.step(ops.convert_to_tensor(TARGET[:, at]), state)
        np.testing.assert_allclose(
            ops.convert_to_numpy(state["alignment"]),
            ops.convert_to_numpy(weights)[:, at],
            rtol=1e-4,
            atol=1e-5,
        )


def test_sutskever_reads_the_source_from_its_end():
    reversed_once = sutskever()
    plain = RNNSeq2Seq.from_config({**reversed_once.get_config(), "reverse_source": False})
    plain.build({"source_ids": (None, None), "target_ids": (None, None)})
    plain.set_weights(reversed_once.get_weights())
    np.testing.assert_allclose(
        logits_of(reversed_once), logits_of(plain, SOURCE[:, ::-1]), rtol=1e-5, atol=1e-6
    )


def test_the_backward_bridge_reads_the_first_token_last():
    """The backward state after a one-token source does not depend on the forward direction."""
    model = bahdanau()
    forward = [w for w in model.encoder.weights if "backward" not in w.path]
    before, _, _ = model.encode(SOURCE)
    for weight in forward:
        weight.assign(ops.zeros(weight.shape))
    after, values, _ = model.encode(SOURCE)
    np.testing.assert_allclose(*(ops.convert_to_numpy(s[0][0]) for s in (before, after)))
    assert not ops.convert_to_numpy(values)[..., :4].any()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("bridge", ["state", "tanh", "backward"])
def test_bridges_make_the_state_that_their_formulas_say(cell, bridge):
    units = 8 if bridge == "state" else 6
    made = model(RNNEncoder(4, cell, 2), RNNDecoder(units, cell, 2), bridge=bridge)
    made.set_weights([RANDOM.normal(size=w.shape, scale=0.5) for w in made.weights])
    vectors = made.source_embedding(SOURCE)
    _, final = made.encoder(vectors, mask=ops.convert_to_tensor(SOURCE != 0))
    final = [[ops.convert_to_numpy(x) for x in layer] for layer in final]
    half = len(final[0]) // 2  # hidden, and of an LSTM the cell, of each direction
    if bridge == "state":
        sides = [zip(layer[:half], layer[half:], strict=True) for layer in final]
        expected = [np.concatenate(pair, axis=1) for side in sides for pair in side]
    else:
        forward, backward = final[1][0], final[1][half]
        read = np.concatenate([forward, backward], axis=1) if bridge == "tanh" else backward
        weights = [layer.get_weights() for layer in made.bridges]
        expected = [np.tanh(read @ kernel + bias) for kernel, bias in weights]
    state, _, _ = made.encode(SOURCE)
    actual = [ops.convert_to_numpy(x) for layer in state for x in layer]
    assert [len(layer) for layer in state] == [half, half]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_tied_tables_are_one_and_score_the_next_token():
    sizes = (TARGET_SIZE, TARGET_SIZE)
    decoder = RNNDecoder(6, "gru")
    tied = model(RNNEncoder(6, "gru", bidirectional=False), decoder, sizes, tied="all")
    tables = [w for w in tied.weights if w.shape[0] == TARGET_SIZE and len(w.shape) == 2]
    assert len(tables) == 1
    outputs = np.eye(6, dtype="float32")
    expected = outputs @ tied.to_embedding.get_weights()[0] @ ops.convert_to_numpy(tables[0]).T
    actual = ops.convert_to_numpy(tied._logits(ops.convert_to_tensor(outputs)))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)


def test_scheduled_sampling_reads_the_truth_where_its_probability_is_nearly_zero():
    rare, never = bahdanau(scheduled_sampling=1e-9), bahdanau()
    inputs = {"source_ids": SOURCE, "target_ids": TARGET}
    actual = ops.convert_to_numpy(rare(inputs, training=True))
    real = TARGET != 0
    np.testing.assert_allclose(actual[real], logits_of(never)[real], rtol=1e-4, atol=1e-5)


def test_scheduled_sampling_reads_its_own_tokens_where_it_always_samples():
    """A model that is certain of one token goes on from it, whatever the true one is."""
    always = bahdanau(scheduled_sampling=0.999999)
    always.output_bias.assign(100.0 * np.eye(TARGET_SIZE)[6])
    target = np.full((3, 4), 6, dtype="int32")
    target[:, 0] = START
    inputs = {"source_ids": SOURCE, "target_ids": TARGET}
    actual, real = ops.convert_to_numpy(always(inputs, training=True)), TARGET != 0
    expected = logits_of(always, target=target)
    np.testing.assert_allclose(actual[real], expected[real], rtol=1e-4, atol=1e-4)


def in_training(model, source=SOURCE, target=TARGET):
    inputs = {"source_ids": source, "target_ids": target}
    return ops.convert_to_numpy(model(inputs, training=True))


def attending(alignment="softmax", noise=0.0, dropout=0.0, **kwargs):
    attention = BahdanauAttention(5, alignment=alignment, sigmoid_noise=noise)
    decoder = RNNDecoder(6, "gru", attention=attention, dropout=dropout)
    return model(RNNEncoder(4, "gru"), decoder, **kwargs)


@pytest.mark.parametrize(
    "arguments",
    [{"dropout": 0.5}, {"alignment": "monotonic", "noise": 3.0}],
    ids=["dropout", "sigmoid_noise"],
)
def test_scheduled_sampling_draws_what_training_without_it_draws(arguments):
    """The decoder's own random numbers, of one seed, give the same logits either way."""
    found = []
    for probability in (0.0, 1e-9):
        made = attending(scheduled_sampling=probability, **arguments)
        layers = made.decoder, made.decoder.attention
        for layer in layers:
            if layer.seed_generator is not None:
                layer.seed_generator.state.assign([3, 0])
        found.append(in_training(made))
    real = TARGET != 0
    np.testing.assert_allclose(found[0][real], found[1][real], rtol=1e-4, atol=1e-5)
    assert np.abs(found[1] - logits_of(made))[real].max() > 1e-3


def test_scheduled_sampling_trains_hard_monotonic_attention_as_a_soft_one():
    found = []
    for alignment in ("monotonic", "monotonic-hard"):
        made = attending(alignment, scheduled_sampling=1e-9)
        weights = made.trainable_variables

        def loss(values, made=made, weights=weights):
            with keras.StatelessScope(state_mapping=list(zip(weights, values, strict=True))):
                logits = made({"source_ids": SOURCE, "target_ids": TARGET}, training=True)
            return ops.sum(ops.where((TARGET != 0)[..., None], logits, 0.0) ** 2)

        gradient = gradients.compiled(gradients.gradient(loss))
        slopes = gradient([ops.convert_to_tensor(weight) for weight in weights])
        found.append([ops.convert_to_numpy(slope) for slope in slopes])
    for weight, soft, hard in zip(weights, *found, strict=True):
        np.testing.assert_allclose(hard, soft, rtol=1e-4, atol=1e-5, err_msg=weight.path)
        assert "attention" not in weight.path or hard.any(), weight.path


@pytest.mark.parametrize("probability", [1e-9, 0.999999])
def test_scheduled_sampling_passes_over_padding_of_the_target(probability):
    """On the left and between tokens; a sample is the same where the model is sure of it."""
    made = attending(scheduled_sampling=probability)
    made.output_bias.assign(100.0 * np.eye(TARGET_SIZE)[6])
    places = [1, 2, 4, 5]
    padded = np.zeros((3, 7), dtype="int32")
    padded[:, places] = TARGET
    expected, actual = in_training(made), in_training(made, target=padded)[:, places]
    real = TARGET != 0
    np.testing.assert_allclose(actual[real], expected[real], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("paper", PAPERS)
def test_fit_learns_and_a_keras_file_keeps_the_model(paper, tmp_path):
    model = PAPERS[paper](dropout=0.1)
    labels = np.concatenate([TARGET[:, 1:], np.full((3, 1), END)], axis=1) * (TARGET != 0)
    model.compile(keras.optimizers.Adam(0.05), SequenceCrossEntropy(0.1))
    inputs = {"source_ids": SOURCE, "target_ids": TARGET}
    losses = model.fit(inputs, labels, epochs=15, batch_size=3, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(logits_of(loaded), logits_of(model), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dropout": 1.0}, "`dropout` must be in [0, 1). Received: dropout=1.0"),
        ({"bridge": "x"}, "`bridge` must be one of ('state', 'tanh', 'backward'). Received: b"),
        ({"tied": "x"}, "`tied` must be one of ('none', 'target', 'all'). Received: tied='x'"),
        ({"embedding_units": 0}, "`embedding_units` must be at least 1. Received: embedding_un"),
        (
            {"tied": "all"},
            "`tied` must not be 'all' with two vocabularies. Received: tied='all' with "
            "source_vocabulary_size=11, target_vocabulary_size=9",
        ),
        (
            {"bridge": "state"},
            "`bridge` must not be 'state' where the encoder's state, 1 x 8 (gru), does not fit "
            "the decoder, 1 x 6 (gru). Received: bridge='state'",
        ),
        ({"encoder": 1}, "`encoder` must be a seqnlp.layers.RNNEncoder. Received: encoder=1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(change, message):
    config = {"encoder": RNNEncoder(4, "gru"), "decoder": RNNDecoder(6, "gru"), **change}
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNSeq2Seq(SOURCE_SIZE, TARGET_SIZE, **config)


def test_the_final_state_of_a_reversed_source_needs_a_backward_direction():
    """At the last token, one that begins there has read nothing else."""
    with pytest.raises(
        ValueError, match="`reverse_source` must be False where the decoder attend"
    ):
        cho(reverse_source=True)
    decoder = RNNDecoder(6, "gru", attention=FinalState())
    made = model(RNNEncoder(4, "gru"), decoder, reverse_source=True)
    others = np.where(SOURCE == 3, SOURCE, np.where(SOURCE == 0, 0, 4))
    contexts = []
    for source in (SOURCE, others.astype("int32")):
        _, values, mask = made.encode(source)
        query = ops.zeros((3, 1, 6))
        contexts.append(ops.convert_to_numpy(made.decoder.attention(query, values, mask)[0]))
    assert (np.abs(contexts[0] - contexts[1]).max(axis=(1, 2)) > 1e-4).all()


def test_the_backward_bridge_needs_a_backward_direction():
    encoder = RNNEncoder(4, "gru", bidirectional=False)
    with pytest.raises(ValueError, match="`bridge` must not be 'backward' with an encoder of one"):
        RNNSeq2Seq(9, 9, encoder, RNNDecoder(6, "gru"), bridge="backward")


def test_a_model_without_attention_has_none_to_look_at():
    with pytest.raises(ValueError, match="`decoder` must have attention to look at. Received: at"):
        choo().attention({"source_ids": SOURCE, "target_ids": TARGET})
