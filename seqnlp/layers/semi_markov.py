"""Semi-Markov conditional random field: scores, likelihood, marginals and the best segments.

A segmentation cuts the real tokens of a sentence into segments of at most `max_length` tokens,
each with a label. Its score, in nats:

    sum over segments of  the potentials of its label at its tokens
                        + transitions[label of the segment before, its label]
                        + length_scores[its label, its length - 1]
    + start_transitions[label of the first] + end_transitions[label of the last]

Arguments of the functions, in all of them:

- `potentials (batch, time, labels)`: score of each label at each token, any float dtype.
- `mask (batch, time)`: bool, True at real tokens, or None. Holes and padding on the left are
  skipped: the tokens on both sides of a hole are neighbours, and one segment may hold both.
- `labels (batch, time)`, `begins (batch, time)`: a segmentation: the label of each token, int,
  and whether it begins a segment, bool. A token of another label than the one before begins one
  in any case; so does each token behind `max_length` of one segment, which is thus cut in
  pieces. What stands at padding is ignored.
- `transitions (labels, labels)`: score of going from the row's label to the column's.
- `length_scores (labels, max_length)`.
- `start_transitions`, `end_transitions (labels,)`, or None.

A score of `FORBIDDEN` rules out what it belongs to. Everything is computed in float32. A row
without real tokens scores zero.

Reference: Sarawagi & Cohen 2004, "Semi-Markov conditional random fields for information
extraction", section 2
"""

from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN
from seqnlp.layers.crf_inputs import (
    boundary_scores,
    check_shape,
    check_tags,
    checked_shape,
)
from seqnlp.layers.semi_markov_recursion import (
    PLACES,
    Inputs,
    best_and_where,
    from_the_end,
    from_the_start,
    sum_and_share,
)
from seqnlp.scan import scan


def semi_markov_crf_sequence_score(
    potentials,
    labels,
    begins,
    mask,
    transitions,
    length_scores,
    start_transitions=None,
    end_transitions=None,
):
    """Unnormalised log score `(batch,)` of the given segments.

    Raises:
        ValueError: A shape does not fit, or an id of `labels` is out of range where it can be
            read.
    """
    scores = (transitions, length_scores, start_transitions, end_transitions)
    inputs = _inputs(potentials, mask, *scores, labels=labels, begins=begins)
    check_tags(labels, mask, tuple(potentials.shape), "labels")
    num_labels = inputs.end.shape[0]
    labels = ops.where(inputs.real, ops.cast(ops.transpose(labels), "int32"), 0)
    known = ops.logical_and(labels >= 0, labels < num_labels)
    labels = ops.where(known, labels, 0)
    begins = ops.cast(ops.transpose(begins), "bool")
    token = ops.take_along_axis(inputs.potentials, labels[..., None], axis=-1)[..., 0]
    token = ops.where(known, token, FORBIDDEN)
    score = ops.sum(ops.where(inputs.real, token, 0.0), axis=0)  # (batch,)

    begun, previous, closed = _segments(labels, begins, inputs)
    step = _pick(inputs.transitions, previous[:-1], labels)
    score = score + ops.sum(ops.where(begun, step, 0.0), axis=0)
    # Where a segment begins, and behind the sentence, the one before has its whole length.
    ended = ops.concatenate([begun, ops.any(inputs.real, axis=0)[None]], axis=0)
    ended = ops.logical_and(ended, closed > 0)
    label = ops.minimum(previous, num_labels - 1)
    length = _pick(inputs.length_scores, ops.maximum(closed - 1, 0), label)
    score = score + ops.sum(ops.where(ended, length, 0.0), axis=0)
    last = ops.take(inputs.end, label[-1], axis=0)
    return score + ops.where(ended[-1], last, 0.0)


def _pick(table, rows, columns):
    return ops.take(ops.reshape(table, (-1,)), rows * table.shape[1] + columns, axis=0)


