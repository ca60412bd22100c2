"""One hypothesis a sentence, drawn from the model's distribution."""

import keras
import numpy as np
from keras import ops

from seqnlp.decoding.best_tokens import best_tokens
from seqnlp.decoding.decoded import is_possible
from seqnlp.decoding.greedy import checked_start, decode_rows


def sample(
    step,
    state,
    start_ids,
    end_id,
    max_length,
    temperature=1.0,
    top_k=None,
    top_p=None,
    seed=None,
    rules=(),
):
    """Tokens drawn with their probabilities, one after the other.

    The rules come first, then the temperature, then `top_k`, then `top_p` of what is left. All
    random numbers are drawn before the loop.

    Args:
        step: Takes `(token_ids, state)` and returns `(logits, state)`, as for `greedy`.
        state: The state that `step` starts from.
        start_ids: int `(batch,)`, what `step` is given first; not part of the result.
        end_id: int, the id that ends a sentence.
        max_length: How many tokens at most, the end id among them.
        temperature: What logits are divided by, above 0: below 1 makes the likely likelier.
        top_k: How many tokens to draw from at each step, the best ones; None for all.
        top_p: Draws from the fewest best tokens that together have at least this probability,
            above 0 and at most 1; None for all.
        seed: An int, which gives the same tokens at every call; a
            `keras.random.SeedGenerator`; or None for Keras' global generator. Keras draws other
            numbers under XLA than without it on TensorFlow, and others on JAX.
        rules: Sequence of `seqnlp.decoding.Rule`.

    Returns:
        `Decoded` as of `greedy`. The scores are the model's log probabilities, whatever the
        temperature, `top_k` and `top_p`.

    Raises:
        ValueError: An argument is out of range, or a shape does not fit.

    Reference: Holtzman et al. 2020, The curious case of neural text degeneration,
        section 3.1 (`top_p`)
    """
    _check(temperature, top_k, top_p)
    start_ids = checked_start(start_ids, end_id, max_length)
    shape = (max_length, *ops.shape(start_ids))
    uniforms = keras.random.uniform(shape, seed=seed, dtype="float32")

    def choose(logits, position):
        uniform = ops.take(uniforms, position, axis=0)
        return draw(logits, uniform, temperature, top_k, top_p)

    return decode_rows(step, state, start_ids, end_id, max_length, rules, choose)


def draw(logits, uniform, temperature=1.0, top_k=None, top_p=None):
    """Inverts the distribution function of logits `(rows, vocabulary)` at `uniform (rows,)`.

    Returns logits and ids `(rows,)`. The function adds up ids in their order, or the `top_k` best
    ones, best first.
    """
    ids = None
    if top_k is not None and top_k < logits.shape[-1]:
        logits, ids = best_tokens(logits, top_k)
    best = ops.max(logits, axis=-1, keepdims=True)
    below = (best - logits) / temperature
    weights = ops.where(is_possible(logits), ops.exp(-below), 0.0)
    if top_p is not None and top_p < 1:
        weights = ops.where(below <= _nucleus(weights, below, top_p), weights, 0.0)
    at = _inverse(weights, uniform)[:, None]
    logit = ops.take_along_axis(logits, at, axis=1)
    return logit[:, 0], (at if ids is None else ops.take_along_axis(ids, at, axis=1))[:, 0]


def _nucleus(weights, below, top_p):
    """`(rows, 1)`: how far below the best, in nats, the weights reach `top_p` of their sum.

    Found by halving an interval, far faster than by sorting; what is further below than 64 nats
    weighs nothing beside the best.
    """
    enough = top_p * ops.sum(weights, axis=-1, keepdims=True)

    def halve(_, interval):
        low, high = interval
        middle = (low + high) / 2
        inside = ops.sum(ops.where(below <= middle, weights, 0.0), axis=-1, keepdims=True)
        reached = inside >= enough
        return ops.where(reached, low, middle), ops.where(reached, middle, high)

    start = ops.zeros_like(enough), ops.zeros_like(enough) + 64.0
    return ops.fori_loop(0, 32, halve, start)[1]


def _inverse(weights, uniform):
    """int32 `(rows,)`: where the sum of `weights (rows, size)` exceeds `uniform` of the total.

    First among sums of blocks, then in the block: a running sum of all is slow under XLA.
    """
    size = weights.shape[1]
    each = int(size**0.5)
    full = size // each * each
    sums = ops.sum(ops.reshape(weights[:, :full], (-1, size // each, each)), axis=-1)
    if full < size:  # padding the weights would cost more than all the rest
        last = ops.sum(weights[:, full:], axis=-1, keepdims=True)
        sums = ops.concatenate([sums, last], axis=1)
    block, rest = _first_above(sums, uniform)
    places = block[:, None] * each + np.arange(each, dtype="int32")
    inside = ops.take_along_axis(weights, ops.minimum(places, size - 1), axis=1)
    at, _ = _first_above(ops.where(places < size, inside, 0.0), rest)
    return ops.minimum(block * each + at, size - 1)


def _first_above(weights, uniform):
    """The place where the sum of weights exceeds `uniform` of it, and how far inside in [0, 1]."""
    reached = ops.cumsum(weights, axis=-1)
    target = uniform * reached[:, -1]
    at = ops.sum(ops.cast(reached <= target[:, None], "int32"), axis=-1)
    at = ops.minimum(at, weights.shape[1] - 1)
    # Rounding of the sums may point at a neighbour, which must not be an impossible one.
    weight = ops.take_along_axis(weights, at[:, None], axis=1)[:, 0]
    at = ops.where(weight > 0, at, ops.cast(ops.argmax(weights, axis=-1), "int32"))[:, None]
    weight = ops.take_along_axis(weights, at, axis=1)[:, 0]
    before = ops.take_along_axis(reached, at, axis=1)[:, 0] - weight
    inside = (target - before) / ops.maximum(weight, 1e-30)
    return at[:, 0], ops.clip(inside, 0.0, 1.0)


def _check(temperature, top_k, top_p):
    if not temperature > 0:
        raise ValueError(f"`temperature` must be above 0. Received: temperature={temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"`top_k` must be at least 1. Received: top_k={top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"`top_p` must be above 0 and at most 1. Received: top_p={top_p}")
