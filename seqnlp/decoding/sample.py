"""One hypothesis a sentence, drawn from the model's distribution."""

import keras
from keras import ops

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

    Reference: Holtzman et al. 2020, The curious case of neural text degeneration (`top_p`)
    """
    _check(temperature, top_k, top_p)
    start_ids = checked_start(start_ids, end_id, max_length)
    shape = (max_length, *ops.shape(start_ids))
    uniforms = keras.random.uniform(shape, seed=seed, dtype="float32")

    def choose(logits, position):
        uniform = ops.take(uniforms, position, axis=0)
        return draw(logits / temperature, uniform, top_k, top_p)

    return decode_rows(step, state, start_ids, end_id, max_length, rules, choose)


def draw(logits, uniform, top_k=None, top_p=None):
    """Ids `(rows,)` by inverting the distribution function of logits `(rows, vocabulary)`.

    The ids stand in the order of their probability if `top_k` or `top_p` is given, else in their
    own; `uniform (rows,)` says how far to go.
    """
    ids = None
    if top_k is not None or top_p is not None:
        vocabulary = logits.shape[-1]
        logits, ids = ops.top_k(logits, min(top_k or vocabulary, vocabulary))
    probabilities = ops.where(is_possible(logits), ops.softmax(logits, axis=-1), 0.0)
    if top_p is not None and top_p < 1:
        before = ops.cumsum(probabilities, axis=-1) - probabilities
        probabilities = ops.where(before < top_p, probabilities, 0.0)
    reached = ops.cumsum(probabilities, axis=-1)
    below = reached <= uniform[:, None] * reached[:, -1:]
    at = ops.sum(ops.cast(below, "int32"), axis=-1)
    at = ops.minimum(at, logits.shape[-1] - 1)[:, None]
    # Rounding of the sums may point at a neighbour, which must not be an impossible one.
    best = ops.cast(ops.argmax(probabilities, axis=-1), "int32")[:, None]
    at = ops.where(ops.take_along_axis(probabilities, at, axis=-1) > 0, at, best)
    return (at if ids is None else ops.take_along_axis(ids, at, axis=-1))[:, 0]


def _check(temperature, top_k, top_p):
    if not temperature > 0:
        raise ValueError(f"`temperature` must be above 0. Received: temperature={temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"`top_k` must be at least 1. Received: top_k={top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"`top_p` must be above 0 and at most 1. Received: top_p={top_p}")