def _segments(labels, begins, inputs):
    """Which tokens begin a segment, and the segment before each token and behind the last one.

    Args:
        labels: Int `(time, batch)`.
        begins: Bool `(time, batch)`.

    Returns:
        Bool `(time, batch)`, and two int32 `(time + 1, batch)`: label of the real token before,
        the number of labels where there is none, and how long its segment is by then.
    """
    max_length, num_labels = inputs.length_scores.shape

    def step(state, x):
        previous, length = state
        label, begins, real = x
        begins = ops.logical_or(begins, label != previous)
        begins = ops.logical_and(real, ops.logical_or(begins, length == max_length))
        now = ops.where(begins, 1, length + 1)
        state = ops.where(real, label, previous), ops.where(real, now, length)
        return state, (begins, previous, length)

    none = ops.zeros_like(labels[0])
    state, (begun, *before) = scan(step, (none + num_labels, none), (labels, begins, inputs.real))
    pairs = zip(before, state, strict=True)
    return begun, *(ops.concatenate([rows, last[None]], axis=0) for rows, last in pairs)


def semi_markov_crf_log_norm(
    potentials, mask, transitions, length_scores, start_transitions=None, end_transitions=None
):
    """Log of the summed exponentiated scores of all segmentations, `(batch,)`.

    Its gradient is expected counts from a second pass, not that of a loop unrolled in time.

    Raises:
        ValueError: A shape does not fit.
    """
    inputs = _inputs(
        potentials, mask, transitions, length_scores, start_transitions, end_transitions
    )
    return _log_norm(*inputs._replace(real=ops.cast(inputs.real, "float32")))


@ops.custom_gradient
def _log_norm(potentials, real, transitions, length_scores, end):
    inputs = Inputs(potentials, real > 0, transitions, length_scores, end)
    log_norm, steps = from_the_end(inputs, sum_and_share)

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream  # (batch,)
        counts, labels = from_the_start(inputs, steps, lambda _, places: ops.sum(places, axis=1))
        return (
            upstream[None, :, None] * labels,
            ops.zeros_like(real),
            *(ops.tensordot(upstream, count, axes=1) for count in counts),
        )

    return log_norm, gradient


def semi_markov_crf_log_likelihood(
    potentials,
    labels,
    begins,
    mask,
    transitions,
    length_scores,
    start_transitions=None,
    end_transitions=None,
):
    """Log probability `(batch,)` of the given segments among all segmentations.

    Raises:
        ValueError: As `semi_markov_crf_sequence_score`.
    """
    rest = (mask, transitions, length_scores, start_transitions, end_transitions)
    score = semi_markov_crf_sequence_score(potentials, labels, begins, *rest)
    return score - semi_markov_crf_log_norm(potentials, *rest)


def semi_markov_crf_marginals(
    potentials, mask, transitions, length_scores, start_transitions=None, end_transitions=None
):
    """What is probable, token by token and segment by segment; zeros at padding.

    Returns:
        Probability of each label at each token `(batch, time, labels)`, and of each segment
        `(batch, time, max_length, labels)` by its first token, its length less one and its
        label.

    Raises:
        ValueError: A shape does not fit.
    """
    inputs = _inputs(
        potentials, mask, transitions, length_scores, start_transitions, end_transitions
    )

    def report(begun, places):
        return ops.sum(places, axis=1), begun

    labels, segments = _probabilities(inputs, report)
    return ops.transpose(labels, (1, 0, 2)), ops.transpose(segments, (1, 0, 2, 3))


def semi_markov_crf_place_marginals(
    potentials, mask, transitions, length_scores, start_transitions=None, end_transitions=None
):
    """Probability of each label and place in a segment, `(batch, time, 6, labels)`.

    Places are those of `seqnlp.layers.semi_markov_recursion.PLACES`; zeros at padding.

    Raises:
        ValueError: A shape does not fit.
    """
    inputs = _inputs(
        potentials, mask, transitions, length_scores, start_transitions, end_transitions
    )
    places = _probabilities(inputs, lambda _, places: places)
    return ops.transpose(places, (1, 0, 2, 3))


def _probabilities(inputs, report):
    _, steps = from_the_end(inputs, sum_and_share)
    return from_the_start(inputs, steps, report)[1]


