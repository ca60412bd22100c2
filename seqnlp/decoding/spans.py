"""The best spans of a text, by scores of where they start and where they end."""

from typing import Any, NamedTuple

from keras import ops

from seqnlp.decoding.decoded import IMPOSSIBLE


class Spans(NamedTuple):
    """Spans, best first.

    Fields:
        starts: int32 `(batch, n_best)`, the first token of each.
        ends: int32 `(batch, n_best)`, the last token of each, itself inside.
        scores: float32 `(batch, n_best)`, the sum of both scores. Where a row has fewer spans,
            behind them stand starts and ends of 0 with -1e9.
    """

    starts: Any
    ends: Any
    scores: Any


def best_spans(start_scores, end_scores, mask, max_answer_length=30, n_best=1):
    """The spans with the highest `start_scores[i] + end_scores[j]`.

    Of equal ones that comes first which starts first, then the shorter one.

    Args:
        start_scores: Float tensor `(batch, time)`.
        end_scores: Float tensor `(batch, time)`.
        mask: Bool tensor `(batch, time)`, True where a span may start and end.
        max_answer_length: Most tokens of a span.
        n_best: Number of spans.

    Returns:
        `Spans`.

    Raises:
        ValueError: A number is below 1.

    Reference: https://arxiv.org/abs/1810.04805, section 4.2
    """
    numbers = {"max_answer_length": max_answer_length, "n_best": n_best}
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={number}")
    mask = ops.cast(mask, "bool")
    start, end = (
        ops.maximum(ops.where(mask, ops.cast(x, "float32"), IMPOSSIBLE), IMPOSSIBLE)
        for x in (start_scores, end_scores)
    )
    batch, time = ops.shape(start)
    # Ends by how much longer than one token a span is; behind the text there are none.
    more = ops.full((batch, max_answer_length), IMPOSSIBLE, dtype="float32")
    padded = ops.concatenate([end, more], axis=1)
    longer = ops.arange(max_answer_length, dtype="int32")
    places = ops.arange(time, dtype="int32")[:, None] + longer  # (time, longer)
    ends = ops.reshape(ops.take(padded, ops.reshape(places, (-1,)), axis=1), (batch, time, -1))
    scores = ops.reshape(start[..., None] + ends, (batch, -1))
    # So that there are as many as are asked for.
    filling = ops.full((batch, n_best), 2 * IMPOSSIBLE, dtype="float32")
    scores, best = ops.top_k(ops.concatenate([scores, filling], axis=1), n_best)
    best = ops.cast(best, "int32")
    possible = scores > IMPOSSIBLE
    starts = ops.where(possible, best // max_answer_length, 0)
    ends = ops.where(possible, starts + best % max_answer_length, 0)
    return Spans(starts, ends, ops.where(possible, scores, IMPOSSIBLE))


def context_mask(token_ids, segment_ids):
    """Where a span of the second of two texts may start and end.

    Args:
        token_ids: Int tensor `(batch, time)`; 0 is padding.
        segment_ids: Int tensor `(batch, time)`, 1 at the second text and the special behind it.

    Returns:
        Bool tensor `(batch, time)`, True at the second text.
    """
    inside = ops.logical_and(segment_ids == 1, token_ids != 0)
    goes_on = ops.concatenate([inside[:, 1:], ops.zeros_like(inside[:, :1])], axis=1)
    return ops.logical_and(inside, goes_on)
