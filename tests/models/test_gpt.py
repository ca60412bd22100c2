"""GPT: step by step, what it sees, with beams, trained, as published."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.decoding import beam_search, greedy
from seqnlp.losses import SequenceCrossEntropy
from seqnlp.models import GPT, GPT1, GPT2_SMALL

VOCABULARY, TIME = 7, 6
SIZES = {"units": 8, "num_layers": 2, "num_heads": 2, "feed_forward_units": 12, "max_length": 9}
RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(1, VOCABULARY, (3, TIME)).astype("int32")
END, START = 2, 1


def make(**arguments):
    keras.utils.set_random_seed(1)
    model = GPT(VOCABULARY, **{**SIZES, **arguments})
    model.build({"token_ids": IDS.shape})
    for weight in model.trainable_variables:  # small ones make all logits alike
        weight.assign(weight + 0.3 * RANDOM.normal(size=weight.shape))
    return model


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_step_by_step_it_answers_as_at_once(norm):
    model = make(norm=norm)
    logits, step = numpy(model({"token_ids": IDS})), gradients.compiled(model.step)
    state = model.initial_state(3, TIME)
    for at in range(TIME):
        found, state = step(IDS[:, at], state)
        np.testing.assert_allclose(numpy(found), logits[:, at], rtol=1e-4, atol=1e-5)


def test_a_token_sees_none_behind_it():
    model, changed = make(), IDS.copy()
    changed[:, 3:] = 1 + changed[:, 3:] % (VOCABULARY - 1)
    before, after = numpy(model({"token_ids": IDS})), numpy(model({"token_ids": changed}))
    np.testing.assert_allclose(after[:, :3], before[:, :3], rtol=1e-5, atol=1e-6)
    assert not np.allclose(after[:, 3:], before[:, 3:], atol=1e-3)


def test_padding_changes_nothing():
    model = make()
    padded = np.pad(IDS, ((0, 0), (0, 2)))
    found = numpy(model({"token_ids": padded}))[:, :TIME]
    np.testing.assert_allclose(found, numpy(model({"token_ids": IDS})), rtol=1e-5, atol=1e-6)


def log_probability(model, tokens):
    logits = numpy(model({"token_ids": np.array([[START, *tokens[:-1]]], "int32")}))[0].astype(
        "float64"
    )
    scores = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return scores[np.arange(len(tokens)), list(tokens)].sum()


def test_wide_beams_find_the_best_text_of_all():
    model, most = make(), 3
    texts = [
        text
        for length in range(1, most + 1)
        for text in itertools.product(range(VOCABULARY), repeat=length)
        if END not in text[:-1] and (text[-1] == END or length == most)
    ]
    scores = [log_probability(model, text) for text in texts]
    expected = texts[int(np.argmax(scores))]
    state, start = model.initial_state(1, most), np.array([START], "int32")
    found = beam_search(model.step, state, start, END, most, beam_width=64, length_penalty=0.0)
    length = int(numpy(found.lengths)[0, 0])
    tokens = numpy(found.token_ids)[0, 0][: length + 1].tolist()
    assert tokens[: len(expected)] == list(expected)[: len(tokens)]
    np.testing.assert_allclose(numpy(found.scores)[0, 0], max(scores), rtol=1e-4)


def test_it_learns_a_text_by_heart():
    model = make(dropout=0.0, attention_dropout=0.0)
    text = np.array([[START, 3, 4, 5, 6, END]], "int32")
    model.compile(keras.optimizers.Adam(0.02), SequenceCrossEntropy(), jit_compile=True)
    model.fit({"token_ids": text[:, :-1]}, text[:, 1:], epochs=60, verbose=0)
    found = greedy(model.step, model.initial_state(1, 5), text[:, 0], END, 5)
    assert numpy(found.token_ids)[0].tolist()[:4] == text[0, 1:5].tolist()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "vocabulary_size",
            0,
            "`vocabulary_size` must be at least 1. Received: vocabulary_size=0",
        ),
        ("units", 0, "`units` must be at least 1. Received: units=0"),
    ],
)
def test_sizes_out_of_range_are_refused(name, value, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        GPT(**{"vocabulary_size": VOCABULARY, **SIZES, name: value})


@pytest.mark.parametrize("length", [0, 10])
def test_more_steps_than_positions_are_refused(length):
    message = f"`max_length` must be from 1 to 9, the number of positions. Received: .*={length}$"
    with pytest.raises(ValueError, match=message):
        make().initial_state(1, length)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "vocabulary", "weights"),
    [(GPT1, 40478, 116_534_784), (GPT2_SMALL, 50257, 124_439_808)],
)
def test_published_sizes_have_their_weights(sizes, vocabulary, weights):
    model = GPT(vocabulary, **sizes)
    model.build({"token_ids": (None, None)})
    assert model.count_params() == weights
