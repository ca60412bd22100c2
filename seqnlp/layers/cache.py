"""How a step writes its token into a cache of a fixed size."""

import contextlib
import contextvars

from keras import ops

_PORTABLE = contextvars.ContextVar("portable", default=False)


@contextlib.contextmanager
def portable_caches():
    """What is traced inside writes caches with core ops, as a SavedModel needs it.

    Elsewhere a step writes in place, about a tenth faster, but on TensorFlow by an op of XLA: a
    server would compile it anew for each batch size, and one on a GPU may not know how.
    """
    token = _PORTABLE.set(True)
    try:
        yield
    finally:
        _PORTABLE.reset(token)


def with_token(cache, token, position):
    """The cache `(rows, length, ...)` with a token `(rows, 1, ...)` at an int scalar position."""
    others = (1,) * (len(cache.shape) - 2)
    if _PORTABLE.get():
        here = ops.arange(cache.shape[1], dtype="int32") == position
        return ops.where(ops.reshape(here, (-1, *others)), token, cache)
    return ops.slice_update(cache, (0, position, *(0 for _ in others)), token)


def with_origin(origins, batch, position):
    """Notes that each hypothesis writes the place `position` of its own row.

    Args:
        origins: Int32 tensor `(rows, length)`: which row of its sentence, from 0, holds each
            place of a hypothesis's past. The rows of a sentence stand one after the other.
        batch: Number of sentences.
        position: Int scalar tensor.

    Returns:
        The new origins, and the places that hold each hypothesis's past, bool `(batch, beams,
        beams, length)`; None for these where each sentence has one row.
    """
    rows, length = ops.shape(origins)
    if isinstance(rows, int) and rows == batch:
        return origins, None
    beams = rows // batch
    own = ops.arange(rows, dtype="int32") % beams
    place = ops.arange(length, dtype="int32")
    origins = ops.where(place == position, own[:, None], origins)
    beam = ops.arange(beams, dtype="int32")[:, None]
    return origins, ops.reshape(origins, (batch, -1, 1, length)) == beam
