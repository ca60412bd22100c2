"""The two recursions of a semi-Markov CRF: scores from the end, probabilities from the start.

Both carry a window of `max_length` values a label and never a table of time by time. At a token,
entry `d` of the window stands for the segments of length `d + 1` that begin there: sums of a few
potentials relative to the best entry, so nothing grows with the sentence. Padding and holes leave
the window as it is. Probabilities are products of conditional ones: they sum to one at every
token without any division by a norm far away.
"""

from collections import namedtuple

from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN
from seqnlp.scan import scan

PLACES = ("single", "first", "inside", "last", "single again", "first again")
"""Places of a token in its segment; "again" where the segment before has the same label."""

Inputs = namedtuple("Inputs", "potentials real transitions length_scores end")
Inputs.__doc__ = """What the recursions read.

`potentials (time, batch, labels)`, finite at padding too; bool `real (time, batch)`;
`transitions (labels + 1, labels)`, the last row for what begins a sentence;
`length_scores (max_length, labels)`; `end (labels,)`.
"""

Steps = namedtuple("Steps", "begin choice before")
Steps.__doc__ = """What every token knows of what comes from it on, relative to one shift a token.

`begin (time, batch, labels)`: score of a segment that begins here, and of all after it;
`choice`: how its lengths share in that: `(time, batch, max_length, labels)` of probabilities, or
`(time, batch, labels)` with the best one less one; `before (time, batch, labels + 1)`: score of
what begins here behind a segment of each label, the last entry at the start of the sentence.
"""

Counts = namedtuple("Counts", "transitions lengths end")
Counts.__doc__ = """Expected counts of a row.

`transitions (batch, labels + 1, labels)`, `lengths (batch, max_length, labels)`,
`end (batch, labels)`.
"""


def sum_and_share(scores, axis):
    """Log of the summed exponentials, and the share of each in the sum."""
    largest = ops.max(scores, axis=axis, keepdims=True)
    exponentials = ops.exp(scores - largest)
    total = ops.sum(exponentials, axis=axis, keepdims=True)
    return ops.squeeze(ops.log(total) + largest, axis=axis), exponentials / total


def best_and_where(scores, axis):
    """The largest score and its index."""
    where = ops.cast(ops.argmax(scores, axis=axis), "int32")
    return ops.max(scores, axis=axis), where


def from_the_end(inputs, join):
    """Scores of all continuations, from the last token to the first.

    Args:
        inputs: `Inputs`.
        join: How scores become one: `sum_and_share` or `best_and_where`.

    Returns:
        The joined score of each whole sentence `(batch,)`, 0 without real tokens, and `Steps`.
    """
    window, after = _nothing_read(inputs)

    def step(state, x):
        window, after = state  # (batch, max_length, labels), (batch, labels + 1)
        potential, real = x
        longer = ops.concatenate([after[:, None, :-1], window[:, :-1]], axis=1)
        longer = longer + potential[:, None]
        # A token lies in some segment, so the best entry is that of a possible path.
        shift = ops.max(longer, axis=(1, 2), keepdims=True)
        longer = longer - shift
        begin, choice = join(longer + inputs.length_scores, axis=1)
        before, _ = join(begin[:, None] + inputs.transitions, axis=2)
        state = (
            ops.where(real[:, None, None], longer, window),
            ops.where(real[:, None], before, after),
        )
        return state, (Steps(begin, choice, before), ops.where(real, shift[:, 0, 0], 0.0))

    (_, before), (steps, shifts) = scan(
        step, (window, after), (inputs.potentials, inputs.real), reverse=True
    )
    return before[:, -1] + ops.sum(shifts, axis=0), Steps(*steps)


def _nothing_read(inputs):
    """The state behind the last token: no segment is open, and `end` is what follows."""
    none = ops.zeros_like(inputs.potentials[0])[:, None]  # (batch, 1, labels)
    window = none + ops.full_like(inputs.length_scores, FORBIDDEN)
    end = ops.concatenate([inputs.end, ops.zeros((1,), "float32")], axis=0)
    return window, ops.zeros_like(none[:, 0, :1]) + end


def from_the_start(inputs, steps, report):
    """Probabilities of all segments, from the first token to the last.

    Args:
        inputs: `Inputs`.
        steps: `Steps` of `from_the_end` with `sum_and_share`.
        report: What to keep of a token: a function of `begun (batch, max_length, labels)`, the
            probability of each segment that begins here, and of `places (batch, 6, labels)`,
            the probability of each of `PLACES`.

    Returns:
        `Counts`, and what `report` gave, stacked along time; zeros at padding.
    """
    same = ops.eye(ops.shape(inputs.end)[0] + 1, dtype="float32")[:, :-1]

    def step(state, x):
        opened, closed, transitions, lengths = state
        (begin, share, before), real = x
        weight = begin[:, None] + inputs.transitions - before[..., None]
        pairs = closed[..., None] * ops.exp(ops.minimum(weight, 0.0))
        again = ops.sum(pairs * same, axis=1)[:, None]  # (batch, 1, labels)
        fresh = ops.sum(pairs * (1 - same), axis=1)[:, None]
        begun = (fresh + again) * share  # (batch, max_length, labels)
        single, longer = share[:, :1], ops.sum(share[:, 1:], axis=1, keepdims=True)
        going, gone = ops.sum(opened[:, 1:], axis=1, keepdims=True), opened[:, :1]
        places = [fresh * single, fresh * longer, going, gone, again * single, again * longer]
        now = opened + begun
        closing = ops.concatenate([now[:, 0], ops.zeros_like(now[:, 0, :1])], axis=-1)
        ahead = ops.concatenate([now[:, 1:], ops.zeros_like(now[:, :1])], axis=1)
        here = ops.cast(real, "float32")[:, None, None]
        state = (
            ops.where(real[:, None, None], ahead, opened),
            ops.where(real[:, None], closing, closed),
            transitions + here * pairs,
            lengths + here * begun,
        )
        return state, report(here * begun, here * ops.concatenate(places, axis=1))

    zeros = ops.zeros_like(steps.choice[0])
    nothing = ops.zeros_like(steps.before[0])
    start = nothing + ops.eye(ops.shape(inputs.end)[0] + 1, dtype="float32")[-1]
    state = zeros, start, nothing[..., None] * inputs.transitions, zeros
    (_, closed, transitions, lengths), reported = scan(step, state, (steps, inputs.real))
    return Counts(transitions, lengths, closed[:, :-1]), reported
