"""Forward and backward recursion of a linear-chain CRF, in one loop.

The loop works on shifted probabilities: a step is a matrix product with `exp(transitions)`,
`tags` exponentials instead of `tags ** 2`. Float32 can lose paths there when scores lie more
than about 70 nats apart, so what the loop found is checked; where the check fails, the same
recursion runs once more in log space, which is exact and slower.
"""

from collections import namedtuple

from keras import ops

from seqnlp.layers.masking import first_and_last, lengths_of
from seqnlp.scan import scan

FORBIDDEN = -1e9
"""Score of a transition or tag that no path may take; its exponential is exactly zero."""

_LOST = 1e-30  # a reachable tag below this may have lost paths to underflow

Posterior = namedtuple("Posterior", "log_norm marginals transitions start end")
Posterior.__doc__ = """What the recursions give for every row.

`log_norm (batch,)`, `marginals (batch, time, tags)`; expected counts of each transition
`(batch, tags, tags)`, and of the first and last tag `(batch, tags)`.
"""


def posterior(potentials, mask, transitions, start, end):
    """`Posterior` of float32 `potentials (batch, time, tags)` and bool `mask (batch, time)`.

    Rows without real tokens have a log norm of zero and no counts.
    """
    chain = _Chain(potentials, mask, transitions, start, end)
    fast, certain = _probability_space(chain)
    log_norm, marginals, pairs = ops.cond(certain, lambda: fast, lambda: _log_space(chain))
    empty = lengths_of(mask) == 0
    first, last = (ops.cast(one_hot, "float32")[..., None] for one_hot in first_and_last(mask))
    return Posterior(
        ops.where(empty, 0.0, log_norm),
        marginals,
        pairs,
        ops.sum(first * marginals, axis=1),
        ops.sum(last * marginals, axis=1),
    )


class _Chain:
    """The inputs of both recursions, side by side: direction 0 goes forward, 1 backward.

    Backward is forward on reversed time with transposed transitions and swapped boundaries.
    """

    def __init__(self, potentials, mask, transitions, start, end):
        potentials = ops.where(mask[..., None], potentials, 0.0)
        time_major = ops.transpose(potentials, (1, 0, 2))  # (time, batch, tags)
        mask = ops.transpose(mask)[..., None]  # (time, batch, 1)
        self.potentials = ops.stack([time_major, ops.flip(time_major, axis=0)], axis=1)
        self.mask = ops.stack([mask, ops.flip(mask, axis=0)], axis=1)
        self.transitions = ops.stack([transitions, ops.transpose(transitions)])
        self.boundaries = ops.stack([start, end])[:, None]  # (2, 1, tags)
        seen = ops.cumsum(ops.cast(self.mask, "float32"), axis=0)
        self.first = ops.where(self.mask, ops.cast(seen == 1, "float32"), 0.0)

    @property
    def forward_mask(self):
        return self.mask[:, 0]  # (time, batch, 1)

    def initial(self):
        """Nothing said yet by either direction, and no token seen."""
        first = self.potentials[0]
        return ops.zeros_like(first), ops.zeros_like(first[..., :1], dtype="bool")


def _both(recursion):
    """Splits `(time, 2, batch, ...)` into the forward and the re-reversed backward half."""
    return recursion[:, 0], ops.flip(recursion[:, 1], axis=0)


def _before(messages, initial):
    """The forward state that each step started from."""
    return ops.concatenate([initial[None], messages[:-1]], axis=0)


def _probability_space(chain):
    """`(log_norm, marginals, pairs)` by shifted probabilities, and whether none was lost."""
    shift = ops.max(chain.potentials, axis=-1, keepdims=True)  # (time, 2, batch, 1)
    emission = ops.exp(chain.potentials - shift)
    transition_shift = ops.max(chain.transitions)
    weight = ops.exp(chain.transitions - transition_shift)  # (2, tags, tags)
    boundary_shift = ops.max(chain.boundaries, axis=-1, keepdims=True)
    boundary = ops.exp(chain.boundaries - boundary_shift)
    last, states, scales = _scaled_states(chain, emission, weight, boundary)

    mask = ops.cast(chain.forward_mask, "float32")
    forward, backward = _both(states)
    before = _before(forward, ops.zeros_like(forward[0]))
    message = ops.matmul(before, weight[0]) + chain.first[:, 0] * boundary[0]
    total = ops.sum(message * backward, axis=-1, keepdims=True)
    after = mask * backward / ops.maximum(total, _LOST)
    pairs = weight[0] * ops.einsum("tbi,tbj->bij", before, after)
    marginals = ops.transpose(message * after, (1, 0, 2))

    final = ops.sum(last[0] * boundary[1], axis=-1)  # (batch,)
    steps = ops.sum(mask * (ops.log(scales[:, 0]) + shift[:, 0]), axis=(0, 2))
    number = ops.sum(mask, axis=(0, 2))
    log_norm = ops.log(ops.maximum(final, _LOST)) + steps + (number - 1) * transition_shift
    log_norm = log_norm + ops.sum(boundary_shift)

    in_range = ops.logical_and(
        _in_range(chain.transitions - transition_shift),
        _in_range(chain.boundaries - boundary_shift),
    )
    # Products of both directions can vanish where neither direction has.
    met = ops.all(ops.logical_or(total >= _LOST, ops.logical_not(chain.forward_mask)))
    met = ops.logical_and(met, ops.all(ops.logical_or(final >= _LOST, number == 0)))
    certain = ops.logical_and(in_range, met)
    certain = ops.logical_and(certain, _nothing_lost(chain, states * scales))
    return (log_norm, marginals, pairs), certain


