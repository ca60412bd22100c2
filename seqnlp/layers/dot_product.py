"""Scaled dot-product attention: over all keys, or over those near each query alone."""

import math

from keras import ops

from seqnlp.layers.masking import masked_softmax, positions_of

LEAST_BLOCK = 32  # queries at a time: products of fewer would not pay


def dot_product_attention(queries, keys, values, mask=None, dropout=None):
    """Attention of every query over every key.

        weights = softmax(queries keys^T / sqrt(head_units))
        context = weights values

    Args:
        queries: Float tensor `(batch, target, heads, head_units)`.
        keys: Float tensor `(batch, source, heads, head_units)`.
        values: Float tensor `(batch, source, heads, head_units)`.
        mask: Bool tensor that broadcasts to `(batch, heads, target, source)`, or None.
        dropout: Function of the weights, or None.

    Returns:
        `context` as wide as the queries, and `weights` float32 `(batch, heads, target, source)`,
        before dropout.

    Reference: https://arxiv.org/abs/1706.03762, section 3.2.1
    """
    scores = ops.einsum("bthd,bshd->bhts", scaled(queries), keys)
    weights = masked_softmax(scores, mask)
    used = ops.cast(weights, values.dtype)
    if dropout is not None:
        used = dropout(used)
    return ops.einsum("bhts,bshd->bthd", used, values), weights


def scaled(queries):
    """Queries over the root of their width, which keeps the scores of random ones near 1."""
    return queries * (1 / math.sqrt(queries.shape[-1]))


def attention_mask(mask, time, causal=False, window=None):
    """Which token may attend to which, bool `(batch or 1, 1, target, source)`, or None for all.

    Args:
        mask: Bool tensor `(batch, time)`, True at real tokens, or None.
        time: Number of tokens.
        causal: Whether tokens attend to none behind them.
        window: Real tokens, on either side, that a token attends to; None for all.
    """
    places = ops.arange(time, dtype="int32")[None]
    allowed = None if mask is None else mask[:, None, None]
    if window is not None and mask is not None:
        places = positions_of(mask)
    if causal or window is not None:
        ahead = places[:, None] - places[:, :, None]  # (batch or 1, target, source)
        near = is_near(ahead, causal, window)[:, None]
        allowed = near if allowed is None else ops.logical_and(allowed, near)
    return allowed


def is_near(ahead, causal, window):
    """Whether keys that many tokens ahead of a query may be attended to."""
    near = ahead <= (0 if causal else window)
    return near if window is None else ops.logical_and(near, ahead >= -window)


def window_attention(queries, keys, values, window, mask=None, causal=False, dropout=None):
    """Attention of every query over the keys of at most `window` places away.

    The same as `dot_product_attention` under such a mask, but at a cost that grows as `time`
    times `window`: queries go in blocks, and a block sees its own keys and `window` more on
    either side.

    Args:
        queries: Float tensor `(batch, time, heads, head_units)`.
        keys: Float tensor of the same shape.
        values: Float tensor of the same shape.
        window: Places on either side that a query attends to, at least 1.
        mask: Bool tensor `(batch, time)`, True at real tokens, or None.
        causal: Whether queries attend to no key behind them.
        dropout: Function of the weights, or None.

    Returns:
        The context, `(batch, time, heads, head_units)`.

    Reference: https://arxiv.org/abs/1706.03762, section 4
    """
    batch, time = ops.shape(queries)[:2]
    block = max(window, LEAST_BLOCK)
    if mask is None:
        mask = ops.ones((batch, time), dtype="bool")
    queries = _blocks(scaled(queries), block)  # (batch, blocks, block, heads, head_units)
    keys, values, mask = (
        _with_sides(_blocks(x, block), window, causal) for x in (keys, values, mask)
    )  # (batch, blocks, seen, ...)
    scores = ops.einsum("bnqhd,bnkhd->bnhqk", queries, keys)
    seen = block + (1 if causal else 2) * window
    ahead = ops.arange(seen)[None] - window - ops.arange(block)[:, None]  # (block, seen)
    near = ops.logical_and(is_near(ahead, causal, window), mask[:, :, None, None])
    weights = ops.cast(masked_softmax(scores, near), values.dtype)
    if dropout is not None:
        weights = dropout(weights)
    context = ops.einsum("bnhqk,bnkhd->bnqhd", weights, values)
    return ops.reshape(context, (batch, -1, *values.shape[-2:]))[:, :time]


def _blocks(tensor, size):
    """`(batch, time, ...)` -> `(batch, blocks, size, ...)`, filled up with zeros."""
    batch, time, *rest = ops.shape(tensor)
    number = (time + size - 1) // size
    filling = ops.zeros((batch, size, *rest), dtype=tensor.dtype)
    whole = ops.concatenate([tensor, filling], axis=1)[:, : number * size]
    return ops.reshape(whole, (batch, number, size, *rest))


def _with_sides(blocks, window, causal):
    """Puts to each block the last places of the one before and the first of the next."""
    nothing = ops.zeros_like(blocks[:, :1, :window])
    before = ops.concatenate([nothing, blocks[:, :-1, -window:]], axis=1)
    parts = [before, blocks]
    if not causal:
        parts.append(ops.concatenate([blocks[:, 1:, :window], nothing], axis=1))
    return ops.concatenate(parts, axis=2)
