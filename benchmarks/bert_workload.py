"""BERT's workload: sizes, a batch of pairs, and all weights under Hugging Face's names."""

import numpy as np

from benchmarks.translation_workload import kernel, normal

BATCH, TIME, PREDICTIONS, VOCABULARY = 32, 128, 20, 30522
UNITS, HEADS, HIDDEN, LAYERS, POSITIONS = 256, 4, 1024, 4, 512
WORDS = 1000  # the first id that is a word
STEPS = 2  # of training in a call, on the same batch: the second one tells what the first has done
LEARNING_RATE = 1e-4
EPSILON = 1e-10  # so small that it does not matter that Keras adds it before Adam's correction


def pairs():
    """Dict of int32 arrays: pairs without padding, and what was hidden in them.

    `token_ids` and `segment_ids` `(BATCH, TIME)`, `positions` and `masked_lm`
    `(BATCH, PREDICTIONS)`, `next_sentence` `(BATCH,)`.
    """
    random = np.random.default_rng(0)
    shape = BATCH, TIME
    places = [np.sort(random.permutation(TIME)[:PREDICTIONS]) for _ in range(BATCH)]
    found = {
        "token_ids": random.integers(WORDS, VOCABULARY, size=shape),
        "segment_ids": np.broadcast_to(np.arange(TIME) >= TIME // 2, shape),
        "positions": np.stack(places),
        "masked_lm": random.integers(WORDS, VOCABULARY, size=(BATCH, PREDICTIONS)),
        "next_sentence": random.integers(2, size=BATCH),
    }
    return {name: array.astype("int32") for name, array in found.items()}


def weights():
    """Dict of float32 arrays by Hugging Face's names, kernels `(to, from)`."""
    random, found = np.random.default_rng(1), {}

    def dense(name, units, given):
        found[f"{name}.weight"] = np.ascontiguousarray(kernel(random, given, units).T)
        found[f"{name}.bias"] = normal(random, units, scale=0.1)

    def norm(name):
        found[f"{name}.weight"] = 1 + normal(random, UNITS, scale=0.1)
        found[f"{name}.bias"] = normal(random, UNITS, scale=0.1)

    for name, rows in (("word", VOCABULARY), ("position", POSITIONS), ("token_type", 2)):
        found[f"bert.embeddings.{name}_embeddings.weight"] = normal(
            random, rows, UNITS, scale=UNITS**-0.5
        )
    norm("bert.embeddings.LayerNorm")
    for at in range(LAYERS):
        layer = f"bert.encoder.layer.{at}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{layer}.attention.{part}", UNITS, UNITS)
        norm(f"{layer}.attention.output.LayerNorm")
        dense(f"{layer}.intermediate.dense", HIDDEN, UNITS)
        dense(f"{layer}.output.dense", UNITS, HIDDEN)
        norm(f"{layer}.output.LayerNorm")
    dense("bert.pooler.dense", UNITS, UNITS)
    found["cls.predictions.bias"] = normal(random, VOCABULARY, scale=0.1)
    dense("cls.predictions.transform.dense", UNITS, UNITS)
    norm("cls.predictions.transform.LayerNorm")
    dense("cls.seq_relationship", 2, UNITS)
    return found


def gflop():
    """Metric -> GFLOP of matrix products of a batch; a step back costs twice the way forward."""
    token = 4 * UNITS**2 + 2 * UNITS * HIDDEN + 2 * TIME * UNITS
    heads = UNITS**2 + PREDICTIONS * (UNITS**2 + UNITS * VOCABULARY)
    return {"training step": 3 * 2e-9 * BATCH * (LAYERS * TIME * token + heads)}
