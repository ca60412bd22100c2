"""The best of many logits by maxima and comparisons, which go through many numbers at once.

`ops.argmax` and `ops.top_k` would do the same under XLA, by a loop and by sorting whole rows.
"""

import numpy as np
from keras import ops


def best_token(logits):
    """`(rows, vocabulary)` -> highest logit and its id, both `(rows,)`; of equals the first."""
    best = ops.max(logits, axis=-1)
    vocabulary = logits.shape[-1]
    ids = np.arange(vocabulary, dtype="int32")
    # The last id for a row of NaN, which equals nothing.
    at = ops.where(logits == best[:, None], ids, np.int32(vocabulary - 1))
    return best, ops.min(at, axis=-1)


def best_tokens(logits, k):
    """`(rows, vocabulary)` -> the `k` highest logits and their ids, both `(rows, k)`, best first.

    They are in the `k` blocks of ids with the highest maxima, so that only these are sorted. Of
    equals the first ids come first: as blocks are, so are the ids in them taken in their order.
    """
    vocabulary = logits.shape[-1]
    size = int((vocabulary / k) ** 0.5)  # about where blocks and what is in k of them are as many
    if size < 4:
        values, ids = ops.top_k(logits, k)
        return values, ops.cast(ids, "int32")
    blocks = vocabulary // size
    maxima = ops.max(ops.reshape(logits[:, : blocks * size], (-1, blocks, size)), axis=-1)
    best = ops.sort(ops.cast(ops.top_k(maxima, k)[1], "int32"), axis=-1)
    ids = best[..., None] * size + np.arange(size, dtype="int32")  # (rows, k, size)
    ids = ops.reshape(ids, (-1, k * size))
    values = ops.take_along_axis(logits, ids, axis=1)
    if blocks * size < vocabulary:
        rest = np.arange(blocks * size, vocabulary, dtype="int32")
        values = ops.concatenate([values, logits[:, blocks * size :]], axis=1)
        ids = ops.concatenate([ids, ops.zeros_like(ids[:, :1]) + rest], axis=1)
    values, places = ops.top_k(values, k)
    return values, ops.take_along_axis(ids, places, axis=1)
