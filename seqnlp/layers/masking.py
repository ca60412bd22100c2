"""Masks: bool tensors, True at real tokens."""

from keras import ops


def lengths_of(mask):
    """Number of real tokens: bool `(batch, time)` -> int32 `(batch,)`."""
    return ops.sum(ops.cast(mask, "int32"), axis=1)


def first_and_last(mask):
    """One-hot bool `(batch, time)` twice: the first and the last real token of every row.

    Masks may have holes and padding on the left; a row without real tokens is all False.
    """
    count = ops.cumsum(ops.cast(mask, "int32"), axis=1)
    first = ops.logical_and(mask, count == 1)
    last = ops.logical_and(mask, count == count[:, -1:])
    return first, last


def positions_of(mask):
    """Real tokens before each: bool `(batch, time)` -> int32; 0 also before the first."""
    return ops.maximum(ops.cumsum(ops.cast(mask, "int32"), axis=1) - 1, 0)


def places_of_real_tokens(mask):
    """Places of the real tokens, in order, then of the others: bool -> int32 `(batch, time)`."""
    time = ops.shape(mask)[1]
    position = ops.arange(time, dtype="int32")[None]
    order = ops.argsort(ops.where(mask, position, position + time), axis=1)
    return ops.cast(order, "int32")


def real_tokens_first(values, mask):
    """Moves the real tokens of int `(batch, time)` to the front of their row, in order.

    What stands behind the real tokens is meaningless.
    """
    return ops.take_along_axis(values, places_of_real_tokens(mask), axis=1)


def masked_softmax(scores, mask=None, axis=-1):
    """Softmax over the places that `mask` marks, in float32; zeros where it marks none.

    `mask` broadcasts to `scores`; None marks all places. What scores hold elsewhere is ignored.
    """
    scores = ops.cast(scores, "float32")
    if mask is None:
        return ops.softmax(scores, axis=axis)
    mask = ops.cast(mask, "bool")
    return ops.where(mask, ops.softmax(ops.where(mask, scores, -1e30), axis=axis), 0.0)
