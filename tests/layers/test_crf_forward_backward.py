"""The fast recursion, its certificate, and the exact one it falls back to."""

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import crf_forward_backward as recursion
from seqnlp.layers.crf_forward_backward import FORBIDDEN, posterior

RANDOM = np.random.default_rng(0)
MASK = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]], dtype=bool)


def draw(scale=1.0):
    shapes = ((4, 4, 3), (3, 3), (3,), (3,))
    potentials, *scores = ((scale * RANDOM.normal(size=s)).astype("float32") for s in shapes)
    return potentials, MASK, *scores


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@gradients.compiled
def both(*arguments):
    chain = recursion._Chain(*(ops.convert_to_tensor(x) for x in arguments))
    return *recursion._probability_space(chain), recursion._log_space(chain)


@gradients.compiled
def compiled_posterior(*arguments):
    return tuple(posterior(*arguments))


def test_both_recursions_agree_where_the_fast_one_is_certain():
    fast, certain, exact = both(*draw())
    assert bool(numpy(certain))
    rows = MASK.any(axis=1)  # `posterior` sets the rows without tokens to zero
    for a, b in zip(fast, exact, strict=True):
        np.testing.assert_allclose(numpy(a)[rows], numpy(b)[rows], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("spoilt", ["potentials", "transitions", "boundaries"])
def test_scores_too_far_apart_for_float32_are_noticed(spoilt):
    potentials, mask, transitions, start, end = draw()
    if spoilt == "potentials":
        potentials[0, :, 0] += 200
    elif spoilt == "transitions":
        transitions[0, 1] += 200
    else:
        start[0] += 200
    assert not bool(numpy(both(potentials, mask, transitions, start, end)[1]))


def test_forbidden_scores_are_no_reason_to_fall_back():
    potentials, mask, transitions, start, end = draw()
    transitions[0, 1] = start[2] = FORBIDDEN
    assert bool(numpy(both(potentials, mask, transitions, start, end)[1]))


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_counts_add_up_to_the_tokens_of_every_row(scale):
    found = recursion.Posterior(*compiled_posterior(*draw(scale)))
    length = MASK.sum(axis=1)
    np.testing.assert_allclose(numpy(found.marginals).sum(-1), MASK, atol=1e-4)
    pairs = np.maximum(length - 1, 0)
    np.testing.assert_allclose(numpy(found.transitions).sum((1, 2)), pairs, atol=1e-3)
    for boundary in (found.start, found.end):
        np.testing.assert_allclose(numpy(boundary).sum(-1), length > 0, atol=1e-4)
    assert numpy(found.log_norm)[-1] == 0


@pytest.mark.parametrize("distance", [30, 36, 45, 59, 61])
@pytest.mark.parametrize("time", [1, 3])
def test_a_path_is_found_where_only_the_directions_together_underflow(distance, time):
    start = np.array([0, -distance, FORBIDDEN], dtype="float32")
    end = np.array([FORBIDDEN, -distance, 0], dtype="float32")
    transitions = np.where(np.eye(3), 0, FORBIDDEN).astype("float32")
    potentials, mask = np.zeros((1, time, 3), dtype="float32"), np.ones((1, time), dtype=bool)
    log_norm, marginals, *_ = compiled_posterior(potentials, mask, transitions, start, end)
    np.testing.assert_allclose(numpy(log_norm), [-2 * distance], rtol=1e-5)
    np.testing.assert_allclose(numpy(marginals)[0], [[0, 1, 0]] * time, atol=1e-6)
