"""The Transformer from sequence to sequence: step by step, with beams, trained, as published."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops, tree

from seqnlp import gradients
from seqnlp.decoding import beam_search, greedy
from seqnlp.decoding.states import reordered, take_rows
from seqnlp.layers import portable_caches
from seqnlp.models import TRANSFORMER_BASE, TRANSFORMER_BIG, TransformerSeq2Seq

SOURCE_SIZE, TARGET_SIZE, SOURCE, TARGET = 11, 13, 5, 4
RANDOM = np.random.default_rng(0)
LENGTHS = np.array([[5], [3], [1]])
SOURCE_IDS = RANDOM.integers(4, SOURCE_SIZE, (3, SOURCE)) * (np.arange(SOURCE) < LENGTHS)
TARGET_IDS = RANDOM.integers(4, TARGET_SIZE, (3, TARGET))
INPUTS = {"source_ids": SOURCE_IDS.astype("int32"), "target_ids": TARGET_IDS.astype("int32")}
SMALL = {"units": 8, "num_heads": 2, "feed_forward_units": 10, "num_layers": 2, "dropout": 0.0}


def make(source=SOURCE_SIZE, target=TARGET_SIZE, **arguments):
    keras.utils.set_random_seed(0)
    model = TransformerSeq2Seq(source, target, **{**SMALL, **arguments})
    model.build({name: ids.shape for name, ids in INPUTS.items()})
    return model


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"positions": 9, "norm": "post"}, {"positions": None, "num_layers": (1, 3)}],
    ids=str,
)
def test_step_by_step_it_answers_as_at_once(arguments):
    model = make(**arguments)
    logits, attention = numpy(model(INPUTS)), numpy(model.attention(INPUTS))
    state, step = model.initial_state(INPUTS["source_ids"], 6), gradients.compiled(model.step)
    shapes = tree.map_structure(lambda x: (tuple(x.shape), x.dtype), state)
    assert numpy(state["alignment"]).tolist() == np.zeros((3, SOURCE)).tolist()
    for at in range(TARGET):
        found, state = step(INPUTS["target_ids"][:, at], state)
        np.testing.assert_allclose(numpy(found), logits[:, at], rtol=1e-4, atol=1e-5)
        alignment = numpy(state["alignment"])
        np.testing.assert_allclose(alignment, attention[:, at], rtol=1e-4, atol=1e-6)
    assert tree.map_structure(lambda x: (tuple(x.shape), x.dtype), state) == shapes


@pytest.mark.parametrize("portable", [False, True])
def test_beams_are_rows_of_their_own(portable):
    model, beams = make(), 3
    rows = RANDOM.integers(4, TARGET_SIZE, (3 * beams, TARGET)).astype("int32")
    source = np.repeat(INPUTS["source_ids"], beams, axis=0)
    expected = numpy(model({"source_ids": source, "target_ids": rows}))
    state = model.initial_state(INPUTS["source_ids"], TARGET)
    state = take_rows(state, np.repeat(np.arange(3), beams))

    def step(token_ids, state):
        if portable:
            with portable_caches():
                return model.step(token_ids, state)
        return model.step(token_ids, state)

    step = gradients.compiled(step)
    for at in range(TARGET):
        logits, state = step(rows[:, at], state)
        np.testing.assert_allclose(numpy(logits), expected[:, at], rtol=1e-4, atol=1e-5)
    assert state["alignment"].shape == (3 * beams, SOURCE)


@pytest.mark.parametrize("portable", [False, True])
def test_hypotheses_go_on_from_others(portable):
    model, beams, random = make(), 3, np.random.default_rng(4)
    state = take_rows(model.initial_state(INPUTS["source_ids"], 7), np.repeat(np.arange(3), beams))
    source = np.repeat(INPUTS["source_ids"], beams, axis=0)
    written = np.zeros((3 * beams, 0), "int32")

    @gradients.compiled
    def step(token_ids, state):
        with portable_caches() if portable else contextlib.nullcontext():
            return model.step(token_ids, state)

    for _ in range(7):
        tokens = random.integers(4, TARGET_SIZE, 3 * beams).astype("int32")
        written = np.concatenate([written, tokens[:, None]], axis=1)
        logits, state = step(tokens, state)
        expected = numpy(model({"source_ids": source, "target_ids": written}))[:, -1]
        np.testing.assert_allclose(numpy(logits), expected, rtol=1e-4, atol=1e-5)
        parents = random.integers(0, beams, (3, beams)) + beams * np.arange(3)[:, None]
        state, written = reordered(state, parents.ravel()), written[parents.ravel()]


@pytest.mark.parametrize("positions", ["sine", 12, None])
def test_padding_anywhere_changes_nothing(positions):
    model = make(positions=positions)
    places = [1, 2, 4, 5, 7]
    padded = {"source_ids": np.zeros((4, 9), "int32"), "target_ids": np.zeros((4, 9), "int32")}
    padded["source_ids"][:3, places] = INPUTS["source_ids"]
    padded["target_ids"][:3, places[:TARGET]] = INPUTS["target_ids"]
    found = numpy(model(padded))
    assert np.isfinite(found).all()
    expected = numpy(model(INPUTS))
    np.testing.assert_allclose(found[:3, places[:TARGET]], expected, rtol=1e-4, atol=1e-5)
    attention = numpy(model.attention(padded))[:3, places[:TARGET]]
    np.testing.assert_allclose(attention.sum(axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        attention[..., places], numpy(model.attention(INPUTS)), rtol=1e-4, atol=1e-6
    )


def test_decoders_make_what_the_whole_pass_scores_best():
    model, start = make(norm="post"), np.full(3, 2, "int32")

    def decode(source_ids, start_ids):
        state = model.initial_state(source_ids, TARGET)
        one = greedy(model.step, state, start_ids, 3, TARGET)
        several = beam_search(model.step, state, start_ids, 3, TARGET, beam_width=2)
        return one, several

    one, several = gradients.compiled(decode)(INPUTS["source_ids"], start)
    for row, source in enumerate(INPUTS["source_ids"]):
        ids, total = [2], 0.0
        while len(ids) <= TARGET and ids[-1] != 3:
            inputs = {"source_ids": source[None], "target_ids": np.array([ids], "int32")}
            logits = numpy(model(inputs))[0, -1]
            ids.append(int(logits.argmax()))
            total += logits.max() - np.logaddexp.reduce(logits)
        made = ids[1:] + [0] * (TARGET + 1 - len(ids))
        assert numpy(one.token_ids)[row].tolist() == made
        np.testing.assert_allclose(numpy(one.scores)[row], total, rtol=1e-4)
    assert several.alignments.shape == (3, 2, TARGET, SOURCE)
    assert (numpy(several.scores)[:, 0] >= numpy(several.scores)[:, 1]).all()


def test_rows_of_padding_alone_step_to_finite_scores():
    model = make()
    state = model.initial_state(np.zeros((2, 3), "int32"), 2)
    logits, state = model.step(np.zeros(2, "int32"), state)
    assert np.isfinite(numpy(logits)).all()
    assert numpy(state["alignment"]).tolist() == np.zeros((2, 3)).tolist()


def test_every_head_shows_its_weights():
    model = make(num_layers=(1, 2))
    found = {name: numpy(weights) for name, weights in model.attention_weights(INPUTS).items()}
    assert {name: weights.shape for name, weights in found.items()} == {
        "encoder_0": (3, 2, SOURCE, SOURCE),
        "decoder_0_target": (3, 2, TARGET, TARGET),
        "decoder_0_source": (3, 2, TARGET, SOURCE),
        "decoder_1_target": (3, 2, TARGET, TARGET),
        "decoder_1_source": (3, 2, TARGET, SOURCE),
    }
    for name in ("decoder_0_target", "decoder_0_source", "decoder_1_source"):
        np.testing.assert_allclose(found[name].sum(axis=-1), 1, rtol=1e-5)
    assert (np.triu(found["decoder_1_target"], 1) == 0).all()
    assert (found["decoder_0_source"][2, :, :, 1:] == 0).all()  # one source token is real
    attention = numpy(model.attention(INPUTS))
    np.testing.assert_allclose(attention, found["decoder_0_source"].mean(axis=1), rtol=1e-5)


def test_without_positions_the_order_of_the_source_does_not_matter():
    order = [3, 1, 4, 0, 2]
    inputs = {**INPUTS, "source_ids": np.full((3, SOURCE), [4, 5, 6, 7, 8], "int32")}
    shuffled = {**inputs, "source_ids": inputs["source_ids"][:, order]}
    for positions, same in ((None, True), ("sine", False)):
        model = make(positions=positions)
        found, expected = numpy(model(shuffled)), numpy(model(inputs))
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-5) == same


def parameters(vocabulary, units, hidden, layers):
    """Of the paper's model: one table, biases everywhere, norms behind every branch."""
    attention = 4 * (units * units + units)
    feed_forward = units * hidden + hidden + hidden * units + units
    norm = 2 * units
    encoder = attention + feed_forward + 2 * norm
    decoder = 2 * attention + feed_forward + 3 * norm
    return vocabulary * units + layers * (encoder + decoder)


