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


def real_tokens_first(values, mask):
    """Moves the real tokens of int `(batch, time)` to the front of their row, in order.

    What stands behind the real tokens is meaningless.
    """
    time = ops.shape(mask)[1]
    position = ops.arange(time, dtype="int32")[None]
    order = ops.argsort(ops.where(mask, position, position + time), axis=1)
    return ops.take_along_axis(values, order, axis=1)


def masked_softmax(scores, mask):
    """Softmax over the last axis, of the scores that `mask` marks: zeros elsewhere.

    In float32. What stands where the mask is False, NaN too, changes nothing, and where it is
    False all along the axis all weights are zeros. `mask` is bool and broadcasts to the shape of
    `scores`.
    """
    scores = ops.where(mask, ops.cast(scores, "float32"), -1e30)
    return ops.where(mask, ops.softmax(scores, axis=-1), 0.0)
