"""A small model whose probabilities depend on all that came before, in ops and in NumPy."""

import functools
import itertools
import re
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.decoding import IMPOSSIBLE

JAX = keras.backend.backend() == "jax"
STARTS = 2  # the start ids are 0 and 1
HASHES = 97  # enough that no two outputs have the same score


class Toy:
    """Logits from a hash of the history, by tables that differ from sentence to sentence.

    The state has a memory of one row a sentence, a scalar, the hash and the history of each
    hypothesis, and an alignment that spells the tokens given so far: entry i is 1 + token i.
    """

    def __init__(self, vocabulary, batch=3, scale=1.0, seed=0, max_length=8):
        random = np.random.default_rng(seed)
        shape = (batch, HASHES, vocabulary)
        self.table = random.normal(scale=scale, size=shape).astype("float32")
        self.vocabulary = vocabulary
        self.batch = batch
        self.max_length = max_length
        self.start_ids = (np.arange(batch) % STARTS).astype("int32")

    def initial_state(self, table=None):
        table = ops.convert_to_tensor(self.table if table is None else table)
        rows = ops.zeros_like(table[:, 0, 0], dtype="int32")
        history = ops.tile(rows[:, None], (1, self.max_length))
        return {
            "memory": {"tables": [table]},
            "position": ops.convert_to_tensor(0, dtype="int32"),
            "past": (rows, {"history": history}),
            "alignment": ops.cast(history, "float32"),
        }

    def step(self, token_ids, state):
        (table,) = state["memory"]["tables"]
        hashed, history = state["past"][0], state["past"][1]["history"]
        hashed = (hashed * 3 + token_ids + 1) % HASHES
        now = np.arange(self.max_length, dtype="int32") == state["position"]
        history = ops.where(now, token_ids[:, None] + 1, history)
        hashes = np.arange(HASHES) == ops.reshape(hashed, (ops.shape(table)[0], -1, 1))
        logits = ops.matmul(ops.cast(hashes, "float32"), table)  # (batch, beams, vocabulary)
        return ops.reshape(logits, (-1, self.vocabulary)), {
            "memory": state["memory"],
            "position": state["position"] + 1,
            "past": (hashed, {"history": history}),
            "alignment": ops.cast(history, "float32"),
        }

    def logits(self, sentence, tokens):
        """float64 `(vocabulary,)` of the token behind the start and `tokens`."""
        hashed = 0
        for token in (self.start_ids[sentence], *tokens):
            hashed = (hashed * 3 + token + 1) % HASHES
        return self.table[sentence, hashed].astype("float64")

    def log_probabilities(self, sentence, tokens):
        return log_softmax(self.logits(sentence, tokens))

    def score(self, sentence, tokens):
        """Log probability of tokens, the end id among them if it came."""
        return sum(
            self.log_probabilities(sentence, tokens[:at])[token] for at, token in enumerate(tokens)
        )

    def alignment(self, sentence, tokens):
        """`(max_length, max_length)`: what the steps that chose these tokens attended to."""
        given = [self.start_ids[sentence], *tokens]
        result = np.zeros((self.max_length, self.max_length))
        for step in range(len(tokens)):
            result[step, : step + 1] = 1 + np.array(given[: step + 1])
        return result


class Hypothesis(NamedTuple):
    tokens: tuple  # with the end id if it came
    score: float


def log_softmax(logits):
    return logits - np.logaddexp.reduce(logits)


def outputs(vocabulary, end_id, max_length):
    """All tuples of tokens that a decoder may give."""
    others = [token for token in range(vocabulary) if token != end_id]
    for length in range(max_length):
        for tokens in itertools.product(others, repeat=length):
            yield (*tokens, end_id)
    yield from itertools.product(others, repeat=max_length)


def length_of(tokens, end_id):
    return len(tokens) - (tokens[-1:] == (end_id,))


