"""Constrained decoding and partial annotations, against enumeration of the allowed paths."""

import itertools

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import (
    crf_decode,
    crf_log_likelihood,
    crf_log_norm,
    crf_marginals,
    crf_partial_log_likelihood,
)
from tests.layers.crf_enumeration import (
    ALLOWED_CASES,
    CASES,
    MASK,
    ROWS,
    TAGS,
    TIME,
    Case,
    cases_and_modes,
    compiled,
    numpy,
)

every_allowed_case = pytest.mark.parametrize(("case", "mode"), cases_and_modes(ALLOWED_CASES))
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def log_norm_of_potentials(potentials, mask, transitions, start, end, allowed):
    return ops.sum(crf_log_norm(potentials, mask, transitions, start, end, allowed))


def partial_of_potentials(potentials, allowed, mask, transitions, start, end):
    rest = (allowed, mask, transitions, start, end)
    return ops.sum(crf_partial_log_likelihood(potentials, *rest))


def partial_of_transitions(transitions, potentials, allowed, mask, start, end):
    rest = (allowed, mask, transitions, start, end)
    return ops.sum(crf_partial_log_likelihood(potentials, *rest))


GRADIENTS = {
    function.__name__: gradients.gradient(function)
    for function in (log_norm_of_potentials, partial_of_potentials, partial_of_transitions)
}


def free(case):
    """The same scores with all tags allowed."""
    other = Case()
    other.potentials, other.scores = case.potentials, case.scores
    return other


def transition_counts(case):
    counts = np.zeros((TAGS, TAGS))
    for _, path, probability in case.probable_paths():
        for pair in itertools.pairwise(path):
            counts[pair] += probability
    return counts


@every_allowed_case
def test_log_norm_sums_over_the_allowed_paths(case, mode):
    actual = mode(crf_log_norm)(*case.arguments)
    np.testing.assert_allclose(numpy(actual), case.log_norm(), rtol=1e-5, atol=1e-5)


@every_allowed_case
def test_marginals_and_gradient_are_those_of_the_allowed_paths(case, mode):
    marginals = numpy(mode(crf_marginals)(*case.arguments))
    np.testing.assert_allclose(marginals, case.marginals(), atol=2e-5)
    assert not marginals[~case.allowed].any()
    gradient = mode(GRADIENTS["log_norm_of_potentials"])(*case.arguments)
    np.testing.assert_allclose(numpy(gradient), case.marginals(), atol=2e-5)


@every_allowed_case
def test_decode_finds_the_best_allowed_path(case, mode):
    tags, scores = mode(crf_decode)(*case.arguments)
    best = [case.possible(row)[0] for row in ROWS]
    expected = [case.tags(row, path) for row, (_, path) in enumerate(best)]
    np.testing.assert_array_equal(numpy(tags), expected)
    np.testing.assert_allclose(numpy(scores), [s for s, _ in best], rtol=1e-5, atol=1e-5)


@every_allowed_case
def test_partial_likelihood_is_the_share_of_the_allowed_paths(case, mode):
    expected = np.array(case.log_norm()) - free(case).log_norm()
    arguments = (case.potentials, case.allowed, MASK, *case.scores)
    actual = numpy(mode(crf_partial_log_likelihood)(*arguments))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=2e-4)
    assert actual[-1] == 0  # the row of length 0


@pytest.mark.parametrize("case", ALLOWED_CASES.values(), ids=ALLOWED_CASES)
def test_gradient_of_the_partial_likelihood_is_a_difference_of_counts(case):
    arguments = (case.potentials, case.allowed, MASK, *case.scores)
    actual = compiled(GRADIENTS["partial_of_potentials"])(*arguments)
    expected = case.marginals() - free(case).marginals()
    np.testing.assert_allclose(numpy(actual), expected, atol=4e-5)
    transitions, start, end = case.scores
    arguments = (transitions, case.potentials, case.allowed, MASK, start, end)
    actual = compiled(GRADIENTS["partial_of_transitions"])(*arguments)
    expected = transition_counts(case) - transition_counts(free(case))
    np.testing.assert_allclose(numpy(actual), expected, atol=2e-4)


@every_case
def test_with_one_tag_allowed_at_each_token_it_is_the_plain_likelihood(case):
    tags = np.array([case.tags(row, case.possible(row)[0][1]) for row in ROWS])
    allowed = np.arange(TAGS) == tags[..., None]
    actual = compiled(crf_partial_log_likelihood)(case.potentials, allowed, MASK, *case.scores)
    expected = compiled(crf_log_likelihood)(case.potentials, tags, MASK, *case.scores)
    np.testing.assert_allclose(numpy(actual), numpy(expected), rtol=1e-4, atol=2e-4)


