"""How undecided a linear-chain CRF is about the tags of a sentence."""

from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN
from seqnlp.layers.crf_inputs import crf_scores
from seqnlp.layers.masking import lengths_of
from seqnlp.scan import scan


def crf_entropy(
    potentials, mask, transitions, start_transitions=None, end_transitions=None, allowed=None
):
    """Entropy of the posterior over tag sequences, float32 `(batch,)`, in nats.

    0 for rows without real tokens or without a possible path. Differentiable. The arguments are
    those of `seqnlp.layers.crf_likelihood`.

    A forward recursion carries, for each tag, the entropy of the paths that end with it:

        p[i, j] = P(tag i before | tag j now, the tokens so far)
        H'[j] = sum_i p[i, j] (H[i] - log p[i, j])

    All its terms are positive, whereas the log norm less the expected score cancels out where
    scores are large.

    Raises:
        ValueError: A shape does not fit, or `allowed` leaves a real token no tag; see there.

    Reference: Hernando, Crespi & Cybenko 2005, IEEE Transactions on Information Theory 51(7)
    """
    rest = (transitions, start_transitions, end_transitions, allowed)
    scores = crf_scores(potentials, mask, *rest)

    def step(state, x):
        before, entropy, norm, started = state
        potential, real = x
        paths = before[..., None] + scores.transitions  # (batch, tags, tags)
        arriving, mixed = _mixture(paths, entropy[..., None])
        now = ops.where(started, arriving, scores.start) + potential
        shift = ops.stop_gradient(ops.max(now, axis=-1, keepdims=True))
        state = (
            ops.where(real, now - shift, before),
            ops.where(ops.logical_and(real, started), mixed, entropy),
            ops.where(real, norm + shift, norm),
            ops.logical_or(started, real),
        )
        return state, ()

    steps = ops.transpose(scores.potentials, (1, 0, 2))
    real = ops.transpose(scores.mask)[..., None]  # (time, batch, 1)
    zeros = ops.zeros_like(steps[0])
    initial = zeros, zeros, ops.zeros_like(zeros[:, :1]), ops.zeros_like(real[0])
    (last, entropy, norm, _), _ = scan(step, initial, (steps, real))
    total, entropy = _mixture(last + scores.end, entropy)
    possible = ops.logical_and(lengths_of(scores.mask) > 0, total + norm[:, 0] > FORBIDDEN / 2)
    return ops.where(possible, entropy, 0.0)


def _mixture(log_weights, entropy):
    """Log of the summed weights over axis 1, and the entropy of choosing there and going on."""
    total = ops.logsumexp(log_weights, axis=1, keepdims=True)
    share = log_weights - total
    return total[:, 0], ops.sum(ops.exp(share) * (entropy - share), axis=1)
