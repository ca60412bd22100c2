"""Phrases that a translation must hold, by dynamic beam allocation."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from seqnlp.decoding.decoded import IMPOSSIBLE, is_possible
from seqnlp.decoding.rules import Rule, check_batch, check_ids, check_lengths, padded


class LexicalConstraints(Rule):
    """Phrases that must come somewhere in a hypothesis, each as a whole, in any order.

    At each step every hypothesis is also extended by the next token of each phrase, and the beam
    is shared out evenly among hypotheses with as many tokens of the phrases, most tokens first; a
    share that is not used goes to the others. Until one ends with all phrases, the best of those
    that end with most of them is kept in a place of its own: the best effort, where not all can be
    had. An unfinished hypothesis that lacks a phrase and can no longer beat the best one with all
    is dropped. For `beam_search` only; at most one rule of this kind.

    Phrases may overlap, and one occurrence meets two equal phrases.

    Args:
        phrases: int `(batch, phrases, time)`, padded with 0 at the end; or a list for each
            sentence of phrases, which are lists of ids. Ids outside the vocabulary, the end id
            and phrases longer than `max_length` are refused, except in a tensor: there they
            cannot be met.

    Raises:
        ValueError: `phrases` has no three dimensions of known sizes; or, when decoding begins,
            holds what is refused, there is no beam, or another rule of this kind.

    Reference: Post & Vilar 2018, Fast lexically constrained decoding with dynamic beam allocation
        for neural machine translation, section 3
    """

    needs_beams = True

    def __init__(self, phrases):
        self.phrases = padded("phrases", phrases, rank=3)
        if None in self.phrases.shape[1:]:
            raise ValueError(
                "`phrases` must have a known number of phrases and of ids in each. "
                f"Received: phrases with shape {tuple(self.phrases.shape)}"
            )

    def check(self, batch, vocabulary, max_length, end_id):
        phrases = self.phrases
        check_batch("phrases", phrases, batch)
        check_ids("phrases", phrases, vocabulary)
        check_lengths("phrases", phrases, max_length)
        if isinstance(phrases, np.ndarray) and end_id != 0 and (phrases == end_id).any():
            raise ValueError(
                f"`phrases` must not hold the end id, here {end_id}. "
                f"Received: phrases={phrases.tolist()}"
            )


def constraints_among(rules):
    """The phrases of the one `LexicalConstraints` among the rules, or None."""
    found = [rule for rule in rules if isinstance(rule, LexicalConstraints)]
    if len(found) > 1:
        raise ValueError(
            f"`rules` must have at most one LexicalConstraints. Received: rules with {len(found)}"
        )
    return Phrases.of(found[0].phrases) if found else None


class Phrases(NamedTuple):
    """Phrases as automata: how far each has come is a number from 0 to its length.

    Attributes:
        ids: int32 `(batch, phrases, time)`.
        lengths: int32 `(batch, phrases)`; an empty phrase is met from the start.
        borders: bool `(batch, phrases, time + 1, time)`: whether the first m tokens of a phrase
            are also the last m of its first j, at [j, m]. If so, a hypothesis that ends in those
            j tokens and goes on with token m has come to m + 1 (Knuth, Morris & Pratt 1977).
    """

    ids: Any
    lengths: Any
    borders: Any

    @classmethod
    def of(cls, ids):
        """Built once for all steps."""
        missing = [(0, int(size == 0)) for size in ids.shape[1:]]  # there is one, or an empty one
        ids = ops.pad(ops.cast(ids, "int32"), [(0, 0), *missing])
        time = ids.shape[2]
        j, m, i = np.ogrid[: time + 1, :time, :time]
        shifted = ops.take(ids, np.clip(j - m + i, 0, time - 1), axis=2)
        same = ops.logical_or(shifted == ids[:, :, None, None], i >= m)
        borders = ops.logical_and(ops.all(same, axis=-1), (m <= j)[..., 0])
        return cls(ids, ops.sum(ops.cast(ids != 0, "int32"), axis=2), borders)

    def no_progress(self, beams):
        """int32 zeros `(batch, beams, phrases)`."""
        return ops.tile(ops.zeros_like(self.lengths)[:, None], (1, beams, 1))

    def wanted(self, progress):
        """The next token of each phrase: ids `(batch, beams, phrases)`, 0 where it is met."""
        at = np.arange(self.ids.shape[2]) == progress[..., None]
        wanted = ops.sum(ops.where(at, self.ids[:, None], 0), axis=-1)
        return ops.where(self.are_met(progress), 0, wanted)

    def advanced(self, progress, tokens):
        """From `(batch, beams, phrases)` by tokens `(batch, beams, candidates)`.

        Returns int32 `(batch, beams, candidates, phrases)`.
        """
        time = self.ids.shape[2]
        here = np.arange(time + 1) == progress[..., None]  # (batch, beams, phrases, time + 1)
        border = ops.any(ops.logical_and(here[..., None], self.borders[:, None]), axis=-2)
        real = np.arange(time) < self.lengths[..., None]  # (batch, phrases, time)
        next_ids = ops.where(real, self.ids, -1)[:, None, None]
        fits = ops.logical_and(tokens[..., None, None] == next_ids, border[:, :, None])
        come = ops.where(fits, np.arange(1, time + 1, dtype="int32"), 0)
        progress = progress[:, :, None]
        return ops.where(self.are_met(progress), progress, ops.max(come, axis=-1))

    def are_met(self, progress):
        """Bool, for progress `(batch, ..., phrases)`: which phrases are met."""
        lengths = self.lengths[:, None]
        return progress == (lengths if len(progress.shape) == 3 else lengths[:, None])

    def number_met(self, progress):
        """int32 `(batch, ...)`, at most `number`."""
        return ops.sum(ops.cast(self.are_met(progress), "int32"), axis=-1)

    @property
    def number(self):
        """How many phrases a sentence has, empty ones among them."""
        return self.ids.shape[1]

    @property
    def tokens(self):
        """How many tokens they have together, at most."""
        return self.ids.shape[1] * self.ids.shape[2]


def hopeful(scores, bounds, done, phrases_met, phrases):
    """Which candidates `(batch, candidates)` to keep, before the beam is shared out.

    Of those that lack a phrase, drops the finished ones but the best of those with most phrases,
    that one too once there is a finished one with all phrases, and the unfinished ones that cannot
    beat the best of these: `bounds` are the highest scores that they may come to.
    """
    met = phrases_met == phrases
    complete = ops.logical_and(done, met)
    best = ops.max(ops.where(complete, scores, IMPOSSIBLE), axis=1, keepdims=True)
    given_up = ops.logical_and(done, ops.logical_not(met))
    most = ops.max(ops.where(given_up, phrases_met, -1), axis=1, keepdims=True)
    given_up = ops.logical_and(given_up, phrases_met == most)
    best_given_up = ops.max(ops.where(given_up, scores, IMPOSSIBLE), axis=1, keepdims=True)
    keep = ops.logical_and(given_up, scores == best_given_up)
    keep = ops.where(done, ops.logical_and(keep, best == IMPOSSIBLE), bounds >= best)
    return ops.logical_or(met, keep)


def allocated(scores, tokens_met, tokens, beam_width):
    """Shares the beam out: int32 `(batch, beam_width)`, which candidates get a place.

    Candidates with as many tokens met, of `tokens` at most, form a bank. The best of each bank
    come first, of the bank with most tokens before the others, then the second best.
    """
    same_bank = tokens_met[:, :, None] == tokens_met[:, None]  # (batch, candidates, candidates)
    ahead = ops.logical_and(same_bank, _precedes(scores))
    place = ops.sum(ops.cast(ahead, "int32"), axis=1)
    order = place * (tokens + 1) - tokens_met
    order = ops.where(is_possible(scores), order, (tokens + 1) * scores.shape[1])
    return ops.cast(ops.top_k(-order, beam_width)[1], "int32")


def ranked(scores, classes):
    """int32 `(batch, beams)`: the order by class, the highest first, then by score."""
    higher = classes[:, :, None] > classes[:, None]
    same = classes[:, :, None] == classes[:, None]
    ahead = ops.logical_or(higher, ops.logical_and(same, _precedes(scores)))
    place = ops.sum(ops.cast(ahead, "int32"), axis=1)
    return ops.cast(ops.top_k(-place, scores.shape[1])[1], "int32")


def _precedes(scores):
    """Bool `(batch, i, j)`: whether i comes before j by score, the first of equals first."""
    one, other = scores[:, :, None], scores[:, None]
    places = np.arange(scores.shape[1])
    earlier = places[:, None] < places
    return ops.logical_or(one > other, ops.logical_and(one == other, earlier))
