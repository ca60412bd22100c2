"""The workload of a recurrent encoder and decoder with attention: sizes, and all weights."""

import numpy as np

from benchmarks.translation_workload import (
    BATCH,
    SOURCE,
    SPECIAL,
    TARGET,
    VOCABULARY,
    kernel,
    normal,
)

EMBEDDING, UNITS, BEAMS = 256, 512, 5
BEAM = f"beam {BEAMS}"
NEVER = -30.0  # the output's bias of what is no word

ENCODER_WEIGHTS = ("encoder kernel", "encoder recurrent", "encoder bias")
DECODER_WEIGHTS = ("decoder kernel", "decoder recurrent", "decoder bias")
ATTENTION_WEIGHTS = ("query", "key", "v")
OUTPUT_WEIGHTS = ("output kernel", "output bias")


def weights():
    """Dict of float32 arrays, shaped as Keras does; gates in the order update, reset, candidate.

    The biases of a GRU are `(2, 3 * UNITS)`: of the inputs, and of the recurrence.
    """
    random = np.random.default_rng(1)
    gates = 3 * UNITS
    bias = normal(random, VOCABULARY, scale=0.1)
    bias[:SPECIAL] = NEVER
    return {
        "source embedding": normal(random, VOCABULARY, EMBEDDING, scale=1.0),
        "target embedding": normal(random, VOCABULARY, EMBEDDING, scale=1.0),
        "encoder kernel": kernel(random, EMBEDDING, gates),
        "encoder recurrent": kernel(random, UNITS, gates),
        "encoder bias": normal(random, 2, gates, scale=0.1),
        "decoder kernel": kernel(random, EMBEDDING + UNITS, gates),
        "decoder recurrent": kernel(random, UNITS, gates),
        "decoder bias": normal(random, 2, gates, scale=0.1),
        "query": kernel(random, UNITS, UNITS),
        "key": kernel(random, UNITS, UNITS),
        "v": normal(random, UNITS, scale=0.3),
        "output kernel": normal(random, UNITS, VOCABULARY, scale=0.2),
        "output bias": bias,
    }


def gflop():
    """Metric -> GFLOP of matrix products of a batch; a step back costs twice the way forward."""
    encoder = SOURCE * ((EMBEDDING + UNITS) * 3 * UNITS + UNITS * UNITS)
    cell = (EMBEDDING + 2 * UNITS) * 3 * UNITS
    attention = UNITS * UNITS + 2 * SOURCE * UNITS
    decoder = TARGET * (attention + cell + UNITS * VOCABULARY)
    once = 2e-9 * BATCH
    return {
        "training step": 3 * once * (encoder + decoder),
        "greedy": once * (encoder + decoder),
        BEAM: once * (encoder + BEAMS * decoder),
    }
