"""The entropy against that of all enumerated paths, and its gradient."""

import itertools

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import crf_entropy
from tests.layers.crf_enumeration import (
    ALL_CASES,
    CASES,
    MASK,
    TAGS,
    TIME,
    cases_and_modes,
    compiled,
    numpy,
)


def entropies(case):
    result = np.zeros(len(MASK))
    for row, _, probability in case.probable_paths():
        if probability > 0:
            result[row] -= probability * np.log(probability)
    return result


def total(potentials, transitions, start, end, allowed=None):
    return ops.sum(crf_entropy(potentials, MASK, transitions, start, end, allowed))


def total_of_transitions(transitions, potentials, start, end, allowed=None):
    return total(potentials, transitions, start, end, allowed)


POTENTIALS_GRADIENT = gradients.gradient(total)
TRANSITIONS_GRADIENT = gradients.gradient(total_of_transitions)


@pytest.mark.parametrize(("case", "mode"), cases_and_modes(ALL_CASES))
def test_entropy_is_that_of_all_paths(case, mode):
    actual = numpy(mode(crf_entropy)(*case.arguments))
    np.testing.assert_allclose(actual, entropies(case), rtol=1e-4, atol=1e-5)
    assert actual[-1] == 0  # the row of length 0


@pytest.mark.parametrize("case", ALL_CASES.values(), ids=ALL_CASES)
def test_gradient_is_the_covariance_of_score_and_feature(case):
    # entropy = log norm - E[score], so its derivative by a weight is -cov(score, feature).
    expected = np.zeros((len(MASK), TIME, TAGS))
    expected_transitions = np.zeros((TAGS, TAGS))
    mean = np.zeros(len(MASK))
    for row, path, probability in case.probable_paths():
        if probability > 0:
            mean[row] += probability * case.path_score(row, path)
    for row, path, probability in case.probable_paths():
        if probability > 0:
            share = probability * (case.path_score(row, path) - mean[row])
            expected[row, np.flatnonzero(MASK[row]), list(path)] -= share
            for pair in itertools.pairwise(path):
                expected_transitions[pair] -= share
    transitions, *boundaries = case.scores
    rest = (*boundaries, case.allowed)
    actual = compiled(POTENTIALS_GRADIENT)(case.potentials, transitions, *rest)
    np.testing.assert_allclose(numpy(actual), expected, rtol=1e-3, atol=1e-4)
    actual = compiled(TRANSITIONS_GRADIENT)(transitions, case.potentials, *rest)
    np.testing.assert_allclose(numpy(actual), expected_transitions, rtol=1e-3, atol=1e-4)


def test_equal_scores_have_the_entropy_of_a_uniform_choice():
    zeros = [np.zeros(shape, "float32") for shape in ((len(MASK), TIME, TAGS), (TAGS, TAGS))]
    actual = compiled(crf_entropy)(zeros[0], MASK, zeros[1])
    np.testing.assert_allclose(numpy(actual), MASK.sum(axis=1) * np.log(TAGS), rtol=1e-6)


def test_a_small_entropy_survives_large_scores():
    # Two paths of 200 tokens, the second 9 nats below the first, among scores of 10,000.
    potentials = np.full((1, 200, 2), [1e4, 0], "float32")
    potentials[0, 0] = [1e4, 1e4 - 9]
    p = 1 / (1 + np.exp(9.0))
    expected = -p * np.log(p) - (1 - p) * np.log(1 - p)
    mask, transitions = np.ones((1, 200), bool), np.zeros((2, 2), "float32")
    actual = compiled(crf_entropy)(potentials, mask, transitions)
    np.testing.assert_allclose(numpy(actual), [expected], rtol=1e-3)


def test_rows_without_a_possible_path_have_none_and_a_finite_gradient():
    case = CASES["small"]
    closed = np.full((TAGS, TAGS), -1e9, "float32")
    actual = numpy(compiled(crf_entropy)(case.potentials, MASK, closed, *case.scores[1:]))
    assert [bool(x > 0) for x in actual] == [length == 1 for length in MASK.sum(axis=1)]
    gradient = compiled(POTENTIALS_GRADIENT)(case.potentials, closed, *case.scores[1:])
    assert np.isfinite(numpy(gradient)).all()
