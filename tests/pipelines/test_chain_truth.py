"""The truth that exports are checked with, itself against enumeration."""

import itertools

import numpy as np
import pytest

from pipelines.chain_truth import Chain
from seqnlp.layers import CRF, TokenSoftmax

TAGS = 3
ALLOWED = np.ones((TAGS + 1, TAGS + 1), dtype=bool)
ALLOWED[0, 1] = ALLOWED[-1, 2] = ALLOWED[1, -1] = False


def make(head, time):
    random = np.random.default_rng(time)
    potentials = random.normal(size=(time, TAGS), scale=2)
    head.build((1, time, TAGS))
    head.set_weights([random.normal(size=weight.shape) for weight in head.weights])
    zeros = np.zeros((TAGS, TAGS)), np.zeros(TAGS), np.zeros(TAGS)
    scores = [np.asarray(x) for x in head.scores()] if isinstance(head, CRF) else zeros
    return Chain(head, potentials), potentials, *scores


@pytest.fixture(params=[1, 2, 4])
def time(request):
    return request.param


@pytest.fixture(params=["CRF", "TokenSoftmax"])
def chain_and_paths(request, time):
    """The chain, and the probability of every path that is possible."""
    head = CRF(TAGS, ALLOWED) if request.param == "CRF" else TokenSoftmax(TAGS)
    chain, potentials, transitions, start, end = make(head, time)
    weights = {}
    for path in itertools.product(range(TAGS), repeat=time):
        score = start[path[0]] + end[path[-1]] + sum(potentials[range(time), path])
        score += sum(transitions[pair] for pair in itertools.pairwise(path))
        weights[path] = np.exp(score)  # exactly 0 where something is forbidden
    total = sum(weights.values())
    return chain, {path: w / total for path, w in weights.items() if w > 0}


def test_span_probabilities_are_those_of_the_paths_through_them(chain_and_paths, time):
    chain, paths = chain_and_paths
    tags = max(paths, key=paths.get)
    for first, end in itertools.combinations(range(time + 1), 2):
        expected = sum(p for path, p in paths.items() if path[first:end] == tags[first:end])
        assert chain.span_probability(tags, first, end) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 4, 100])
def test_k_best_are_the_most_probable_paths(chain_and_paths, k):
    chain, paths = chain_and_paths
    expected = sorted(paths.items(), key=lambda item: -item[1])[:k]
    found = chain.k_best(k)
    assert [tuple(tags) for _, tags in found] == [path for path, _ in expected]
    np.testing.assert_allclose([x for x, _ in found], np.log([p for _, p in expected]))
