"""Hides tokens for a masked language model: in NumPy, whole batches at once.

What is hidden follows from an example's key, the seed and the epoch alone: the preparation and
every reader, on any backend and in batches of any size, hide the same.
"""

from typing import NamedTuple

import numpy as np

HIDDEN, EXCHANGED = 0.8, 0.1  # shares of the chosen tokens; the others stay as they are
_PLACE, _FATE, _OTHER = range(3)  # streams of random numbers


class Masked(NamedTuple):
    """A batch with hidden tokens, and what they were.

    Fields:
        token_ids: int32 `(batch, time)`.
        positions: int32 `(batch, most)`, places of the chosen tokens in rising order, then 0.
        labels: int32 `(batch, most)`, the ids that stood there, then 0.
        weights: float32 `(batch, most)`, 1 at chosen tokens, then 0.
    """

    token_ids: np.ndarray
    positions: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


def mask_tokens(
    token_ids,
    keys,
    mask_id,
    special_ids,
    vocabulary_size,
    most=20,
    share=0.15,
    word_starts=None,
    seed=0,
    epoch=0,
):
    """Chooses tokens, and hides most of them.

    Of the chosen ones 80 % become the mask, 10 % another token drawn evenly from those that are
    not special, and 10 % stay. Each example has `share` of its ordinary tokens chosen, rounded,
    but at least one and no more than `most`.

    Args:
        token_ids: Integer array `(batch, time)`.
        keys: Unsigned integers `(batch,)`, a number of each example's own.
        mask_id: What hides a token.
        special_ids: Ids that are never chosen nor put in a place, padding and mask among them.
        vocabulary_size: Number of ids.
        most: Width of the result's positions.
        share: Of the ordinary tokens, above 0 and below 1.
        word_starts: Bool array `(batch, time)`, True at the first token of each word: then words
            are chosen as a whole, and one that no longer fits is passed over. None to choose
            tokens each on its own.
        seed: Integer.
        epoch: Integer: each epoch hides others; 0 always, for examples that stay as they are.

    Returns:
        `Masked`.

    Raises:
        ValueError: An argument is out of range, or shapes do not fit.

    Reference: https://arxiv.org/abs/1810.04805, section 3.1 and appendix A.1
    """
    token_ids = np.asarray(token_ids, dtype="int32")
    special_ids = np.unique(np.asarray(list(special_ids), dtype="int64"))
    _check(token_ids, keys, mask_id, special_ids, vocabulary_size, most, share, word_starts)
    keys = _mixed(_mixed(np.asarray(keys).astype("uint64") + _number(seed)) + _number(epoch))
    ordinary = np.isin(token_ids, special_ids, invert=True)
    chosen = _chosen(keys, ordinary, word_starts, most, share)
    found = _positions(chosen, most)
    labels = np.take_along_axis(token_ids, found, axis=1)
    is_real = np.arange(most) < chosen.sum(axis=1, keepdims=True)
    written = _written(keys, found, labels, mask_id, special_ids, vocabulary_size)
    hidden, rows = token_ids.copy(), np.nonzero(is_real)[0]
    hidden[rows, found[is_real]] = written[is_real]
    return Masked(
        hidden,
        np.where(is_real, found, 0).astype("int32"),
        np.where(is_real, labels, 0).astype("int32"),
        is_real.astype("float32"),
    )


def _chosen(keys, ordinary, word_starts, most, share):
    """Bool `(batch, time)`: the first tokens or words in an order of their random numbers."""
    time = ordinary.shape[1]
    counts = ordinary.sum(axis=1)
    wanted = np.minimum(np.maximum(np.rint(share * counts), counts > 0), most).astype("int64")
    places = np.arange(time)
    first = np.broadcast_to(places, ordinary.shape)
    if word_starts is not None:  # the last place before or at each token where a word starts
        first = np.maximum.accumulate(np.where(word_starts, places, 0), axis=1)
    # A special token never comes before an ordinary one, whatever the words.
    numbers = np.take_along_axis(_random(keys, places[None], _PLACE), first, axis=1) >> 1
    numbers = np.where(ordinary, numbers, np.uint64(2**63))
    order = np.argsort(numbers, axis=1, kind="stable")
    in_order = np.take_along_axis(ordinary, order, axis=1)
    if word_starts is None:
        taken = in_order & (places < wanted[:, None])
    else:
        taken = _whole(np.take_along_axis(first, order, axis=1), in_order, wanted)
    chosen = np.zeros_like(ordinary)
    np.put_along_axis(chosen, order, taken, axis=1)
    return chosen


