"""Scaled dot-product attention: over all keys, over those nearby, and token by token."""

import math

from keras import ops

from seqnlp.layers.masking import HIDDEN, masked_softmax, positions_of

LEAST_BLOCK = 32  # queries at a time: smaller products would not pay


def dot_product_attention(queries, keys, values, mask=None, dropout=None):
    """Attention of every query over every key.

        weights = softmax(queries keys^T / sqrt(head_units))
        context = weights values

    Args:
        queries: Float tensor `(batch, heads, target, head_units)`.
        keys: Float tensor `(batch, heads, source, head_units)`.
        values: Float tensor `(batch, heads, source, head_units)`.
        mask: Bool tensor that broadcasts to `(batch, heads, target, source)`, or None.
        dropout: Function of the weights, or None.

    Returns:
        `context`, of the shape of the queries, and `weights`, float32 `(batch, heads, target,
        source)`, before dropout.

    Reference: https://arxiv.org/abs/1706.03762, section 3.2.1
    """
    scores = ops.matmul(_scaled(queries), ops.swapaxes(keys, -1, -2))
    weights = masked_softmax(scores, mask)
    used = ops.cast(weights, values.dtype)
    if dropout is not None:
        used = dropout(used)
    return ops.matmul(used, values), weights


def window_attention(queries, keys, values, window, mask=None, causal=False, dropout=None):
    """Attention of every query over the keys of at most `window` places away.

    The same as `dot_product_attention` under such a mask, but at a cost that grows as `time`
    times `window`: queries go in blocks, and a block sees its own keys and `window` more on
    either side.

    Args:
        queries: Float tensor `(batch, heads, time, head_units)`.
        keys: Float tensor of the same shape.
        values: Float tensor of the same shape.
        window: Places on either side that a query attends to, at least 1.
        mask: Bool tensor `(batch, time)`, True at real tokens, or None.
        causal: Whether queries attend to no key behind them.
        dropout: Function of the weights, or None.

    Returns:
        The context, `(batch, heads, time, head_units)`.

    Reference: https://arxiv.org/abs/1706.03762, section 4
    """
    batch, heads, time, head_units = ops.shape(queries)
    block = max(window, LEAST_BLOCK)
    if mask is None:
        mask = ops.ones((1, time), dtype="bool")
    queries = _blocks(queries, block)  # (batch, heads, blocks, block, head_units)
    keys, values, real = (
        _with_sides(_blocks(x, block), window, causal)
        for x in (keys, values, mask[:, None, :, None])
    )  # (batch, heads, blocks, seen, ...)
    seen = block + (1 if causal else 2) * window
    ahead = ops.arange(seen)[None] - window - ops.arange(block)[:, None]  # (block, seen)
    near = ops.logical_and(_is_near(ahead, causal, window), ops.swapaxes(real, -1, -2))
    context, _ = dot_product_attention(queries, keys, values, near, dropout)
    return ops.reshape(context, (batch, heads, -1, head_units))[:, :, :time]


def _blocks(tensor, size):
    """`(batch, heads, time, units)` -> `(batch, heads, blocks, size, units)`, zeros at the end."""
    batch, heads, time, units = ops.shape(tensor)
    number = (time + size - 1) // size
    filling = ops.zeros((batch, heads, size, units), dtype=tensor.dtype)
    whole = ops.concatenate([tensor, filling], axis=2)[:, :, : number * size]
    return ops.reshape(whole, (batch, heads, number, size, units))


def _with_sides(blocks, window, causal):
    """Puts to each block the last places of the one before and the first of the next."""
    nothing = ops.zeros_like(blocks[:, :, :1, :window])
    before = ops.concatenate([nothing, blocks[:, :, :-1, -window:]], axis=2)
    parts = [before, blocks]
    if not causal:
        parts.append(ops.concatenate([blocks[:, :, 1:, :window], nothing], axis=2))
    return ops.concatenate(parts, axis=3)


