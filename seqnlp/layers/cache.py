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
