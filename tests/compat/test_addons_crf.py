"""The CRF functions against those of TensorFlow Addons 0.23, values and gradients.

The fixtures are Addons' answers in float64 (`make addons`): 9 sentences of 7 tags, of lengths
from 21 down to 1 and 0, once with scores around 1 and once 30 times as large.
"""

import functools
import math
import pathlib

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import (
    crf_decode,
    crf_log_likelihood,
    crf_log_norm,
    crf_partial_log_likelihood,
    crf_sequence_score,
)

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
DIFFERENTIABLE = ("sequence_score", "log_norm", "log_likelihood", "multitag_score")


def call(name, potentials, transitions, tags, allowed, mask):
    if name in ("log_norm", "multitag_score"):
        allowed = allowed if name == "multitag_score" else None
        return crf_log_norm(potentials, mask, transitions, allowed=allowed)
    functions = {"sequence_score": crf_sequence_score, "log_likelihood": crf_log_likelihood}
    return functions[name](potentials, tags, mask, transitions)


def answers(potentials, transitions, upstream, tags, allowed, mask):
    """Values, gradients and best tags, compiled at once: compiling is what takes time."""
    both = ops.concatenate([ops.reshape(potentials, (-1,)), ops.reshape(transitions, (-1,))])

    def apart(both):
        first, second = ops.split(both, [math.prod(potentials.shape)])
        return ops.reshape(first, potentials.shape), ops.reshape(second, transitions.shape)

    found = {}
    for name in DIFFERENTIABLE:

        def total(both, name=name):
            return ops.sum(call(name, *apart(both), tags, allowed, mask) * upstream)

        found[name] = call(name, potentials, transitions, tags, allowed, mask)
        by = apart(gradients.gradient(total)(both))
        found[f"{name}_by_potentials"], found[f"{name}_by_transitions"] = by
    found["partial"] = crf_partial_log_likelihood(potentials, allowed, mask, transitions)
    found["best"] = crf_decode(potentials, mask, transitions)
    found["constrained"] = crf_decode(potentials, mask, transitions, allowed=allowed)
    return found


compiled_answers = gradients.compiled(answers)


class Case:
    """A fixture, Addons' inputs and its answers by name, and `ours`, the answers of seqnlp."""

    def __init__(self, name):
        self.name = name
        with np.load(FIXTURES / f"{name}.npz") as file:
            vars(self).update(file)
        self.mask = np.arange(self.potentials.shape[1]) < self.lengths[:, None]
        scores = (self.potentials, self.transitions, self.upstream)
        tensors = map(ops.convert_to_tensor, (*scores, self.tags, self.allowed, self.mask))
        self.ours = compiled_answers(*tensors)

    def assert_equal_to_addons(self, actual, name, rows=...):
        actual, expected = ops.convert_to_numpy(actual), getattr(self, name)
        np.testing.assert_allclose(actual[rows], expected[rows], rtol=1e-5, atol=1e-5)


load = functools.cache(Case)


@pytest.fixture(params=["crf", "crf_large", "crf_one_step"])
def case(request):
    return load(request.param)


# Where Addons is wrong: tests below show it.
WRONG_ON_EMPTY_ROWS = {("crf_one_step", "multitag_score")}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_values_are_those_of_addons(case, name):
    wrong = (case.name, name) in WRONG_ON_EMPTY_ROWS
    case.assert_equal_to_addons(case.ours[name], name, case.lengths > 0 if wrong else ...)


@pytest.mark.parametrize("by", ["by_potentials", "by_transitions"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_are_those_of_addons(case, name, by):
    wrong = (case.name, name) in WRONG_ON_EMPTY_ROWS and by == "by_potentials"
    key = f"{name}_{by}"
    case.assert_equal_to_addons(case.ours[key], key, case.lengths > 0 if wrong else ...)


@pytest.mark.parametrize("kind", ["best", "constrained"])
def test_best_tags_and_their_scores_are_those_of_addons(case, kind):
    tags, scores = case.ours[kind]
    expected = np.where(case.mask, getattr(case, f"{kind}_tags"), 0)
    np.testing.assert_array_equal(tags, expected)
    case.assert_equal_to_addons(scores, f"{kind}_score", case.lengths > 0)


def test_partial_likelihood_is_the_multitag_score_less_the_log_norm(case):
    real = case.lengths > 0
    actual = ops.convert_to_numpy(case.ours["partial"])
    expected = case.multitag_score - case.log_norm
    tolerance = 1e-5 * case.log_norm.max()
    np.testing.assert_allclose(actual[real], expected[real], rtol=1e-5, atol=tolerance)


def test_addons_gives_an_empty_sentence_the_best_score_of_its_padding(case):
    empty = int(np.flatnonzero(case.lengths == 0)[0])
    assert case.best_score[empty] == case.potentials[empty, 0].max() > 0
    assert ops.convert_to_numpy(case.ours["best"][1])[empty] == 0


def test_addons_counts_the_padding_of_an_empty_sentence_in_a_batch_of_one_step():
    case = load("crf_one_step")
    empty = int(np.flatnonzero(case.lengths == 0)[0])
    padding = case.potentials[empty, 0][case.allowed[empty, 0]]
    expected = np.logaddexp.reduce(padding.astype("float64"))
    np.testing.assert_allclose(case.multitag_score[empty], expected, rtol=1e-6)
    assert case.log_norm[empty] == 0
    assert ops.convert_to_numpy(case.ours["multitag_score"])[empty] == 0
