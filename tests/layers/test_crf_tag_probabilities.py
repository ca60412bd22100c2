"""Probabilities of stretches of tags against summed path probabilities."""

import numpy as np
import pytest

from seqnlp.layers import crf_log_norm, crf_tag_log_probabilities
from tests.layers.crf_enumeration import (
    CASES,
    MASK,
    ROWS,
    TAGS,
    TIME,
    cases_and_modes,
    compiled,
    numpy,
)


def given_tags(case, seed):
    """A probable path of every row, since an impossible one has no probability to compare."""
    random = np.random.default_rng(seed)
    rows = []
    for row in ROWS:
        likely = [path for score, path in case.possible(row)][:6]
        rows.append(case.tags(row, likely[random.integers(len(likely))]))
    return np.array(rows)


def stretches(row):
    """`(first, last)` of every stretch of the row's real tokens."""
    real = np.flatnonzero(MASK[row])
    return [(a, b) for i, a in enumerate(real) for b in real[i:]]


@pytest.mark.parametrize(("case", "mode"), cases_and_modes(CASES))
def test_stretches_have_the_summed_probability_of_their_paths(case, mode):
    tags = given_tags(case, seed=1)
    alone, after = mode(crf_tag_log_probabilities)(case.potentials, tags, MASK, *case.scores)
    alone, after = numpy(alone).astype("float64"), numpy(after).astype("float64")
    for row in ROWS:
        probable = [(path, p) for at, path, p in case.probable_paths() if at == row]
        real = list(np.flatnonzero(MASK[row]))
        for first, last in stretches(row):
            a, b = real.index(first), real.index(last) + 1
            wanted = tuple(tags[row, real][a:b])
            expected = sum(p for path, p in probable if path[a:b] == wanted)
            actual = np.exp(alone[row, first] + after[row, real[a + 1 : b]].sum())
            np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-6)
        if real:
            assert after[row, real[0]] == alone[row, real[0]]
    assert not alone[~MASK].any()
    assert not after[~MASK].any()


def test_a_stretch_is_the_ratio_of_constrained_and_free_log_norm():
    case = CASES["small"]
    tags = given_tags(case, seed=2)
    alone, after = compiled(crf_tag_log_probabilities)(case.potentials, tags, MASK, *case.scores)
    inside = np.zeros((len(MASK), TIME), bool)
    inside[:, 1:4] = True
    allowed = ~inside[..., None] | (np.arange(TAGS) == tags[..., None])
    free = compiled(crf_log_norm)(*case.arguments)
    constrained = compiled(crf_log_norm)(*case.arguments[:-1], allowed)
    expected = numpy(constrained) - numpy(free)
    first = (np.cumsum(MASK & inside, axis=1) == 1) & MASK & inside
    actual = np.where(first, alone, after) * (inside & MASK)
    np.testing.assert_allclose(actual.sum(axis=1), expected, atol=1e-4)


def test_impossible_tags_have_a_finite_log_probability_of_nothing():
    case = CASES["constrained"]
    tags = np.ones((len(MASK), TIME), dtype="int32")  # none may begin with tag 1 or follow itself
    alone, after = compiled(crf_tag_log_probabilities)(case.potentials, tags, MASK, *case.scores)
    assert np.isfinite(numpy(alone)).all()
    assert np.isfinite(numpy(after)).all()
    assert (numpy(after)[0] < -1e8).all()


def test_almost_certain_tags_keep_their_digits_over_a_long_row():
    potentials = np.zeros((1, 300, 3), dtype="float32")
    potentials[..., 0] = 15.0
    mask, tags = np.ones((1, 300), bool), np.zeros((1, 300), "int32")
    transitions = np.zeros((3, 3), "float32")
    found = compiled(crf_tag_log_probabilities)(potentials, tags, mask, transitions)
    for log_probabilities in found:
        total = numpy(log_probabilities).astype("float64").sum()
        np.testing.assert_allclose(total, -300 * np.log1p(2 * np.exp(-15.0)), rtol=1e-5)