@every_case
def test_with_every_tag_allowed_the_partial_likelihood_is_zero(case):
    allowed = np.ones(case.potentials.shape, dtype=bool)
    actual = compiled(crf_partial_log_likelihood)(case.potentials, allowed, MASK, *case.scores)
    np.testing.assert_array_equal(numpy(actual), 0)


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("reason", ["nothing allowed", "forbidden transitions"])
def test_compiled_rows_without_a_path_are_impossible_and_the_others_as_before(reason, scale):
    case = Case(scale=scale, seed=6)
    if reason == "nothing allowed":
        case.allowed = np.ones(case.potentials.shape, dtype=bool)
        case.allowed[0, 2] = False
    else:
        case.forbid()
        case.allowed = np.ones(case.potentials.shape, dtype=bool)
        case.allowed[0, 1:3] = [True, False, False]  # tag 0 may not follow itself
    assert case.possible(0) == []
    others = np.arange(len(MASK)) > 0
    log_norm = numpy(compiled(crf_log_norm)(*case.arguments))
    assert log_norm[0] == np.float32(-1e9)
    np.testing.assert_allclose(log_norm[others], case.log_norm()[1:], rtol=1e-5, atol=1e-4)
    expected = free(case).marginals()
    for marginals in (
        numpy(compiled(crf_marginals)(*case.arguments)),
        numpy(compiled(GRADIENTS["log_norm_of_potentials"])(*case.arguments)),
    ):
        assert not marginals[0].any()
        np.testing.assert_allclose(marginals[others], expected[others], atol=1e-4)
    partial = compiled(crf_partial_log_likelihood)
    arguments = (case.potentials, case.allowed, MASK, *case.scores)
    likelihood = numpy(partial(*arguments))
    assert likelihood[0] < -9e8
    np.testing.assert_allclose(likelihood[others], 0, atol=1e-4)
    gradient = compiled(GRADIENTS["partial_of_potentials"])(*arguments)
    assert np.isfinite(numpy(gradient)).all()
    _, score = compiled(crf_decode)(*case.arguments)
    assert numpy(score)[0] < -9e8


def test_a_likelihood_of_rows_where_nothing_is_possible_is_that_of_the_impossible():
    case = CASES["small"]
    closed = np.full((TAGS, TAGS), -1e9, "float32")
    tags = np.zeros((len(MASK), TIME), "int32")
    rest = (MASK, closed, *case.scores[1:])
    actual = numpy(compiled(crf_log_likelihood)(case.potentials, tags, *rest))
    assert (actual < -9e8).tolist() == (MASK.sum(axis=1) > 1).tolist()
    gradient = compiled(GRADIENTS["log_norm_of_potentials"])(case.potentials, *rest, None)
    assert np.isfinite(numpy(gradient)).all()


def test_what_is_allowed_at_padding_changes_nothing():
    case = ALLOWED_CASES["allowed"]
    spoilt = case.allowed & MASK[..., None]
    expected = compiled(crf_log_norm)(*case.arguments)
    actual = compiled(crf_log_norm)(*case.arguments[:-1], spoilt)
    np.testing.assert_array_equal(numpy(actual), numpy(expected))


def test_a_crf_over_first_sub_tokens_is_that_over_the_words():
    # "un ##believ ##able stor ##y ." is three words; a mask with holes keeps the first parts.
    random = np.random.default_rng(9)
    first_parts = np.array([[1, 0, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1]], dtype=bool)
    sub_tokens = random.normal(size=(2, 6, TAGS)).astype("float32")
    words = sub_tokens[first_parts].reshape(2, 3, TAGS)
    scores = CASES["constrained"].scores
    every = np.ones((2, 3), dtype=bool)
    sides = ((sub_tokens, first_parts), (words, every))
    norms = [numpy(compiled(crf_log_norm)(*side, *scores)) for side in sides]
    np.testing.assert_allclose(*norms, rtol=1e-6)
    marginals = [numpy(compiled(crf_marginals)(*side, *scores)) for side in sides]
    np.testing.assert_allclose(
        marginals[0][first_parts], marginals[1].reshape(-1, TAGS), atol=1e-6
    )
    tags = [numpy(compiled(crf_decode)(*side, *scores)[0]) for side in sides]
    np.testing.assert_array_equal(tags[0][first_parts].reshape(2, 3), tags[1])
    assert not tags[0][~first_parts].any()