def _scaled_states(chain, emission, weight, boundary):
    """The last state of both directions, all of them, and what each was divided by."""

    def step(before, x):
        emission, first, mask = x
        joint = (ops.matmul(before, weight) + first * boundary) * emission
        scale = ops.maximum(ops.sum(joint, axis=-1, keepdims=True), _LOST)
        now = ops.where(mask, joint / scale, before)
        return now, (now, scale)

    initial = ops.zeros_like(chain.potentials[0])
    last, (states, scales) = scan(step, initial, (emission, chain.first, chain.mask))
    return last, states, scales


def _nothing_lost(chain, joint):
    """Whether each reachable tag kept a probability that float32 can tell from zero."""
    safe = ops.logical_or(joint >= _LOST, ops.logical_not(chain.mask))
    return ops.cond(
        ops.all(safe),
        lambda: ops.ones((), dtype="bool"),
        lambda: ops.all(ops.logical_or(safe, ops.logical_not(_reachable(chain)))),
    )


def _reachable(chain):
    """Which tags some allowed path leads to, bool `(time, 2, batch, tags)`."""
    weight, boundary, possible = (
        ops.cast(scores > FORBIDDEN / 2, "float32")
        for scores in (chain.transitions, chain.boundaries, chain.potentials)
    )

    def step(before, x):
        possible, first, mask = x
        reached = (ops.matmul(before, weight) + first * boundary) * possible
        now = ops.where(mask, ops.minimum(reached, 1.0), before)
        return now, now

    initial = ops.zeros_like(possible[0])
    return scan(step, initial, (possible, chain.first, chain.mask))[1] > 0


def _in_range(shifted):
    """Whether each allowed score lies near enough to the best one for float32."""
    allowed = shifted > FORBIDDEN / 2
    return ops.all(ops.logical_or(shifted > -60.0, ops.logical_not(allowed)))


def _log_space(chain):
    """`(log_norm, marginals, pairs)` by sums of exponentials: exact, `tags ** 2` a step."""

    def step(state, x):
        before, started = state
        potential, mask = x
        paths = before[..., None] + chain.transitions[:, None]  # (2, batch, tags, tags)
        message = ops.where(started, ops.logsumexp(paths, axis=-2), chain.boundaries)
        joint = message + potential
        scale = ops.logsumexp(joint, axis=-1, keepdims=True)
        now = ops.where(mask, joint - scale, before)
        return (now, ops.logical_or(started, mask)), (message, now, scale[0])

    initial, started = chain.initial()
    state, (messages, states, scales) = scan(
        step, (initial, started), (chain.potentials, chain.mask)
    )
    mask = ops.cast(chain.forward_mask, "float32")
    forward, backward = _both(states)
    message, backward_message = _both(messages)
    marginals = mask * ops.softmax(forward + backward_message, axis=-1)

    before = _before(forward, initial[0])
    total = ops.logsumexp(message + backward, axis=-1, keepdims=True)
    not_first = mask * ops.cast(ops.cumsum(mask, axis=0) > 1, "float32")

    def count(pairs, x):
        before, after, weight = x
        scores = before[..., None] + chain.transitions[0] + after[:, None]
        counts = ops.where(weight[..., None] > 0, ops.exp(scores), 0.0)
        return pairs + counts, weight[..., 0]

    pairs = ops.zeros_like(chain.transitions[0] + forward[0][..., None])
    pairs, _ = scan(count, pairs, (before, backward - total, not_first))

    last = ops.logsumexp(state[0][0] + chain.boundaries[1], axis=-1)
    log_norm = last + ops.sum(mask * scales, axis=(0, 2))
    return log_norm, ops.transpose(marginals, (1, 0, 2)), pairs
