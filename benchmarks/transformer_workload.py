"""The Transformer's workload: sizes, and all weights."""

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

UNITS, HEADS, HIDDEN, LAYERS, BEAMS = 256, 4, 1024, 3, 4
BEAM = f"beam {BEAMS}"
NORM_EPSILON = 1e-6
GAIN = 3.0  # of what a branch adds to its input, so that it counts beside the token itself

# Kernels of a layer, by name: those of self-attention hold queries, keys and values side by side,
# those over the source keys and values.
ENCODER = {
    "self": (UNITS, 3 * UNITS),
    "self output": (UNITS, UNITS),
    "hidden": (UNITS, HIDDEN),
    "output": (HIDDEN, UNITS),
}
DECODER = {
    **ENCODER,
    "source query": (UNITS, UNITS),
    "source memory": (UNITS, 2 * UNITS),
    "source output": (UNITS, UNITS),
}


def weights():
    """Dict of float32 arrays: `table (VOCABULARY, UNITS)`, and pairs by stack, layer and name.

    A pair is a kernel and a bias, or the scale and the offset of a norm. The last norm adds to
    all units alike, and the vectors of what is no word are the same at every unit: that makes
    their scores so low that they are never chosen.
    """
    random = np.random.default_rng(1)
    table = normal(random, VOCABULARY, UNITS, scale=2 * UNITS**-0.5)
    table[:SPECIAL] = -2 * UNITS**-0.5
    found = {"table": table}
    for stack, kernels, norms in (("encoder", ENCODER, 2), ("decoder", DECODER, 3)):
        for layer in range(LAYERS):
            for name, shape in kernels.items():
                bias = normal(random, shape[1], scale=0.1)
                gain = GAIN if "output" in name else 1.0
                found[stack, layer, name] = gain * kernel(random, *shape), bias
            for norm in range(norms):
                scale = 1 + normal(random, UNITS, scale=0.1)
                found[stack, layer, f"norm {norm}"] = scale, normal(random, UNITS, scale=0.1)
    found["decoder", LAYERS - 1, "norm 2"] = (
        np.ones(UNITS, "float32"),
        np.full(UNITS, 0.5, "float32"),
    )
    return found


def sines():
    """Float32 `(64, UNITS)`: sine and cosine of a wavelength in turns, a row a position."""
    angles = np.arange(64)[:, None] / 10000 ** (np.arange(0, UNITS, 2) / UNITS)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(64, UNITS).astype("float32")


def gflop():
    """Metric -> GFLOP of matrix products of a batch; a step back costs twice the way forward."""
    network, square = 2 * UNITS * HIDDEN, UNITS * UNITS
    encoder = LAYERS * SOURCE * (4 * square + network + 2 * SOURCE * UNITS)
    memory = LAYERS * SOURCE * 2 * square
    attention = 2 * (TARGET + SOURCE) * UNITS
    decoder = TARGET * (LAYERS * (6 * square + network + attention) + UNITS * VOCABULARY)
    once = 2e-9 * BATCH
    return {
        "training step": 3 * once * (encoder + memory + decoder),
        "greedy": once * (encoder + memory + decoder),
        BEAM: once * (encoder + memory + BEAMS * decoder),
    }
