"""A CRF's truth by enumeration of every path in float64, and how the tests call functions."""

import functools
import itertools
import re

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients

TAGS, TIME = 3, 5
MASKS = {
    "full": [1, 1, 1, 1, 1],
    "right padding": [1, 1, 1, 0, 0],
    "left padding": [0, 0, 1, 1, 1],
    "a hole": [1, 0, 1, 1, 0],
    "holes and left padding": [0, 1, 0, 0, 1],
    "length 1": [0, 0, 1, 0, 0],
    "length 0": [0, 0, 0, 0, 0],
}
MASK = np.array(list(MASKS.values()), dtype=bool)
ROWS = range(len(MASK))


class Case:
    """Random scores, and the truth about them by enumeration in float64."""

    def __init__(self, scale=1.0, seed=0):
        random = np.random.default_rng(seed)

        def draw(*shape):
            return (scale * random.normal(size=shape)).astype("float32")

        self.potentials = draw(len(MASK), TIME, TAGS)
        self.scores = [draw(TAGS, TAGS), draw(TAGS), draw(TAGS)]
        self.allowed = None

    @property
    def arguments(self):
        """What every function but those of given tags takes."""
        return self.potentials, MASK, *self.scores, self.allowed

    def forbid(self, forbidden=-1e9):
        """No tag may follow itself, the sentence may not begin with tag 1 or end with tag 0."""
        transitions, start, end = self.scores
        transitions[np.arange(TAGS), np.arange(TAGS)] = forbidden
        start[1] = forbidden
        end[0] = forbidden
        return self

    def allow(self, seed=7):
        """Half of the tags, and those of one path that nothing forbids."""
        random = np.random.default_rng(seed)
        allowed = random.random(size=self.potentials.shape) < 0.5
        for row in ROWS:
            scores = self.path_scores(row)
            possible = [path for path, s in zip(self.paths(row), scores, strict=True) if s > -1e8]
            path = possible[random.integers(len(possible))]
            allowed[row, np.flatnonzero(MASK[row]), list(path)] = True
        self.allowed = allowed
        return self

    def paths(self, row):
        paths = itertools.product(range(TAGS), repeat=int(MASK[row].sum()))
        if self.allowed is None:
            return list(paths)
        allowed = self.allowed[row][MASK[row]]
        return [path for path in paths if all(allowed[t, tag] for t, tag in enumerate(path))]

    def possible(self, row):
        """`(score, path)` of the paths that nothing forbids, best first."""
        pairs = zip(self.path_scores(row), self.paths(row), strict=True)
        return sorted((pair for pair in pairs if pair[0] > -1e8), reverse=True)

    def path_score(self, row, path):
        transitions, start, end = [score.astype("float64") for score in self.scores]
        if not path:
            return 0.0
        real = self.potentials[row][MASK[row]].astype("float64")
        score = start[path[0]] + end[path[-1]] + sum(real[t, tag] for t, tag in enumerate(path))
        return score + sum(transitions[pair] for pair in itertools.pairwise(path))

    def path_scores(self, row):
        return np.array([self.path_score(row, path) for path in self.paths(row)])

    def log_norm(self):
        return [np.logaddexp.reduce(self.path_scores(row)) for row in ROWS]

    def probable_paths(self):
        for row in ROWS:
            scores = self.path_scores(row)
            probabilities = np.exp(scores - np.logaddexp.reduce(scores))
            for path, probability in zip(self.paths(row), probabilities, strict=True):
                yield row, path, probability

    def marginals(self):
        result = np.zeros((len(MASK), TIME, TAGS))
        for row, path, probability in self.probable_paths():
            result[row, np.flatnonzero(MASK[row]), list(path)] += probability
        return result

    def tags(self, row, path):
        tags = np.zeros(TIME, dtype="int32")
        tags[MASK[row]] = path
        return tags


CASES = {
    "small": Case(),
    "large": Case(scale=30.0, seed=1),
    "constrained": Case(seed=2).forbid(),
    "large and constrained": Case(scale=30.0, seed=3).forbid(),
}
ALLOWED_CASES = {
    "allowed": Case(seed=4).allow(),
    "large, constrained and allowed": Case(scale=30.0, seed=5).forbid().allow(),
}
ALL_CASES = {**CASES, **ALLOWED_CASES}
compiled = functools.cache(gradients.compiled)  # all cases have the same shapes
MODES = {"eager": lambda function: function, "compiled": compiled}
# An eager loop is compiled anew at every call on JAX, so one case of a recursion is enough there.
JAX = keras.backend.backend() == "jax"
fast = compiled if JAX else MODES["eager"]


def cases_and_modes(cases, eager_on_jax=1):
    """Parameters of a test on all `cases` compiled, and on as many eagerly as time allows."""
    eager = list(cases)[:eager_on_jax] if JAX else list(cases)
    names = [(name, "compiled") for name in cases] + [(name, "eager") for name in eager]
    return [pytest.param(cases[name], MODES[mode], id=f"{name}-{mode}") for name, mode in names]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def refused(message):
    """Expects a `ValueError` with this message, from its first word to its last."""
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")
