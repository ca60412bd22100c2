"""Samples against exact probabilities, and their draws against NumPy's."""

import keras
import numpy as np
import pytest
from scipy.stats import chisquare

from seqnlp.decoding import IMPOSSIBLE, sample
from seqnlp.decoding.sample import draw
from tests.decoding.toy import (
    MODES,
    Toy,
    fast,
    length_of,
    log_softmax,
    numpy,
    outputs,
    read,
    refused,
)

NUMBER, END, VOCABULARY, TIME = 5000, 2, 4, 3
OPTIONS = {
    "plain": {},
    "cold": {"temperature": 0.6},
    "hot": {"temperature": 3.0},
    "two best": {"top_k": 2},
    "more than all": {"top_k": 9},
    "nucleus": {"top_p": 0.7},
    "whole nucleus": {"top_p": 1.0},
    "nucleus of the three best, cold": {"temperature": 0.8, "top_k": 3, "top_p": 0.8},
}


def same_sentence(number, seed=0):
    """A toy of `number` equal sentences."""
    toy = Toy(VOCABULARY, batch=1, seed=seed)
    toy.table = np.repeat(toy.table, number, axis=0)
    toy.start_ids = np.zeros(number, dtype="int32")
    return toy


def samples(toy, mode=fast, **options):
    def run(table):
        return sample(toy.step, toy.initial_state(table), toy.start_ids, END, TIME, **options)

    return numpy(mode(run)(toy.table))


def distribution(logits, temperature=1.0, top_k=None, top_p=None):
    """What tokens should be drawn with: probabilities `(vocabulary,)`."""
    probabilities = np.exp(log_softmax(logits / temperature))
    order = np.argsort(-probabilities)[:top_k]
    kept = probabilities[order] / probabilities[order].sum()
    if top_p is not None and top_p < 1:
        number = 1 + np.searchsorted(np.cumsum(kept), top_p)
        order, kept = order[:number], kept[:number] / kept[:number].sum()
    result = np.zeros_like(probabilities)
    result[order] = kept
    return result


@pytest.mark.parametrize("name", OPTIONS)
def test_outputs_come_as_often_as_they_are_probable(name):
    toy, options = same_sentence(NUMBER), OPTIONS[name]
    found = samples(toy, seed=7, **options)
    probable = {}
    for tokens in outputs(VOCABULARY, END, TIME):
        each = [
            distribution(toy.logits(0, tokens[:at]), **options)[token]
            for at, token in enumerate(tokens)
        ]
        probable[tokens] = np.prod(each)
    np.testing.assert_allclose(sum(probable.values()), 1)
    counts = dict.fromkeys(probable, 0)
    for token_ids, length in zip(found.token_ids, found.lengths, strict=True):
        counts[read(token_ids, length, END)] += 1
    assert all(probable[tokens] > 0 for tokens, count in counts.items() if count)
    often = [tokens for tokens, p in probable.items() if NUMBER * p >= 5]
    observed = np.array([counts[tokens] for tokens in often])
    expected = np.array([NUMBER * probable[tokens] for tokens in often])
    rest = NUMBER - observed.sum(), NUMBER - expected.sum()
    if rest[1] > 1:
        observed, expected = np.append(observed, rest[0]), np.append(expected, rest[1])
    assert len(expected) > 3
    assert chisquare(observed, expected * NUMBER / expected.sum(), sum_check=False).pvalue > 0.001


def test_scores_are_the_model_s_own_log_probabilities():
    toy = same_sentence(20)
    found = samples(toy, seed=1, temperature=2.0, top_k=3)
    for token_ids, score, length in zip(*found[:3], strict=True):
        tokens = read(token_ids, length, END)
        assert length == length_of(tokens, END)
        np.testing.assert_allclose(score, toy.score(0, tokens), rtol=1e-4)


