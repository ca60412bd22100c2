"""Additive beside multiplicative attention: models that differ in the score alone."""

from functools import partial

import keras
import numpy as np

from benchmarks import seq2seq, seq2seq_workload, translation
from benchmarks.timing import Case, main
from seqnlp.layers import BahdanauAttention, LuongAttention

WORKLOAD = "attention score"
SCORES = ("additive", "projected", "general", "dot")


def cases():
    """A training step under XLA for each score."""
    for score in SCORES:
        make = partial(training, score)
        yield Case(WORKLOAD, f"training step, {score}", make)


def training(score):
    """Steps of a model whose weights are drawn with the same seed for every score."""
    random, model = np.random.default_rng(1), seq2seq.built(attention(score))
    for variable in model.trainable_variables:
        scale = variable.shape[0] ** -0.5
        variable.assign(random.normal(scale=scale, size=variable.shape))
    return translation.training(model, xla=True)


def attention(score):
    """The layer: v tanh(W1 x + W2 q), or a product of both sides, projected or not."""
    if score == "additive":
        return BahdanauAttention(seq2seq_workload.UNITS)
    units = seq2seq_workload.UNITS if score == "projected" else None
    return LuongAttention(score, units=units)


if __name__ == "__main__":
    main(cases(), ["keras", "seqnlp", keras.backend.backend()])
