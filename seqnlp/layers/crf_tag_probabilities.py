"""Probabilities of stretches of tags under a linear-chain CRF."""

from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN
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

    Raises:
        ValueError: A shape does not fit, or a tag id is out of range; see there.

    Reference: Culotta & McCallum 2004, https://aclanthology.org/N04-4028, section 3
    """
    scores = crf_scores(potentials, mask, transitions, start_transitions, end_transitions)
    check_tags(tags, mask, tuple(potentials.shape))
    alone, after = path_log_probabilities(scores, ops.expand_dims(tags, axis=1))
    return alone[:, 0], after[:, 0]


def path_log_probabilities(scores, tags):
    """As `crf_tag_log_probabilities`, of several tag sequences for each row.

    Args:
        scores: `crf_inputs.Scores`.
        tags: Int `(batch, paths, time)`.

    Returns:
        `alone`, `after`, float32 `(batch, paths, time)`.
    """
    tags = ops.where(scores.mask[:, None], ops.cast(tags, "int32"), 0)

    def step(state, x):
        before, tag_before, started = state  # (batch, tags), (batch, paths), (batch, 1)
        potential, onward, tag, real = x
        arriving = ops.logsumexp(before[..., None] + scores.transitions, axis=1)
        arriving = ops.where(started, arriving, scores.start)
        alone = _log_softmax_at((arriving + onward)[:, None], tag)  # (batch, paths)
        following = ops.take(scores.transitions, tag_before, axis=0) + onward[:, None]
        following = _log_softmax_at(following, tag)
        now = arriving + potential
        now = now - ops.max(now, axis=-1, keepdims=True)
        state = (
            ops.where(real, now, before),
            ops.where(real, tag, tag_before),
            ops.logical_or(started, real),
        )
        after = ops.where(started, following, alone)
        return state, (ops.where(real, alone, 0.0), ops.where(real, after, 0.0))

    steps = ops.transpose(scores.potentials, (1, 0, 2))  # (time, batch, tags)
    real = ops.transpose(scores.mask)[..., None]  # (time, batch, 1)
    onward = backward_messages(scores, ops.logsumexp)
    tags = ops.transpose(tags, (2, 0, 1))  # (time, batch, paths)
    initial = ops.zeros_like(steps[0]), ops.zeros_like(tags[0]), ops.zeros_like(real[0])
    _, found = scan(step, initial, (steps, onward, tags, real))
    return tuple(ops.transpose(log_probability, (1, 2, 0)) for log_probability in found)


def _log_softmax_at(logits, tag):
    """The log probability `(batch, paths)` of a tag under logits `(batch, 1 or paths, tags)`.

    From the odds of the other tags: beside 1 they would be rounded away where the tag is almost
    certain, as the 300 tokens of a sentence may be.
    """
    chosen = ops.arange(logits.shape[-1], dtype="int32") == tag[..., None]
    own = ops.sum(ops.where(chosen, logits, 0.0), axis=-1)
    others = ops.logsumexp(ops.where(chosen, FORBIDDEN, logits), axis=-1)
    return -ops.softplus(others - own)