def best_of_all(toy, sentence, end_id, max_length, penalised=lambda score, *_: score):
    """All outputs, best first."""
    every = [
        Hypothesis(tokens, penalised(toy.score(sentence, tokens), tokens, end_id, sentence))
        for tokens in outputs(toy.vocabulary, end_id, max_length)
    ]
    return sorted(every, key=lambda hypothesis: -hypothesis.score)


def read(token_ids, length, end_id):
    """The tokens of a result's row, the end id among them if it came."""
    tokens = tuple(int(token) for token in token_ids)
    assert not any(tokens[length + 1 :])
    ended = length < len(tokens)
    assert not ended or tokens[length] == end_id
    assert end_id not in tokens[:length]
    return tokens[: length + ended]


class Search(NamedTuple):
    """The settings of a plain beam search, one sentence at a time."""

    toy: Toy
    end_id: int
    max_length: int
    penalised: object = lambda score, tokens, end_id, sentence: score
    forbidden: object = lambda tokens, sentence: ()
    reweighed: object = lambda logits, tokens, sentence: logits

    def extensions(self, sentence, hypothesis):
        """`(token, its log probability)` of all that the rules leave."""
        tokens, score = hypothesis
        logits = self.toy.logits(sentence, tokens)
        gains = log_softmax(self.reweighed(logits, tokens, sentence))
        banned = set(self.forbidden(tokens, sentence))
        return [
            Hypothesis((*tokens, token), score + gain)
            for token, gain in enumerate(gains)
            if token not in banned
        ]

    def best(self, sentence, beam_width):
        """The hypotheses, best first, fewer where no more are possible."""

        def score(hypothesis):
            return self.penalised(hypothesis.score, hypothesis.tokens, self.end_id, sentence)

        beam = [Hypothesis((), 0.0)]
        for _ in range(self.max_length):
            candidates = []
            for hypothesis in beam:
                frozen = self.end_id in hypothesis.tokens
                candidates += [hypothesis] if frozen else self.extensions(sentence, hypothesis)
            candidates.sort(key=lambda hypothesis: -score(hypothesis))
            beam = candidates[:beam_width]
        return [Hypothesis(hypothesis.tokens, score(hypothesis)) for hypothesis in beam]


def gnmt(exponent):
    """The length penalty of Wu et al., for `Search`."""

    def penalised(score, tokens, end_id, sentence):
        return score / ((5 + length_of(tokens, end_id)) / 6) ** exponent

    return penalised


def assert_same(decoded, expected, end_id):
    """A sentence's `Decoded` against hypotheses; behind them there is nothing possible."""
    for at, hypothesis in enumerate(expected):
        tokens = read(decoded.token_ids[at], decoded.lengths[at], end_id)
        assert tokens == hypothesis.tokens, at
        np.testing.assert_allclose(decoded.scores[at], hypothesis.score, rtol=1e-4, atol=1e-4)
    rest = slice(len(expected), None)
    assert (decoded.scores[rest] == IMPOSSIBLE).all()
    assert not decoded.token_ids[rest].any()
    assert not decoded.lengths[rest].any()


def row(decoded, at):
    """A sentence's part of the result."""
    return type(decoded)(*(None if field is None else field[at] for field in decoded))


compiled = functools.cache(gradients.compiled)
MODES = {"compiled": compiled, "eager": lambda function: function}
# An eager loop is compiled anew at every call on JAX, where op by op is fast on TensorFlow.
fast = compiled if JAX else MODES["eager"]
if not JAX:
    import tensorflow as tf

    MODES["graph"] = tf.function


def numpy(decoded):
    """The same `Decoded` with arrays for tensors."""
    fields = [None if field is None else ops.convert_to_numpy(field) for field in decoded]
    return type(decoded)(*fields)


def run(decode, *arguments, **options):
    """The result of a decoder that need not take its tensors as arguments."""
    return numpy(fast(lambda: decode(*arguments, **options))())


def refused(message):
    """Expects a `ValueError` with this message, from its first word to its last."""
    # JAX adds a line of its own to what is raised inside a loop.
    return pytest.raises(ValueError, match=rf"^{re.escape(message)}(\n|$)")
