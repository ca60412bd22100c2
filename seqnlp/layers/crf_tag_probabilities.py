"""Probabilities of stretches of tags under a linear-chain CRF."""

from keras import ops

from seqnlp.layers.crf_inputs import check_tags, crf_scores
from seqnlp.layers.crf_messages import backward_messages
from seqnlp.scan import scan


def crf_tag_log_probabilities(
    potentials, tags, mask, transitions, start_transitions=None, end_transitions=None
):
    """Log probability of each given tag, alone and after the one before it.

    The posterior of a linear-chain CRF is a Markov chain, so a stretch of tags, a span for
    instance, has the probability

        log P(tags[s..e]) = alone[s] + sum over t = s + 1 .. e of after[t]

    which is the log norm of the paths that take those tags less the log norm of all of them.

    Args: as the functions of `seqnlp.layers.crf_likelihood`.

    Returns:
        `alone`, float32 `(batch, time)`: log of the tag's marginal probability; `after`, float32
        `(batch, time)`: log probability of the tag given that of the real token before it, and
        `alone` at the first one. Zeros at padding. Impossible tags have about -1e9.

    Reference: Culotta & McCallum 2004, https://aclanthology.org/N04-4028, section 3
    """
    scores = crf_scores(potentials, mask, transitions, start_transitions, end_transitions)
    check_tags(tags, mask, tuple(potentials.shape))
    tags = ops.where(scores.mask, ops.cast(tags, "int32"), 0)

    def step(state, x):
        before, tag_before, started = state
        potential, onward, tag, real = x
        arriving = ops.logsumexp(before[..., None] + scores.transitions, axis=1)  # (batch, tags)
        arriving = ops.where(started, arriving, scores.start)
        alone = _log_share(arriving + onward, tag)
        following = ops.take(scores.transitions, tag_before, axis=0) + onward
        after = ops.where(started[:, 0], _log_share(following, tag), alone)
        now = arriving + potential
        now = now - ops.max(now, axis=-1, keepdims=True)
        state = (
            ops.where(real, now, before),
            ops.where(real[:, 0], tag, tag_before),
            ops.logical_or(started, real),
        )
        return state, (ops.where(real[:, 0], alone, 0.0), ops.where(real[:, 0], after, 0.0))

    steps = ops.transpose(scores.potentials, (1, 0, 2))  # (time, batch, tags)
    real = ops.transpose(scores.mask)[..., None]
    onward = backward_messages(scores, ops.logsumexp)
    initial = ops.zeros_like(steps[0]), ops.zeros_like(tags[:, 0]), ops.zeros_like(real[0])
    _, found = scan(step, initial, (steps, onward, ops.transpose(tags), real))
    return tuple(ops.transpose(log_probability) for log_probability in found)


def _log_share(log_weights, tag):
    """Log of the share that `tag (batch,)` has of the weights `(batch, tags)`."""
    shares = ops.log_softmax(log_weights, axis=-1)
    return ops.take_along_axis(shares, tag[:, None], axis=-1)[:, 0]
