"""Samples against the probabilities of all paths, by a chi-square test."""

import keras
import numpy as np
import pytest
from scipy.stats import chisquare

from seqnlp.layers import crf_sample
from tests.layers.crf_enumeration import (
    ALL_CASES,
    CASES,
    MASK,
    ROWS,
    TIME,
    cases_and_modes,
    compiled,
    numpy,
    refused,
)

NUMBER = 4000


def sample(potentials, mask, transitions, start, end, allowed=None):
    scores = potentials, mask, transitions, start, end
    return crf_sample(*scores, num_samples=NUMBER, seed=11, allowed=allowed)


def p_value(case, row, samples):
    """Of the hypothesis that the samples have the posterior's probabilities."""
    counts = {tuple(case.tags(row, path)): 0 for path in case.paths(row)}
    for path in samples:
        counts[tuple(path)] += 1  # a KeyError for tags at padding, or that are not allowed
    counts = np.array(list(counts.values()))
    probabilities = np.array([p for at, _, p in case.probable_paths() if at == row])
    assert not counts[probabilities == 0].any()
    order = np.argsort(-probabilities)
    bins = max(1, (NUMBER * probabilities >= 5).sum())  # the rarer ones share the last bin
    bin_of = np.minimum(np.arange(len(order)), bins - 1)
    observed, expected = (np.bincount(bin_of, x[order]) for x in (counts, NUMBER * probabilities))
    return chisquare(observed, expected).pvalue if bins > 1 else 1.0


@pytest.mark.parametrize(("case", "mode"), cases_and_modes(ALL_CASES))
def test_paths_come_as_often_as_they_are_probable(case, mode):
    samples = numpy(mode(sample)(*case.arguments))
    assert samples.shape == (len(MASK), NUMBER, TIME)
    assert samples.dtype == "int32"
    p_values = [p_value(case, row, samples[row]) for row in ROWS]
    assert min(p_values) > 0.001, p_values


def test_the_test_notices_samples_of_another_distribution():
    case, other = CASES["small"], CASES["constrained"]
    samples = numpy(compiled(sample)(case.potentials, MASK, *other.scores))
    assert p_value(case, 0, samples[0]) < 1e-6


def test_a_seed_gives_the_same_samples_and_a_generator_new_ones():
    arguments = CASES["small"].arguments[:-1]

    def draw(seed):
        return numpy(crf_sample(*arguments, num_samples=50, seed=seed))

    np.testing.assert_array_equal(draw(3), draw(3))
    assert (draw(3) != draw(4)).any()
    generator = keras.random.SeedGenerator(3)
    assert (draw(generator) != draw(generator)).any()


def test_refuses_fewer_than_one_sample():
    with refused("`num_samples` must be at least 1. Received: num_samples=0"):
        crf_sample(*CASES["small"].arguments[:-1], num_samples=0)
