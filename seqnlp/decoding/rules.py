"""Rules that decoders keep: what the next token may be, and how much it is worth."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from seqnlp.decoding.decoded import IMPOSSIBLE
from seqnlp.decoding.states import repeated


class Partial(NamedTuple):
    """What rules know when the next token is chosen.

    Attributes:
        history: int32 `(rows, max_length)`, the tokens up to `position`, without the start; None
            unless a rule needs it. What stands behind them is meaningless.
        position: int32 scalar, how many tokens each unfinished hypothesis has.
        end_id: The id that ends a hypothesis.
        beams: How many rows a sentence has.
        vocabulary: How many ids there are.
    """

    history: Any
    position: Any
    end_id: int
    beams: int
    vocabulary: int


class Rule:
    """Base of the rules; a rule overrides `reweigh` or `allowed`.

    What a rule forbids keeps its share of the probability, which is lost: the scores are the
    model's own, so that hypotheses remain comparable. What a rule reweighs is normalised again.
    """

    needs_history = False
    needs_beams = False

    def check(self, batch, vocabulary, max_length, end_id):
        """Raises a ValueError where the rule cannot apply; `batch` may be None."""

    def reweigh(self, logits, partial):
        """Float32 logits `(rows, vocabulary)` from such logits."""
        return logits

    def allowed(self, partial):
        """Bool, broadcastable to `(rows, vocabulary)`; None to allow all."""
        return None


class MinimumLength(Rule):
    """No end id before `length` tokens.

    Args:
        length: How many tokens, at least 1 and at most `max_length`.

    Raises:
        ValueError: `length` is below 1; or, when decoding begins, above `max_length`.
    """

    def __init__(self, length):
        if length < 1:
            raise ValueError(f"`length` must be at least 1. Received: length={length}")
        self.length = length

    def check(self, batch, vocabulary, max_length, end_id):
        if self.length > max_length:
            raise ValueError(
                f"`length` must be at most `max_length`, here {max_length}. "
                f"Received: length={self.length}"
            )

    def allowed(self, partial):
        is_token = np.arange(partial.vocabulary) != partial.end_id
        return ops.logical_or(partial.position >= self.length, is_token)


class Forbidden(Rule):
    """Tokens that never come.

    Args:
        token_ids: Sequence of their ids.
    """

    def __init__(self, token_ids):
        self.token_ids = np.asarray(token_ids, dtype="int32").reshape(-1)

    def check(self, batch, vocabulary, max_length, end_id):
        check_ids("token_ids", self.token_ids, vocabulary)

    def allowed(self, partial):
        allowed = np.ones(partial.vocabulary, dtype="bool")
        allowed[self.token_ids] = False
        return ops.convert_to_tensor(allowed)


class ForcedPrefix(Rule):
    """Tokens that each sentence starts with, as for completing what a translator has typed.

    Args:
        token_ids: int `(batch, time)`, padded with 0 at the end of each row, or as many lists of
            ids. Ids outside the vocabulary and prefixes longer than `max_length` are refused,
            except in a tensor: there the ids leave a hypothesis nothing that is possible, and
            of a prefix the first `max_length` tokens come.

    Raises:
        ValueError: `token_ids` has no two dimensions, or 0 before an id; or, when decoding
            begins, has another number of rows than there are sentences, or what is refused.
    """

    def __init__(self, token_ids):
        self.token_ids = padded("token_ids", token_ids, rank=2)

    def check(self, batch, vocabulary, max_length, end_id):
        check_batch("token_ids", self.token_ids, batch)
        check_ids("token_ids", self.token_ids, vocabulary)
        check_lengths("token_ids", self.token_ids, max_length)

    def allowed(self, partial):
        ids = ops.pad(ops.cast(self.token_ids, "int32"), ((0, 0), (0, 1)))
        last = ops.shape(ids)[1] - 1
        wanted = ops.take(ids, ops.minimum(partial.position, last), axis=1)
        wanted = repeated(wanted, partial.beams)[:, None]
        every = np.arange(partial.vocabulary, dtype="int32")
        return ops.logical_or(wanted == 0, wanted == every)


class NoRepeatedNgrams(Rule):
    """No n-gram comes twice in a hypothesis.

    Args:
        size: The n, at least 1.

    Raises:
        ValueError: `size` is below 1.

    Reference: Paulus et al. 2018, A deep reinforced model for abstractive summarization, 2.5
    """

    needs_history = True

    def __init__(self, size):
        if size < 1:
            raise ValueError(f"`size` must be at least 1. Received: size={size}")
        self.size = size

    def allowed(self, partial):
        history, before = partial.history, self.size - 1
        ngrams = history.shape[1] - before
        if ngrams < 1:
            return None
        # An n-gram whose first tokens are the last ones of the hypothesis forbids its own last.
        repeats = ops.arange(before, history.shape[1]) < partial.position
        for at in range(before):
            last = ops.take(history, ops.maximum(partial.position - before + at, 0), axis=1)
            repeats = ops.logical_and(repeats, history[:, at : at + ngrams] == last[:, None])
        return ops.logical_not(_any_of(history[:, before:], repeats, partial.vocabulary))


class RepetitionPenalty(Rule):
    """Makes tokens that have come already less likely.

    Their logits are divided by `penalty` where positive, and multiplied by it where negative, so
    that both fall; the others stay. This depends on where the logits' zero is.

    Args:
        penalty: At least 1, which changes nothing; the paper takes 1.2.

    Raises:
        ValueError: `penalty` is below 1.

    Reference: Keskar et al. 2019, CTRL: a conditional transformer language model, section 4.1
    """

    needs_history = True

    def __init__(self, penalty):
        if not penalty >= 1:
            raise ValueError(f"`penalty` must be at least 1. Received: penalty={penalty}")
        self.penalty = penalty

    def reweigh(self, logits, partial):
        written = ops.arange(partial.history.shape[1]) < partial.position
        seen = _any_of(partial.history, written, partial.vocabulary)
        less = ops.where(logits > 0, logits / self.penalty, logits * self.penalty)
        return ops.where(seen, less, logits)


def apply_rules(logits, rules, partial, normalized):
    """Logits `(rows, vocabulary)` under the rules, and their log normaliser `(rows, 1)`.

    The normaliser counts in what is forbidden.
    """
    for rule in rules:
        logits = rule.reweigh(logits, partial)
    if normalized and all(type(rule).reweigh is Rule.reweigh for rule in rules):
        log_norm = ops.zeros_like(logits[:, :1])
    else:
        log_norm = ops.logsumexp(logits, axis=-1, keepdims=True)
    for rule in rules:
        allowed = rule.allowed(partial)
        if allowed is not None:
            logits = ops.where(allowed, logits, IMPOSSIBLE)
    return logits, log_norm


def padded(name, ids, rank):
    """Ids as an int array of that rank, 0 behind the end of each list; tensors as they are."""
    if isinstance(ids, list | tuple):
        ids = _filled(ids, rank)
    if len(ids.shape) != rank:
        raise ValueError(
            f"`{name}` must have {rank} dimensions. Received: {name} with shape {tuple(ids.shape)}"
        )
    if isinstance(ids, np.ndarray) and (ids[..., 1:][ids[..., :-1] == 0] != 0).any():
        raise ValueError(
            f"`{name}` must have 0 at the end of its rows only. Received: {name}={ids.tolist()}"
        )
    return ids


def check_ids(name, ids, vocabulary):
    """Ids of arrays must be in the vocabulary; what a tensor holds is unknown in a graph."""
    if isinstance(ids, np.ndarray) and ((ids < 0) | (ids >= vocabulary)).any():
        raise ValueError(
            f"`{name}` must be ids from 0 to {vocabulary - 1}. Received: {name}={ids.tolist()}"
        )


def check_lengths(name, ids, max_length):
    """As `check_ids`, of the lengths of rows that 0 pads."""
    if isinstance(ids, np.ndarray) and np.max((ids != 0).sum(axis=-1), initial=0) > max_length:
        raise ValueError(
            f"`{name}` must have at most `max_length` tokens each, here {max_length}. "
            f"Received: {name}={ids.tolist()}"
        )


def check_batch(name, ids, batch):
    """There must be one row for each sentence."""
    if None not in (batch, ids.shape[0]) and ids.shape[0] != batch:
        raise ValueError(
            f"`{name}` must have one row for each of `start_ids`, here {batch}. "
            f"Received: {name} with shape {tuple(ids.shape)}"
        )


def _filled(lists, rank):
    """Nested lists of ids, `rank` deep, as one array."""
    if rank == 1:
        return np.asarray(lists, dtype="int32").reshape(-1)
    parts = [_filled(part, rank - 1) for part in lists]
    shape = np.max([part.shape for part in parts], axis=0) if parts else [0] * (rank - 1)
    result = np.zeros((len(parts), *shape), dtype="int32")
    for at, part in enumerate(parts):
        result[(at, *(slice(size) for size in part.shape))] = part
    return result


def _any_of(token_ids, chosen, vocabulary):
    """Bool `(rows, vocabulary)`: the ids of `token_ids (rows, time)` that are `chosen`."""
    rows = ops.shape(token_ids)[0]
    row = ops.broadcast_to(ops.arange(rows, dtype="int32")[:, None], ops.shape(token_ids))
    where = ops.reshape(ops.stack([row, token_ids], axis=-1), (-1, 2))
    chosen = ops.broadcast_to(ops.cast(chosen, "int32"), ops.shape(token_ids))
    counts = ops.scatter(where, ops.reshape(chosen, (-1,)), (rows, vocabulary))
    return counts > 0