@pytest.mark.parametrize(
    ("sizes", "expected", "published"),
    [
        (TRANSFORMER_BASE, parameters(37000, 512, 2048, 6), 65e6),
        (TRANSFORMER_BIG, parameters(37000, 1024, 4096, 6), 213e6),
    ],
)
def test_the_models_of_the_paper_have_as_many_weights(sizes, expected, published):
    shapes = {"source_ids": (None, None), "target_ids": (None, None)}
    with keras.StatelessScope(initialize_variables=False):  # counts without making them
        model = TransformerSeq2Seq(37000, 37000, share_embeddings=True, **sizes)
        model.build(shapes)
    count = sum(int(np.prod(weight.shape)) for weight in model.weights)
    assert count == expected
    assert abs(count / published - 1) < 0.03


def test_shared_embeddings_are_one_table():
    shared, apart = make(13, 13, share_embeddings=True), make(13, 13)
    assert len(apart.weights) - len(shared.weights) == 1
    assert shared.source_embedding is shared.target_embedding


def test_logits_are_products_with_the_vectors_of_the_target_tokens():
    model = make()
    before = numpy(model(INPUTS))
    table = numpy(model.target_embedding.embeddings).copy()
    table[3] = table[2]  # neither is among the inputs
    model.target_embedding.embeddings.assign(table)
    after = numpy(model(INPUTS))
    np.testing.assert_allclose(after[..., 3], before[..., 2], rtol=1e-6)
    np.testing.assert_allclose(after[..., 4:], before[..., 4:], rtol=1e-6)


