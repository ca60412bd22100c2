"""The best hypotheses of each sentence, by beam search."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops, tree

from seqnlp.decoding.best_tokens import best_tokens
from seqnlp.decoding.constraints import allocated, constraints_among, hopeful, ranked
from seqnlp.decoding.decoded import IMPOSSIBLE, Decoded, is_possible, is_there, written
from seqnlp.decoding.greedy import check_rules, checked_start, no_alignments
from seqnlp.decoding.penalties import Penalties
from seqnlp.decoding.rules import Partial, apply_rules
from seqnlp.decoding.states import (
    alignment_of,
    as_tensors,
    beam_rows,
    reordered,
    same_shapes,
    take_rows,
    take_step,
)
from seqnlp.scan import scan


def beam_search(
    step,
    state,
    start_ids,
    end_id,
    max_length,
    beam_width=4,
    length_penalty=0.0,
    coverage_penalty=0.0,
    rules=(),
    source_mask=None,
):
    """The `beam_width` hypotheses with the highest scores that a beam of that width finds.

    Finished and unfinished hypotheses compete for the places in the beam by their scores so far.
    A finished one is frozen: it is never extended, but may lose its place. The loop stops when
    all hypotheses of all sentences are finished, which changes no result.

    Args:
        step: Takes `(token_ids, state)` and returns `(logits, state)`; `seqnlp.decoding.states`
            says what a state may be.
        state: The state that `step` starts from, with one row for each sentence.
        start_ids: int `(batch,)`, what `step` is given first; not part of the result.
        end_id: int, the id that ends a hypothesis.
        max_length: How many tokens at most, the end id among them.
        beam_width: How many hypotheses a sentence has, at least 1. Where fewer are possible, the
            last ones have score `IMPOSSIBLE`, no tokens and length 0.
        length_penalty: The exponent of Wu et al., at least 0: the higher, the longer the result.
        coverage_penalty: The weight of Wu et al., at least 0: the higher, the less of the source
            is left out. Needs an "alignment" in the state.
        rules: Sequence of `seqnlp.decoding.Rule`.
        source_mask: bool `(batch, source)`, True at real tokens; for the coverage penalty.

    Returns:
        `Decoded`, best first; with `LexicalConstraints`, those that meet them all, then a finished
        one that does not, then the others. The scores are the model's log probabilities with the
        penalties.

    Raises:
        ValueError: An argument is out of range, or a shape does not fit.

    Reference: Wu et al. 2016, Google's neural machine translation system, section 7
    """
    start_ids = checked_start(start_ids, end_id, max_length)
    _check(beam_width, length_penalty, coverage_penalty)
    state = as_tensors(state, start_ids.shape[0])
    if coverage_penalty and alignment_of(state) is None:
        raise ValueError(
            '`coverage_penalty` must be 0 for a state without "alignment". '
            f"Received: coverage_penalty={coverage_penalty}"
        )
    source_mask = _checked_mask(source_mask, start_ids.shape[0], alignment_of(state))
    penalties = Penalties(length_penalty, coverage_penalty, source_mask)
    search = _Search(step, end_id, max_length, beam_width, rules, penalties)
    start = search.start(state, start_ids)
    (loop,) = ops.while_loop(
        search.goes_on, search.extended, (start,), maximum_iterations=max_length
    )
    return search.result(loop)


class _Hypotheses(NamedTuple):
    """Hypotheses or candidates for them, all `(batch, beams)` or `(batch, beams, candidates)`."""

    tokens: Any  # the last one
    log_probabilities: Any
    lengths: Any
    done: Any  # finished, or impossible
    scores: Any
    progress: Any  # (..., phrases), or () without lexical constraints


class _Loop(NamedTuple):
    """What the loop carries; `rows` are `batch * beams`, and () stands for what is not needed."""

    position: Any
    state: Any
    hypotheses: Any
    tokens: Any  # (max_length, rows): what each step chose,
    parents: Any  # (max_length, rows): for the hypothesis of which row,
    alignments: Any  # (max_length, rows, source): and what that row had attended to
    attention: Any  # (rows, source), the sum of the alignments so far
    history: Any  # (rows, max_length)


class _Search:
    def __init__(self, step, end_id, max_length, beam_width, rules, penalties):
        self.step = step
        self.end_id = end_id
        self.max_length = max_length
        self.rules = rules
        self.penalties = penalties
        self.phrases = constraints_among(rules)
        self.width = beam_width
        self.beams = beam_width + (self.phrases is not None)  # the last one for the best effort

    def start(self, state, start_ids):
        """Before the first step only the first hypothesis of each sentence is there."""
        state = take_rows(state, beam_rows(start_ids, self.beams))
        last = ops.tile(start_ids[:, None], (1, self.beams))
        first = ops.zeros_like(last) + np.arange(self.beams, dtype="int32") == 0
        log_probabilities = ops.where(first, 0.0, IMPOSSIBLE)
        phrases = self.phrases
        hypotheses = _Hypotheses(
            tokens=last,
            log_probabilities=log_probabilities,
            lengths=ops.zeros_like(last),
            done=ops.logical_not(first),
            scores=log_probabilities,
            progress=() if phrases is None else phrases.no_progress(self.beams),
        )
        alignment = alignment_of(state)
        nothing = ops.zeros_like(ops.reshape(last, (-1,)))
        itself = beam_rows(nothing, 1)
        needs_history = any(rule.needs_history for rule in self.rules)
        return _Loop(
            position=ops.convert_to_tensor(0, dtype="int32"),
            state=state,
            hypotheses=hypotheses,
            tokens=ops.tile(nothing[None], (self.max_length, 1)),
            parents=ops.tile(itself[None], (self.max_length, 1)),
            alignments=() if alignment is None else no_alignments(alignment, self.max_length),
            attention=ops.zeros_like(alignment) if self.penalties.coverage else (),
            history=ops.tile(nothing[:, None], (1, self.max_length)) if needs_history else (),
        )

    def goes_on(self, loop):
        """Whether any hypothesis is unfinished."""
        return ops.logical_not(ops.all(loop.hypotheses.done))

    def extended(self, loop):
        """One step: the best `beam_width` of all extensions of the hypotheses."""
        last = ops.reshape(loop.hypotheses.tokens, (-1,))
        logits, state = take_step(self.step, last, loop.state)
        logits, log_norm = self._under_rules(logits, loop)
        alignments, attention = loop.alignments, loop.attention
        if is_there(alignments):
            alignments = written(alignments, loop.position, alignment_of(state))
        if is_there(attention):
            frozen = ops.reshape(loop.hypotheses.done, (-1, 1))
            attention = attention + ops.where(frozen, 0.0, alignment_of(state))
        candidates = self._candidates(logits, log_norm, loop, attention)
        hypotheses, parents = self._chosen(candidates)
        tokens = ops.reshape(hypotheses.tokens, (-1,))
        now = ops.arange(self.max_length, dtype="int32") == loop.position
        history = loop.history
        if is_there(history):
            history = ops.where(now, tokens[:, None], ops.take(history, parents, axis=0))
        new = _Loop(
            position=loop.position + 1,
            state=reordered(state, parents),
            hypotheses=hypotheses,
            tokens=ops.where(now[:, None], tokens, loop.tokens),
            parents=ops.where(now[:, None], parents, loop.parents),
            alignments=alignments,
            attention=ops.take(attention, parents, axis=0) if is_there(attention) else (),
            history=history,
        )
        return (same_shapes(new, loop),)

    def _under_rules(self, logits, loop):
        vocabulary = logits.shape[-1]
        batch = loop.hypotheses.tokens.shape[0]
        check_rules(self.rules, batch, vocabulary, self.max_length, self.end_id)
        history = loop.history if is_there(loop.history) else None
        partial = Partial(history, loop.position, self.end_id, self.beams, vocabulary)
        normalized = getattr(self.step, "normalized", False)
        return apply_rules(logits, self.rules, partial, normalized)

    def _candidates(self, logits, log_norm, loop, attention):
        """The extensions `(batch, beams, candidates)` that may get a place in the beam."""
        before = loop.hypotheses
        frozen = before.done[..., None]
        gains, tokens = self._best_tokens(logits, log_norm, before)
        itself = np.arange(tokens.shape[-1]) == 0  # all that is left of a frozen hypothesis
        gains = ops.where(frozen, ops.where(itself, 0.0, IMPOSSIBLE), gains)
        tokens = ops.where(frozen, 0, tokens)
        log_probabilities = before.log_probabilities[..., None] + gains
        is_token = ops.logical_not(ops.logical_or(frozen, tokens == self.end_id))
        lengths = before.lengths[..., None] + ops.cast(is_token, "int32")
        if is_there(attention):
            attention = ops.reshape(attention, (-1, self.beams, ops.shape(attention)[1]))
        scores = self.penalties.score(log_probabilities, lengths, attention)
        done = ops.logical_not(is_token)
        possible = is_possible(log_probabilities)
        progress = ()
        if self.phrases is not None:
            progress = self.phrases.advanced(before.progress, tokens)
            progress = ops.where(done[..., None], before.progress[:, :, None], progress)
        candidates = _Hypotheses(tokens, log_probabilities, lengths, done, scores, progress)
        return _only(possible, candidates)

    def _best_tokens(self, logits, log_norm, before):
        """Log probabilities and ids of the tokens worth a look, `(batch, beams, candidates)`.

        One more than the beam is wide: the end id may be among them, which the length penalty
        can put behind the others.
        """
        best, tokens = best_tokens(logits, min(self.width + 1, logits.shape[-1]))
        if self.phrases is not None:
            wanted = self.phrases.wanted(before.progress)
            wanted = ops.reshape(wanted, (-1, wanted.shape[-1]))  # (rows, phrases)
            useful = _are_new(wanted, tokens, logits.shape[-1])
            wanted = ops.where(useful, wanted, 0)
            values = ops.take_along_axis(logits, wanted, axis=1)
            best = ops.concatenate([best, ops.where(useful, values, IMPOSSIBLE)], axis=1)
            tokens = ops.concatenate([tokens, wanted], axis=1)
        shape = (-1, self.beams, tokens.shape[-1])
        return ops.reshape(best - log_norm, shape), ops.reshape(tokens, shape)

    def _chosen(self, candidates):
        """The new `_Hypotheses`, and int32 `(rows,)`, the rows that they extend."""
        each = candidates.tokens.shape[-1]

        def flattened(x):
            return ops.reshape(x, (-1, self.beams * each, *x.shape[3:]))

        flat = tree.map_structure(flattened, candidates)
        if self.phrases is None:
            places = ops.cast(ops.top_k(flat.scores, self.beams)[1], "int32")
        else:
            flat, places, taken = self._shared_out(flat)
        sentences = ops.arange(ops.shape(places)[0], dtype="int32")[:, None]
        chosen = ops.reshape(sentences * (self.beams * each) + places, (-1,))

        def take(x):
            taken = ops.take(ops.reshape(x, (-1, *x.shape[2:])), chosen, axis=0)
            return ops.reshape(taken, (-1, self.beams, *x.shape[2:]))

        hypotheses = tree.map_structure(take, flat)
        if self.phrases is not None:
            hypotheses = _only(taken, hypotheses)
        return hypotheses, ops.reshape(sentences * self.beams + places // each, (-1,))

    def _shared_out(self, flat):
        """Dynamic beam allocation among those candidates that have hope.

        Returns the candidates, which of them get a place, int32 `(batch, beams)`, and which of the
        places are really taken, bool.
        """
        number, phrases = self.phrases.number_met(flat.progress), self.phrases.number
        done = ops.logical_and(flat.done, is_possible(flat.scores))
        bounds = self.penalties.bound(flat.log_probabilities, self.max_length)
        flat = _only(hopeful(flat.scores, bounds, done, number, phrases), flat)
        given_up = ops.logical_and(done, number < phrases)
        others = ops.where(given_up, IMPOSSIBLE, flat.scores)
        tokens_met = ops.sum(flat.progress, axis=-1)
        places = allocated(others, tokens_met, self.phrases.tokens, self.width)
        effort = ops.where(given_up, flat.scores, 2 * IMPOSSIBLE)
        effort = ops.cast(ops.argmax(effort, axis=1), "int32")[:, None]
        places = ops.concatenate([places, effort], axis=1)
        last = np.arange(self.beams) == self.width
        return flat, places, ops.take_along_axis(given_up, places, axis=1) == last

    def result(self, loop):
        """Goes from the last tokens to their parents, up to the first."""
        hypotheses = loop.hypotheses
        possible = is_possible(hypotheses.scores)
        rows = ops.reshape(beam_rows(ops.reshape(possible, (-1,)), 1), (-1, self.beams))
        met = None
        if self.phrases is not None:
            met = self.phrases.number_met(hypotheses.progress) == self.phrases.number
            met = ops.logical_and(met, possible)
            finished = ops.cast(ops.logical_and(hypotheses.done, possible), "int32")
            order = ranked(hypotheses.scores, ops.where(met, 2, finished))[:, : self.width]
            rows = rows[:, :1] + order
            scores, lengths, possible, met = (
                ops.take_along_axis(x, order, axis=1)
                for x in (hypotheses.scores, hypotheses.lengths, possible, met)
            )
        else:
            scores, lengths = hypotheses.scores, hypotheses.lengths

        def backward(rows, x):
            tokens, parents = (ops.take(y, rows, axis=0) for y in x)
            return parents, (tokens, parents)

        _, (tokens, parents) = scan(backward, rows, (loop.tokens, loop.parents), reverse=True)
        token_ids = ops.where(possible[..., None], ops.transpose(tokens, (1, 2, 0)), 0)
        alignments = None
        if is_there(loop.alignments):
            alignments = self._alignments_of(loop.alignments, parents, lengths, possible)
        return Decoded(token_ids, scores, ops.where(possible, lengths, 0), alignments, met)

    def _alignments_of(self, alignments, parents, lengths, possible):
        """`(batch, beams, max_length, source)` from what each step of each row attended to."""
        steps = np.arange(self.max_length, dtype="int32")
        _, rows, source = ops.shape(alignments)
        flat = ops.reshape(alignments, (-1, source))
        found = ops.take(flat, ops.transpose(parents, (1, 2, 0)) + steps * rows, axis=0)
        real = ops.logical_and(possible[..., None], steps <= lengths[..., None])
        return ops.where(real[..., None], found, 0.0)


def _are_new(wanted, tokens, vocabulary):
    """Bool, as `wanted (rows, phrases)`: ids that come for the first time, and not in tokens.

    0 stands for nothing, and a tensor of phrases may hold ids that there are none of.
    """
    number = np.arange(wanted.shape[-1])
    same = wanted[:, :, None] == wanted[:, None]
    again = ops.any(ops.logical_and(same, number[:, None] > number), axis=-1)
    known = ops.any(wanted[:, :, None] == tokens[:, None], axis=-1)
    real = ops.logical_and(wanted > 0, wanted < vocabulary)
    return ops.logical_and(real, ops.logical_not(ops.logical_or(again, known)))


def _only(kept, candidates):
    """The candidates, those impossible that are not `kept`."""
    return candidates._replace(
        log_probabilities=ops.where(kept, candidates.log_probabilities, IMPOSSIBLE),
        scores=ops.where(kept, candidates.scores, IMPOSSIBLE),
        done=ops.logical_or(candidates.done, ops.logical_not(kept)),
    )


def _check(beam_width, length_penalty, coverage_penalty):
    if beam_width < 1:
        raise ValueError(f"`beam_width` must be at least 1. Received: beam_width={beam_width}")
    if not length_penalty >= 0:
        raise ValueError(
            f"`length_penalty` must be at least 0. Received: length_penalty={length_penalty}"
        )
    if not coverage_penalty >= 0:
        raise ValueError(
            f"`coverage_penalty` must be at least 0. Received: coverage_penalty={coverage_penalty}"
        )


def _checked_mask(source_mask, batch, alignment):
    """`source_mask` as a bool tensor, or None; it must fit the sentences and what is attended to.

    Sizes that are unknown when a graph is made are not looked at.
    """
    if source_mask is None:
        return None
    source_mask = ops.cast(ops.convert_to_tensor(source_mask), "bool")
    wanted = (batch, None if alignment is None else alignment.shape[1])
    shape = tuple(source_mask.shape)
    fits = len(shape) == 2 and all(
        None in pair or pair[0] == pair[1] for pair in zip(shape, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            "`source_mask` must have the shape `(batch, source)`, as `start_ids` and the "
            f"alignment in `state` have it, here {wanted}. "
            f"Received: source_mask with shape {shape}"
        )
    return source_mask