def semi_markov_crf_decode(
    potentials, mask, transitions, length_scores, start_transitions=None, end_transitions=None
):
    """The best segmentation.

    Returns:
        `labels` int32 `(batch, time)`, 0 at padding; `begins` bool `(batch, time)`, False at
        padding; their scores `(batch,)`.

    Raises:
        ValueError: A shape does not fit.
    """
    rest = (mask, transitions, length_scores, start_transitions, end_transitions)
    labels, places = semi_markov_crf_decode_places(potentials, *rest)
    begins = ops.logical_and(places != PLACES.index("inside"), places != PLACES.index("last"))
    if mask is not None:
        begins = ops.logical_and(begins, ops.cast(mask, "bool"))
    score = semi_markov_crf_sequence_score(potentials, labels, begins, *rest)
    return labels, begins, score


def semi_markov_crf_decode_places(
    potentials, mask, transitions, length_scores, start_transitions=None, end_transitions=None
):
    """The best segmentation as labels and places in segments, int32 `(batch, time)` each.

    Places are indices into `seqnlp.layers.semi_markov_recursion.PLACES`; both are 0 at padding.

    Raises:
        ValueError: A shape does not fit.
    """
    inputs = _inputs(
        potentials, mask, transitions, length_scores, start_transitions, end_transitions
    )
    _, steps = from_the_end(inputs, best_and_where)

    def step(state, x):
        before, left = state  # label of the segment that the last token lies in, tokens to come
        begin, best, real = x
        begins = left == 0
        arriving = ops.take(inputs.transitions, before, axis=0) + begin  # (batch, labels)
        chosen = ops.cast(ops.argmax(arriving, axis=-1), "int32")
        length = ops.take_along_axis(best, chosen[:, None], axis=1)[:, 0] + 1
        label = ops.where(begins, chosen, before)
        left_now = ops.where(begins, length, left) - 1
        place = _place(begins, left_now == 0, label == before)
        state = ops.where(real, label, before), ops.where(real, left_now, left)
        return state, (ops.where(real, label, 0), ops.where(real, place, 0))

    none = ops.zeros_like(inputs.real[0], dtype="int32")
    state = none + inputs.end.shape[0], none
    _, found = scan(step, state, (steps.begin, steps.choice, inputs.real))
    labels, places = (ops.transpose(rows) for rows in found)
    return labels, places


def _place(begins, ends, same):
    """Index into `PLACES`, int32, of tokens that begin and end a segment or not.

    `same` says whether the label is that of the segment before.
    """
    again = ops.where(same, PLACES.index("single again"), PLACES.index("single"))
    beginning = again + ops.where(ends, 0, 1)
    going = ops.where(ends, PLACES.index("last"), PLACES.index("inside"))
    return ops.cast(ops.where(begins, beginning, going), "int32")


def _inputs(potentials, mask, transitions, length_scores, start, end, **segments):
    """`Inputs` of what a function was given; a `ValueError` where shapes do not fit."""
    shape = checked_shape(potentials, "labels")
    if len(length_scores.shape) != 2 or length_scores.shape[1] < 1:
        raise ValueError(
            "`length_scores` must have shape (labels, max_length), with a max_length of at least "
            f"1. Received: length_scores.shape={tuple(length_scores.shape)}"
        )
    most = length_scores.shape[1]
    check_shape("length_scores", length_scores, shape, "labels, max_length", max_length=most)
    check_shape("transitions", transitions, shape, "labels, labels")
    for name, tensor in {"mask": mask, **segments}.items():
        check_shape(name, tensor, shape, "batch, time")
    for name, tensor in {"start_transitions": start, "end_transitions": end}.items():
        check_shape(name, tensor, shape, "labels")

    potentials = ops.transpose(ops.cast(potentials, "float32"), (1, 0, 2))
    real = ops.ones_like(potentials[..., 0]) if mask is None else ops.transpose(mask)
    real = ops.cast(real, "bool")
    transitions = ops.cast(transitions, "float32")
    start, end = (boundary_scores(boundary, transitions) for boundary in (start, end))
    return Inputs(
        ops.where(real[..., None], potentials, 0.0),
        real,
        ops.concatenate([transitions, start[None]], axis=0),
        ops.transpose(ops.cast(length_scores, "float32")),
        end,
    )
