"""The recursion over time that decoding and sampling of a linear-chain CRF share."""

from keras import ops

from seqnlp.layers.crf_inputs import Scores
from seqnlp.scan import scan


def forward_messages(scores, combine):
    """What the paths up to each token score together, by the tag that they end with.

    Args:
        scores: `crf_inputs.Scores`.
        combine: `ops.logsumexp` for the sum of all paths, `ops.max` for the best one.

    Returns:
        Float32 `(time, batch, tags)`, the token's potential included, each row up to a constant
        of its own: the best is 0, which keeps float32 fine at great lengths. Padding repeats the
        token before it, and is 0 before the first.
    """

    def step(state, x):
        before, started = state
        potential, real = x
        arriving = combine(before[..., None] + scores.transitions, axis=1)  # (batch, tags)
        now = ops.where(started, arriving, scores.start) + potential
        now = ops.where(real, now - ops.max(now, axis=-1, keepdims=True), before)
        return (now, ops.logical_or(started, real)), now

    steps = ops.transpose(scores.potentials, (1, 0, 2))
    real = ops.transpose(scores.mask)[..., None]  # (time, batch, 1)
    nothing = ops.zeros_like(steps[0]), ops.zeros_like(real[0])
    return scan(step, nothing, (steps, real))[1]


def backward_messages(scores, combine):
    """As `forward_messages`, of the paths from each token on by the tag they begin with."""
    reverse = Scores(
        ops.flip(scores.potentials, axis=1),
        ops.flip(scores.mask, axis=1),
        ops.transpose(scores.transitions),
        scores.end,
        scores.start,
    )
    return ops.flip(forward_messages(reverse, combine), axis=0)


def before_each(messages):
    """What stood before each token: zeros, then all but the last of `(time, batch, tags)`."""
    return ops.concatenate([ops.zeros_like(messages[:1]), messages[:-1]], axis=0)
