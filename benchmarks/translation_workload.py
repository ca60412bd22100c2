"""What both workloads from sequence to sequence read and write, and how decoders are compared."""

import numpy as np

BATCH, SOURCE, TARGET, VOCABULARY = 64, 30, 30, 8000
START, END = 2, 3
SPECIAL = 4  # ids that are no words; the weights see to it that none of them is ever chosen
STEPS = 2  # of training in a call, on the same batch: the second one tells what the first has done
LEARNING_RATE = 1e-3
EPSILON = 1e-10  # so small that it does not matter that Keras adds it before Adam's correction


def sentences():
    """Int32 `source (BATCH, SOURCE)` and `target (BATCH, TARGET + 1)`, which begins with START."""
    random = np.random.default_rng(0)
    source, target = (
        random.integers(SPECIAL, VOCABULARY, size=(BATCH, time)).astype("int32")
        for time in (SOURCE, TARGET + 1)
    )
    target[:, 0] = START
    return source, target


def best(token_ids, scores):
    """What decoders are compared by: the best hypotheses of the sentences.

    Args:
        token_ids: int `(batch, TARGET)`.
        scores: float `(batch,)`, their log probabilities.
    """
    return {"tokens": np.asarray(token_ids, "int32"), "scores": np.asarray(scores, "float32")}


def normal(random, *shape, scale):
    """Float32 normal numbers."""
    return random.normal(scale=scale, size=shape).astype("float32")


def kernel(random, *shape):
    """Float32 normal numbers that keep the variance of their inputs, `shape[0]` of them."""
    return normal(random, *shape, scale=shape[0] ** -0.5)
