"""Masks: bool tensors, True at real tokens."""

from keras import ops

HIDDEN = -1e30  # the score of what must not be attended to


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


def places_without_padding(mask):
    """Where every token stands once the padding is left out, and what stands there then.

    Args:
        mask: Bool tensor `(batch, time)`, True at real tokens.

    Returns:
        `places` and `origins`, int32 `(batch, time)`: the real tokens, moved to the front in
        order, are `values[origins]`, and come back from there by `[places]`. Behind the last
        real token `origins` lists the padding.
    """
    batch, time = ops.shape(mask)
    real = ops.cumsum(ops.cast(mask, "int32"), axis=1)
    padding = ops.cumsum(1 - ops.cast(mask, "int32"), axis=1)
    row = time * ops.arange(batch, dtype="int32")[:, None]
    rank = row + ops.where(mask, real, real[:, -1:] + padding) - 1
    # By a scatter: beside the sort of `ops.argsort`, XLA draws dropout masks many times over.
    index = ops.broadcast_to(ops.arange(time, dtype="int32"), ops.shape(rank))
    origins = ops.scatter(ops.reshape(rank, (-1, 1)), ops.reshape(index, (-1,)), (batch * time,))
    return ops.maximum(real - 1, 0), ops.reshape(origins, (batch, time))


def take_places(values, places):
    """`values[b, places[b, t]]`: `(batch, time, ...)`, int `(batch, n)` -> `(batch, n, ...)`.

    One gather of whole rows, which XLA runs much faster than one of single values.
    """
    batch, time, *rest = ops.shape(values)
    rows = places + time * ops.arange(batch, dtype="int32")[:, None]
    return ops.take(ops.reshape(values, (batch * time, *rest)), rows, axis=0)


def real_tokens_first(values, mask):
    """Moves the real tokens of `(batch, time, ...)` to the front of their row, in order.

    What stands behind the real tokens is meaningless.
    """
    _, origins = places_without_padding(mask)
    return take_places(values, origins)


def masked_softmax(scores, mask=None, axis=-1):
    """Softmax over the places that `mask` marks, in float32; zeros where it marks none.

    `mask` broadcasts to `scores`; None marks all places. What scores hold elsewhere is ignored.
    """
    scores = ops.cast(scores, "float32")
    if mask is None:
        return ops.softmax(scores, axis=axis)
    mask = ops.cast(mask, "bool")
    return ops.where(mask, ops.softmax(ops.where(mask, scores, HIDDEN), axis=axis), 0.0)