def cached_attention(queries, own, keys, values, past):
    """Attention of one query a row over the row's own token and those before it.

    Sums of products, since a matrix product for each row and head, of a single row itself, keeps
    no processor busy. The own token comes by itself: to read it out of the cache, XLA would
    copy all of that.

    Args:
        queries: Float tensor `(rows, heads, head_units)`.
        own: Pair of the key and the value of the own token, of the same shape.
        keys: Float tensor `(rows, length, heads, head_units)`.
        values: Float tensor `(rows, length, heads, head_units)`.
        past: Bool tensor `(length,)`, the places to attend to.

    Returns:
        The context, `(rows, heads, head_units)`.
    """
    queries = ops.cast(_scaled(queries), "float32")
    own_key, own_value = (ops.cast(x, "float32") for x in own)
    scores = ops.sum(queries[:, None] * ops.cast(keys, "float32"), axis=-1)
    scores = ops.where(past[:, None], scores, HIDDEN)  # (rows, length, heads)
    own_score = ops.sum(queries * own_key, axis=-1)[:, None]
    weights = ops.softmax(ops.concatenate([scores, own_score], axis=1), axis=1)
    context = ops.sum(weights[:, :-1, :, None] * ops.cast(values, "float32"), axis=1)
    return ops.cast(context + weights[:, -1, :, None] * own_value, values.dtype)


def shared_attention(queries, own, keys, values, past):
    """Attention of one query a row, over its own token and those that rows of its sentence wrote.

    The heads of a sentence go into one product, in which each query is zero but for its own head:
    that is more to multiply, but few and large products, and keys are read where they are.

    Args:
        queries: Float tensor `(rows, heads, head_units)`, sentence by sentence.
        own: Pair of the key and the value of the own token, of the same shape.
        keys: Float tensor `(rows, length, heads, head_units)`.
        values: Float tensor `(rows, length, heads, head_units)`.
        past: Bool tensor `(batch, beams, beams, length)`: for each row of a sentence the places
            of each row that it attends to.

    Returns:
        The context, `(rows, heads, head_units)`.
    """
    rows, heads, head_units = ops.shape(queries)
    batch, beams, _, length = ops.shape(past)
    units, places = heads * head_units, beams * length
    queries = _scaled(queries)
    diagonal = ops.cast(ops.eye(heads), queries.dtype)
    asked = ops.reshape(queries, (batch, beams, heads, head_units))
    asked = ops.transpose(asked, (0, 2, 3, 1))[..., None] * diagonal[:, None, None]
    asked = ops.reshape(asked, (batch, units, beams * heads))
    keys, values = (ops.reshape(x, (batch, places, units)) for x in (keys, values))
    scores = ops.reshape(ops.matmul(keys, asked), (batch, places, beams, heads))
    past = ops.reshape(ops.transpose(past, (0, 2, 3, 1)), (batch, places, beams, 1))
    scores = ops.where(past, ops.cast(scores, "float32"), HIDDEN)
    scores = ops.reshape(ops.transpose(scores, (0, 2, 3, 1)), (rows, heads, places))
    own_score = ops.cast(ops.sum(queries * own[0], axis=-1, keepdims=True), "float32")
    weights = ops.softmax(ops.concatenate([scores, own_score], axis=-1))
    weights = ops.cast(weights, values.dtype)
    seen = ops.reshape(weights[..., :-1], (batch, beams * heads, places))
    context = ops.reshape(ops.matmul(seen, values), (rows, heads, heads, head_units))
    context = ops.sum(context * diagonal[..., None], axis=2)
    return context + weights[..., -1:] * own[1]


def attention_mask(mask, time, causal=False, window=None):
    """Which token may attend to which, bool `(batch or 1, 1, target, source)`, or None for all.

    Args:
        mask: Bool tensor `(batch, time)`, True at real tokens, or None.
        time: Number of tokens.
        causal: Whether tokens attend to none behind them.
        window: Real tokens on either side that a token attends to; None for all of them.
    """
    allowed = None if mask is None else mask[:, None, None]
    if causal or window is not None:
        places = ops.arange(time, dtype="int32")[None] if mask is None else positions_of(mask)
        ahead = places[:, None] - places[:, :, None]  # (batch or 1, target, source)
        near = _is_near(ahead, causal, window)[:, None]
        allowed = near if allowed is None else ops.logical_and(allowed, near)
    return allowed


def _is_near(ahead, causal, window):
    """Whether keys that many tokens ahead of a query may be attended to."""
    near = ahead <= (0 if causal else window)
    return near if window is None else ops.logical_and(near, ahead >= -window)


def _scaled(queries):
    """Queries over the root of their width, which keeps the scores of random ones near 1."""
    return queries * (1 / math.sqrt(queries.shape[-1]))