def test_embeddings_are_scaled_by_the_root_of_their_width():
    model = make(positions=None)
    expected = numpy(model.source_embedding.embeddings)[SOURCE_IDS] * np.sqrt(8)
    np.testing.assert_allclose(numpy(model._source_vectors(SOURCE_IDS)), expected, rtol=1e-6)


def test_steps_in_mixed_precision_stay_near_and_score_in_float32():
    model, half = make(), make(dtype="mixed_bfloat16")
    half.set_weights(model.get_weights())
    state = half.initial_state(INPUTS["source_ids"], TARGET)
    assert keras.backend.standardize_dtype(state["slots"][0]["keys"].dtype) == "bfloat16"
    for at in range(TARGET):
        logits, state = half.step(INPUTS["target_ids"][:, at], state)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    expected = numpy(model(INPUTS))[:, -1]
    np.testing.assert_allclose(numpy(logits), expected, atol=0.1)


if keras.backend.backend() == "tensorflow":

    def test_batch_and_lengths_need_not_be_known():
        import tensorflow as tf

        model, ids = make(), tf.TensorSpec([None, None], tf.int32)
        call = tf.function(model, input_signature=[{"source_ids": ids, "target_ids": ids}])
        np.testing.assert_allclose(numpy(call(INPUTS)), numpy(model(INPUTS)), atol=1e-5)

        @tf.function(input_signature=[ids, tf.TensorSpec([None], tf.int32)])
        def first(source_ids, start_ids):
            with portable_caches():
                return model.step(start_ids, model.initial_state(source_ids, 7))[0]

        logits = first(INPUTS["source_ids"], INPUTS["target_ids"][:, 0])
        np.testing.assert_allclose(numpy(logits), numpy(model(INPUTS))[:, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` must be at least 1. Received: units=0"),
        ({"source": 0}, "`source_vocabulary_size` must .* source_vocabulary_size=0"),
        ({"target": 0}, "`target_vocabulary_size` must .* target_vocabulary_size=0"),
        ({"num_heads": 3}, "`num_heads` must .* divide `units`=8. Received: num_heads=3"),
        ({"num_layers": 0}, "`num_layers` must be a number, or a pair .* num_layers=0"),
        ({"num_layers": (1, 2, 3)}, r"`num_layers` must .* num_layers=\(1, 2, 3\)"),
        ({"positions": "cosine"}, "`positions` must be 'sine', .* positions='cosine'"),
        ({"positions": 0}, "`positions` must be .* Received: positions=0"),
        ({"norm": "both"}, "`norm` must be one of .* Received: norm='both'"),
        ({"dropout": 1.5}, "`dropout` must be .* Received: dropout=1.5"),
        ({"feed_forward_units": 0}, "`feed_forward_units` .* feed_forward_units=0"),
        ({"share_embeddings": True}, r"\(11 and 13\). Received: share_embeddings=True"),
    ],
)
def test_refuses_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_refuses_lengths_that_it_cannot_make():
    with pytest.raises(ValueError, match="`max_length` must be at least 1. .* max_length=0"):
        make().initial_state(INPUTS["source_ids"], 0)
    message = "`max_length` must be at most 5, the number of learned .* max_length=6"
    with pytest.raises(ValueError, match=message):
        make(positions=5).initial_state(INPUTS["source_ids"], 6)