@pytest.mark.parametrize("vocabulary", [1, 2, 6, 1009])
@pytest.mark.parametrize(
    "options", [{}, {"top_k": 3}, {"top_p": 0.8}, {"top_k": 50, "top_p": 0.6}]
)
def test_draws_by_the_inverse_of_the_distribution_function(options, vocabulary):
    random = np.random.default_rng(0)
    logits = random.normal(size=(200, vocabulary)).astype("float32")
    uniform = random.uniform(size=200).astype("float32")
    drawn = fast(lambda *arguments: draw(*arguments, **options))(logits, uniform)
    values, found = (numpy_of(x) for x in drawn)
    np.testing.assert_array_equal(values, logits[np.arange(200), found])
    for at in range(200):
        probabilities = distribution(logits[at].astype("float64"), **options)
        by_rank = options.get("top_k", vocabulary) < vocabulary
        order = np.argsort(-probabilities) if by_rank else np.arange(vocabulary)
        place = np.flatnonzero(order == found[at])[0]
        reached = np.cumsum(probabilities[order])
        assert probabilities[found[at]] > 0
        # The sums of the float32 weights may differ by their rounding.
        assert reached[place] - probabilities[found[at]] <= uniform[at] + 1e-5
        assert reached[place] >= uniform[at] - 1e-5


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("uniform", [0.0, 0.5, np.nextafter(1, 0, dtype="float32")])
@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"top_p": 0.99999}])
def test_what_is_forbidden_is_never_drawn(uniform, options):
    logits = np.array([[IMPOSSIBLE, 1, IMPOSSIBLE, 0, IMPOSSIBLE]] * 2, dtype="float32")
    uniforms = np.full(2, uniform, dtype="float32")
    _, found = fast(lambda *arguments: draw(*arguments, **options))(logits, uniforms)
    assert set(numpy_of(found)) <= {1, 3}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_draws_what_a_plain_loop_draws(mode):
    toy, options = Toy(VOCABULARY, batch=20), {"top_k": 3, "temperature": 1.5}
    found = samples(toy, MODES[mode], seed=3, **options)
    # Under XLA a seed gives other numbers on TensorFlow.
    uniforms = MODES[mode](lambda: keras.random.uniform((TIME, 20), seed=3, dtype="float32"))()
    for sentence, each in enumerate(numpy_of(uniforms).T):
        tokens = ()
        for uniform in each:
            probabilities = distribution(toy.logits(sentence, tokens), **options)
            order = np.argsort(-probabilities)  # of the three best, the best come first
            place = np.searchsorted(np.cumsum(probabilities[order]), uniform, side="right")
            tokens = (*tokens, int(order[place]))
            if tokens[-1] == END:
                break
        assert read(found.token_ids[sentence], found.lengths[sentence], END) == tokens


def test_a_seed_gives_the_same_tokens_and_a_generator_new_ones():
    toy = same_sentence(50)

    def token_ids(seed):
        return samples(toy, MODES["eager"], seed=seed).token_ids

    assert (token_ids(3) == token_ids(3)).all()
    assert (token_ids(3) != token_ids(4)).any()
    generator = keras.random.SeedGenerator(3)
    assert (token_ids(generator) != token_ids(generator)).any()


def test_very_low_temperatures_take_the_best():
    toy = same_sentence(5)
    found = samples(toy, seed=1, temperature=1e-4)
    best = max(range(VOCABULARY), key=lambda token: toy.logits(0, ())[token])
    assert set(found.token_ids[:, 0]) == {best}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "`temperature` must be above 0. Received: temperature=0"),
        ({"temperature": -1.0}, "`temperature` must be above 0. Received: temperature=-1.0"),
        ({"top_k": 0}, "`top_k` must be at least 1. Received: top_k=0"),
        ({"top_p": 0.0}, "`top_p` must be above 0 and at most 1. Received: top_p=0.0"),
        ({"top_p": 1.1}, "`top_p` must be above 0 and at most 1. Received: top_p=1.1"),
        ({"max_length": 0}, "`max_length` must be at least 1. Received: max_length=0"),
    ],
)
def test_refuses(options, message):
    toy = same_sentence(1)
    arguments = {"max_length": 2, "seed": 1, **options}
    with refused(message):
        sample(toy.step, toy.initial_state(), toy.start_ids, END, **arguments)
