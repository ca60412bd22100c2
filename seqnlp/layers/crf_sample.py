"""Samples of tag sequences from the posterior of a linear-chain CRF."""

import keras
from keras import ops

from seqnlp.layers.crf_inputs import crf_scores
from seqnlp.layers.crf_messages import before_each, forward_messages
from seqnlp.scan import scan


def crf_sample(
    potentials,
    mask,
    transitions,
    start_transitions=None,
    end_transitions=None,
    num_samples=1,
    seed=None,
    allowed=None,
):
    """Tag sequences drawn with the probability that the CRF gives them.

    Exact and independent samples by forward filtering and backward sampling: the last tag is
    drawn from its marginal, each one before it given the tag behind it. The arguments are those
    of `seqnlp.layers.crf_likelihood`.

    Args:
        num_samples: How many for each row, at least 1.
        seed: An int, which gives the same samples at every call; a
            `keras.random.SeedGenerator`; or None for Keras' global generator.

    Returns:
        `tags` int32 `(batch, num_samples, time)`, 0 at padding.

    Raises:
        ValueError: `num_samples` is out of range, a shape does not fit, or `allowed` leaves a real
            token no tag.

    Reference: Murphy 2012, Machine learning: a probabilistic perspective, section 17.4.5
    """
    rest = (transitions, start_transitions, end_transitions, allowed)
    scores = crf_scores(potentials, mask, *rest)
    if num_samples < 1:
        raise ValueError(f"`num_samples` must be at least 1. Received: num_samples={num_samples}")
    filtered = forward_messages(scores, ops.logsumexp)  # (time, batch, tags)
    time, batch = ops.shape(filtered)[:2]
    uniforms = keras.random.uniform((time + 1, batch, num_samples), seed=seed, dtype="float32")
    into = ops.transpose(scores.transitions)

    def backward(tag, x):
        before, real, uniform = x
        previous = _draw(before[:, None] + ops.take(into, tag, axis=0), uniform)
        real = real[:, None]
        return ops.where(real, previous, tag), ops.where(real, tag, 0)

    last = (filtered[-1] + scores.end)[:, None]  # (batch, 1, tags)
    last = _draw(ops.repeat(last, num_samples, axis=1), uniforms[-1])
    steps = before_each(filtered), ops.transpose(scores.mask), uniforms[:-1]
    _, tags = scan(backward, last, steps, reverse=True)
    return ops.transpose(tags, (1, 2, 0))


def _draw(logits, uniform):
    """A tag `(batch, samples)` from logits `(batch, samples, tags)` and as many uniforms."""
    probabilities = ops.softmax(logits, axis=-1)
    reached = ops.cumsum(probabilities, axis=-1)
    below = reached <= uniform[..., None] * reached[..., -1:]
    tag = ops.sum(ops.cast(below, "int32"), axis=-1)
    tag = ops.minimum(tag, logits.shape[-1] - 1)
    # Rounding of the sums may point at a neighbour, which must not be an impossible one.
    chosen = ops.take_along_axis(probabilities, tag[..., None], axis=-1)[..., 0]
    best = ops.cast(ops.argmax(probabilities, axis=-1), "int32")
    return ops.where(chosen > 0, tag, best)
