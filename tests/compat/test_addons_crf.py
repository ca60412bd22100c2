"""The CRF functions against those of TensorFlow Addons 0.23, values and gradients.

The fixtures are Addons' answers in float64 (`make addons`): 9 sentences of 7 tags, of lengths
from 21 down to 1 and 0, once with scores around 1 and once 30 times as large.
"""

import functools
import pathlib

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import crf_decode, crf_log_likelihood, crf_log_norm, crf_sequence_score

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
DIFFERENTIABLE = ("sequence_score", "log_norm", "log_likelihood")


class Case:
    """A fixture, Addons' inputs and its answers by name, and `ours`, the answers of seqnlp."""

    def __init__(self, name):
        with np.load(FIXTURES / f"{name}.npz") as file:
            vars(self).update(file)
        time = self.potentials.shape[1]
        self.mask = np.arange(time) < self.lengths[:, None]
        self.ours = gradients.compiled(self.answers)(self.potentials, self.transitions)

    def answers(self, potentials, transitions):
        """Values, gradients and best tags, compiled at once: compiling is what takes time."""
        found = {}
        for name in DIFFERENTIABLE:

            def total(potentials, transitions, name=name):
                return ops.sum(self.call(name, potentials, transitions) * self.upstream)

            def flipped(transitions, potentials, total=total):
                return total(potentials, transitions)

            found[name] = self.call(name, potentials, transitions)
            by_potentials = gradients.gradient(total)(potentials, transitions)
            by_transitions = gradients.gradient(flipped)(transitions, potentials)
            found[f"{name}_by_potentials"] = by_potentials
            found[f"{name}_by_transitions"] = by_transitions
        found["best"] = crf_decode(potentials, self.mask, transitions)
        return found

    def call(self, name, potentials, transitions):
        if name == "log_norm":
            return crf_log_norm(potentials, self.mask, transitions)
        functions = {"sequence_score": crf_sequence_score, "log_likelihood": crf_log_likelihood}
        return functions[name](potentials, self.tags, self.mask, transitions)

    def assert_equal_to_addons(self, actual, name, rows=...):
        actual, expected = ops.convert_to_numpy(actual), getattr(self, name)
        np.testing.assert_allclose(actual[rows], expected[rows], rtol=1e-5, atol=1e-5)


load = functools.cache(Case)


@pytest.fixture(params=["crf", "crf_large", "crf_one_step"])
def case(request):
    return load(request.param)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_values_are_those_of_addons(case, name):
    case.assert_equal_to_addons(case.ours[name], name)


@pytest.mark.parametrize("by", ["by_potentials", "by_transitions"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_are_those_of_addons(case, name, by):
    case.assert_equal_to_addons(case.ours[f"{name}_{by}"], f"{name}_{by}")


def test_best_tags_and_their_scores_are_those_of_addons(case):
    tags, scores = case.ours["best"]
    np.testing.assert_array_equal(tags, np.where(case.mask, case.best_tags, 0))
    case.assert_equal_to_addons(scores, "best_score", rows=case.lengths > 0)


def test_addons_gives_an_empty_sentence_the_best_score_of_its_padding():
    case = load("crf")
    empty = int(np.flatnonzero(case.lengths == 0)[0])
    assert case.best_score[empty] == case.potentials[empty, 0].max() > 0
    assert ops.convert_to_numpy(case.ours["best"][1])[empty] == 0
