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

JAX = keras.backend.backend() == "jax"
STARTS = 2  # the start ids are 0 and 1
HASHES = 7


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


def best_of_all(toy, sentence, end_id, max_length, penalised=lambda score, tokens: score):
    """All outputs, best first."""
    every = [
        Hypothesis(tokens, penalised(toy.score(sentence, tokens), tokens))
        for tokens in outputs(toy.vocabulary, end_id, max_length)
    ]
    return sorted(every, key=lambda hypothesis: -hypothesis.score)


def padded(tokens, max_length):
    return [*tokens, *[0] * (max_length - len(tokens))]


def read(token_ids, length, end_id):
    """The tokens of a result's row, the end id among them if it came."""
    tokens = tuple(int(token) for token in token_ids)
    assert not any(tokens[length + 1 :])
    ended = length < len(tokens)
    assert not ended or tokens[length] == end_id
    assert end_id not in tokens[:length]
    return tokens[: length + ended]


compiled = functools.cache(gradients.compiled)
MODES = {"compiled": compiled, "eager": lambda function: function}
if not JAX:
    import tensorflow as tf

    MODES["graph"] = tf.function


def numpy(decoded):
    """The same `Decoded` with arrays for tensors."""
    fields = [None if field is None else ops.convert_to_numpy(field) for field in decoded]
    return type(decoded)(*fields)


def refused(message):
    """Expects a `ValueError` with this message, from its first word to its last."""
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")
