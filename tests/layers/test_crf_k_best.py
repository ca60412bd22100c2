"""List Viterbi against sorted enumeration, on both backends, eager and compiled."""

import numpy as np
import pytest

from seqnlp.layers import CRF, crf_decode, crf_k_best
from tests.layers.crf_enumeration import (
    ALL_CASES,
    CASES,
    MASK,
    ROWS,
    TAGS,
    TIME,
    cases_and_modes,
    compiled,
    numpy,
    refused,
)

K = 7


def k_best(potentials, mask, transitions, start, end, allowed=None):
    return crf_k_best(potentials, mask, transitions, start, end, k=K, allowed=allowed)


def all_paths(potentials, mask, transitions, start, end):
    return crf_k_best(potentials, mask, transitions, start, end, k=TAGS**TIME)


def only_one(potentials, mask, transitions, start, end):
    return crf_k_best(potentials, mask, transitions, start, end, k=1)


def assert_best(case, tags, scores):
    tags, scores = numpy(tags), numpy(scores)
    k = tags.shape[1]
    for row in ROWS:
        best = case.possible(row)[:k]
        missing = k - len(best)
        expected = [score for score, _ in best] + [-np.inf] * missing
        np.testing.assert_allclose(scores[row], expected, rtol=1e-5, atol=1e-4)
        paths = [case.tags(row, path) for _, path in best]
        paths += [np.zeros(TIME, dtype="int32")] * missing
        np.testing.assert_array_equal(tags[row], paths)


@pytest.mark.parametrize(("case", "mode"), cases_and_modes(ALL_CASES))
def test_the_k_best_are_the_first_of_all_sorted_paths(case, mode):
    tags, scores = mode(k_best)(*case.arguments)
    assert tags.shape == (len(MASK), K, TIME)
    assert "int32" in str(tags.dtype)
    assert_best(case, tags, scores)


@pytest.mark.parametrize("name", ["small", "constrained"])
def test_as_many_as_there_are_paths_gives_every_path_once(name):
    case = CASES[name]
    tags, scores = (numpy(x) for x in compiled(all_paths)(*case.arguments[:-1]))
    for row in ROWS:
        possible = case.possible(row)
        assert np.isfinite(scores[row]).sum() == len(possible)
        found = {tuple(path) for path in tags[row, : len(possible)]}
        assert found == {tuple(case.tags(row, path)) for _, path in possible}
        assert (np.diff(scores[row, : len(possible)]) <= 0).all()
        expected = [score for score, _ in possible]
        np.testing.assert_allclose(scores[row, : len(possible)], expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_best_one_is_that_of_decode(case):
    tags, scores = compiled(only_one)(*case.arguments[:-1])
    best, score = compiled(crf_decode)(*case.arguments)
    np.testing.assert_array_equal(numpy(tags)[:, 0], numpy(best))
    np.testing.assert_allclose(numpy(scores)[:, 0], numpy(score), rtol=1e-6)


def test_paths_of_equal_score_are_all_different():
    mask = np.ones((2, TIME), dtype=bool)
    zeros = [np.zeros(shape, "float32") for shape in ((2, TIME, TAGS), (TAGS, TAGS), TAGS, TAGS)]
    tags, scores = (numpy(x) for x in compiled(all_paths)(zeros[0], mask, *zeros[1:]))
    assert not scores.any()
    assert [len({tuple(path) for path in row}) for row in tags] == [TAGS**TIME] * 2


def test_a_row_without_a_possible_path_has_none():
    case = CASES["small"]
    closed = np.full((TAGS, TAGS), -1e9, "float32")
    tags, scores = compiled(k_best)(case.potentials, MASK, closed, *case.scores[1:])
    tags, scores = numpy(tags), numpy(scores)
    paths = np.isfinite(scores).sum(axis=1)
    assert paths.tolist() == [0, 0, 0, 0, 0, TAGS, 1]  # those of length 1 and 0 need no transition
    assert not tags[paths == 0].any()


def test_the_head_gives_log_probabilities():
    case = CASES["constrained"]
    head = CRF(TAGS)
    head.build(case.potentials.shape)
    head.set_weights(case.scores)

    def head_k_best(potentials, mask):
        return head.k_best({"potentials": potentials, "mask": mask}, k=TAGS**TIME)

    tags, log_probabilities = (numpy(x) for x in compiled(head_k_best)(case.potentials, MASK))
    np.testing.assert_allclose(np.exp(log_probabilities.astype("float64")).sum(axis=1), 1, 1e-4)
    for row in ROWS:
        probable = {tuple(case.tags(row, p)): x for at, p, x in case.probable_paths() if at == row}
        found = np.isfinite(log_probabilities[row])
        expected = [probable[tuple(path)] for path in tags[row, found]]
        np.testing.assert_allclose(np.exp(log_probabilities[row, found]), expected, rtol=1e-4)


def test_refuses_a_k_below_one():
    with refused("`k` must be at least 1. Received: k=0"):
        crf_k_best(*CASES["small"].arguments[:-1], k=0)


def test_refuses_more_than_there_are_paths():
    with refused(
        "`k` must be at most the number of paths, tags ** time = 3 ** 5 = 243. Received: k=244"
    ):
        crf_k_best(*CASES["small"].arguments[:-1], k=244)
