"""One hypothesis a sentence: the best token at each step."""

from typing import Any, NamedTuple

from keras import ops

from seqnlp.decoding.best_tokens import best_token
from seqnlp.decoding.decoded import IMPOSSIBLE, Decoded, is_possible, is_there, written
from seqnlp.decoding.rules import Partial, apply_rules
from seqnlp.decoding.states import alignment_of, as_tensors, same_shapes, take_step


def greedy(step, state, start_ids, end_id, max_length, rules=()):
    """The most probable token after the most probable token, and so on.

    A sentence is done at its end id, or where its rules leave no token, which its score of
    `IMPOSSIBLE` tells; the loop stops when all are.

    Args:
        step: Takes `(token_ids, state)` and returns `(logits, state)`; `seqnlp.decoding.states`
            says what a state may be.
        state: The state that `step` starts from.
        start_ids: int `(batch,)`, what `step` is given first; not part of the result.
        end_id: int, the id that ends a sentence.
        max_length: How many tokens at most, the end id among them.
        rules: Sequence of `seqnlp.decoding.Rule`.

    Returns:
        `Decoded` with token_ids `(batch, max_length)`. The scores are the model's log
        probabilities.

    Raises:
        ValueError: An argument is out of range, or a shape does not fit.
    """
    return decode_rows(step, state, start_ids, end_id, max_length, rules, _best)


def _best(logits, step):
    return best_token(logits)


class _Rows(NamedTuple):
    """What the loop carries; `rows` are sentences."""

    position: Any
    last: Any  # (rows,), what `step` is given next
    state: Any
    done: Any
    token_ids: Any  # (rows, max_length)
    scores: Any
    lengths: Any
    alignments: Any  # (max_length, rows, source), or ()


def decode_rows(step, state, start_ids, end_id, max_length, rules, choose):
    """The loop of all decoders with one hypothesis a sentence.

    `choose` takes logits `(rows, vocabulary)` and the number of the step, and returns logits and
    ids `(rows,)`.
    """
    start_ids = checked_start(start_ids, end_id, max_length)
    batch = start_ids.shape[0]
    check_without_beams(rules)

    def body(loop):
        logits, state = take_step(step, loop.last, loop.state)
        vocabulary = logits.shape[-1]
        check_rules(rules, batch, vocabulary, max_length, end_id)
        partial = Partial(loop.token_ids, loop.position, end_id, 1, vocabulary)
        normalized = getattr(step, "normalized", False)
        logits, log_norm = apply_rules(logits, rules, partial, normalized)
        logit, token = choose(logits, loop.position)
        gain = logit - log_norm[:, 0]
        return (same_shapes(_extended(loop, state, token, gain, end_id), loop),)

    state = as_tensors(state, batch)
    start = _nothing_yet(start_ids, state, max_length)
    (loop,) = ops.while_loop(_goes_on, body, (start,), maximum_iterations=max_length)
    collected = is_there(loop.alignments)
    alignments = ops.transpose(loop.alignments, (1, 0, 2)) if collected else None
    return Decoded(loop.token_ids, loop.scores, loop.lengths, alignments)


def _goes_on(loop):
    return ops.logical_not(ops.all(loop.done))


def _nothing_yet(start_ids, state, max_length):
    alignment = alignment_of(state)
    zeros = ops.zeros_like(start_ids)
    return _Rows(
        position=ops.convert_to_tensor(0, dtype="int32"),
        last=start_ids,
        state=state,
        done=ops.zeros_like(start_ids, dtype="bool"),
        token_ids=ops.tile(zeros[:, None], (1, max_length)),
        scores=ops.zeros_like(start_ids, dtype="float32"),
        lengths=zeros,
        alignments=() if alignment is None else no_alignments(alignment, max_length),
    )


def _extended(loop, state, token, gain, end_id):
    """The loop's variables with one more token where a row is not done."""
    possible = is_possible(gain)
    ends = token == end_id
    real = ops.logical_and(ops.logical_not(loop.done), possible)
    token = ops.where(real, token, 0)
    scores = ops.where(real, loop.scores + gain, IMPOSSIBLE)
    now = ops.arange(loop.token_ids.shape[1], dtype="int32") == loop.position
    alignments = loop.alignments
    if is_there(alignments):
        alignment = ops.where(real[:, None], alignment_of(state), 0.0)
        alignments = written(alignments, loop.position, alignment)
    is_token = ops.logical_and(real, ops.logical_not(ends))
    return _Rows(
        position=loop.position + 1,
        last=token,
        state=state,
        done=ops.logical_or(loop.done, ops.logical_or(ends, ops.logical_not(possible))),
        token_ids=ops.where(now, token[:, None], loop.token_ids),
        scores=ops.where(loop.done, loop.scores, scores),
        lengths=loop.lengths + ops.cast(is_token, "int32"),
        alignments=alignments,
    )


def no_alignments(alignment, max_length):
    """Zeros `(max_length, rows, source)` for an alignment `(rows, source)`."""
    return ops.tile(ops.zeros_like(alignment)[None], (max_length, 1, 1))


def checked_start(start_ids, end_id, max_length):
    """`start_ids` as an int32 tensor, after a look at what every decoder takes."""
    start_ids = ops.cast(ops.convert_to_tensor(start_ids), "int32")
    if len(start_ids.shape) != 1:
        raise ValueError(
            "`start_ids` must have the shape `(batch,)`. "
            f"Received: start_ids with shape {tuple(start_ids.shape)}"
        )
    if max_length < 1:
        raise ValueError(f"`max_length` must be at least 1. Received: max_length={max_length}")
    if end_id < 0:
        raise ValueError(f"`end_id` must be at least 0. Received: end_id={end_id}")
    return start_ids


def check_rules(rules, batch, vocabulary, max_length, end_id):
    """What can only be checked once the vocabulary is known."""
    if end_id >= vocabulary:
        raise ValueError(
            f"`end_id` must be an id of the vocabulary of {vocabulary}. Received: end_id={end_id}"
        )
    for rule in rules:
        rule.check(batch, vocabulary, max_length, end_id)


def check_without_beams(rules):
    """Refuses rules that choose among hypotheses."""
    for rule in rules:
        if rule.needs_beams:
            raise ValueError(
                f"`rules` must be such that one hypothesis can keep them; `beam_search` takes "
                f"this one. Received: rules with {type(rule).__name__}"
            )