def _whole(words, ordinary, wanted):
    """Bool `(batch, time)`: the tokens of words that fit one after the other.

    Args:
        words: Integer `(batch, time)`, the word of each token, those of a word together.
        ordinary: Bool `(batch, time)`.
        wanted: Integer `(batch,)`, how many tokens may be taken.
    """
    batch, time = words.shape
    sizes = np.zeros((batch, time), dtype="int64")
    rows = np.broadcast_to(np.arange(batch)[:, None], words.shape)
    np.add.at(sizes, (rows, words), ordinary)
    sizes = np.take_along_axis(sizes, words, axis=1)
    begins = np.concatenate([np.ones((batch, 1), bool), words[:, 1:] != words[:, :-1]], axis=1)
    taken = np.zeros((batch, time), dtype=bool)
    left, fits = wanted.copy(), np.zeros(batch, dtype=bool)
    for at in range(time):
        fits = np.where(begins[:, at], sizes[:, at] <= left, fits) & ordinary[:, at]
        left -= np.where(begins[:, at] & fits, sizes[:, at], 0)
        taken[:, at] = fits
        if not left.any() and not fits.any():
            break
    return taken


def _positions(chosen, most):
    """The places of True in rising order, then others, `(batch, most)`."""
    order = np.argsort(~chosen, axis=1, kind="stable")[:, :most]
    return np.pad(order, [(0, 0), (0, most - order.shape[1])])


def _written(keys, positions, labels, mask_id, special_ids, vocabulary_size):
    """What comes in the place of each chosen token."""
    others = np.setdiff1d(np.arange(vocabulary_size), special_ids)
    fate = _random(keys, positions, _FATE) / 2.0**64
    other = others[_random(keys, positions, _OTHER) % np.uint64(len(others))]
    written = np.where(fate < HIDDEN + EXCHANGED, other, labels)
    return np.where(fate < HIDDEN, mask_id, written)


def _random(keys, places, stream):
    """Evenly distributed uint64, of the keys `(batch,)` at places `(batch or 1, number)`."""
    counter = places.astype("uint64") * np.uint64(3) + np.uint64(stream + 1)
    return _mixed(keys[:, None] + counter * np.uint64(0x9E3779B97F4A7C15))


def _number(integer):
    return np.uint64(integer % 2**64)


def _mixed(x):
    """The finaliser of SplitMix64: https://doi.org/10.1145/2714064.2660195, figure 16."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _check(token_ids, keys, mask_id, special_ids, vocabulary_size, most, share, word_starts):
    if token_ids.ndim != 2 or token_ids.shape[1] < 1:
        raise ValueError(
            "`token_ids` must have shape (batch, time), time at least 1. "
            f"Received: token_ids.shape={token_ids.shape}"
        )
    for name, given, shape in (
        ("keys", keys, token_ids.shape[:1]),
        ("word_starts", word_starts, token_ids.shape),
    ):
        if given is not None and np.shape(given) != shape:
            raise ValueError(
                f"`{name}` must have shape {shape}, as `token_ids` has. "
                f"Received: {name}.shape={np.shape(given)}"
            )
    if mask_id not in special_ids:
        raise ValueError(
            f"`special_ids` must hold the mask, here {mask_id}. "
            f"Received: special_ids={special_ids.tolist()}"
        )
    if not 0 <= special_ids[0] <= special_ids[-1] < vocabulary_size:
        raise ValueError(
            f"`special_ids` must be from 0 to {vocabulary_size - 1}. "
            f"Received: special_ids={special_ids.tolist()}"
        )
    if len(special_ids) == vocabulary_size:
        raise ValueError(
            "`vocabulary_size` must leave ids that are not special. "
            f"Received: vocabulary_size={vocabulary_size} with as many specials"
        )
    if most < 1:
        raise ValueError(f"`most` must be at least 1. Received: most={most}")
    if not 0 < share < 1:
        raise ValueError(f"`share` must be above 0 and below 1. Received: share={share}")
