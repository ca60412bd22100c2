"""Pairs of spans of documents, half of which follow each other: what BERT is pretrained on."""

import bisect
import collections
from typing import NamedTuple

import numpy as np

_BITS = 53  # that a random number has, each a coin
SPECIALS = 3  # of a pair: one at the beginning, one behind each span


class Sentences(NamedTuple):
    """The pieces of a document's sentences, one behind the other.

    Fields:
        ids: int32 `(time,)`.
        bounds: List of `int`, 0 and the end of each sentence; none is empty.
    """

    ids: np.ndarray
    bounds: list


class SpanPair(NamedTuple):
    """Two spans of text.

    Fields:
        first: int32 `(time,)`, its pieces.
        second: The same of the other span.
        is_next: Whether the second follows the first in the same document.
    """

    first: np.ndarray
    second: np.ndarray
    is_next: bool


def document_pairs(document, others, random, max_length=128, short_share=0.1):
    """Pairs of spans that a document's sentences make, from the first one to the last.

    Sentences are put together until they are long enough; then the pile is parted at a random
    place, one of a single sentence within it. With even chances the second span is the rest of
    the pile, or it comes from another document and the rest begins the next pile. So the answer
    cannot be told from the length of the first span. A pile of one piece makes no pair.

    Args:
        document: `Sentences`.
        others: Sequence of other documents, at least one.
        random: `random.Random`; of it `random()` alone is used, whose numbers are the same in
            every version of Python.
        max_length: Most pieces of a pair, its three specials among them; longer pairs lose
            pieces at either end of the longer span.
        short_share: Share of piles that are to be of random length.

    Returns:
        List of `SpanPair`, and a `collections.Counter` of what became of
        pieces: `pieces_without_pair`, `pieces_cut`.

    Raises:
        ValueError: An argument is out of range.

    Reference: https://arxiv.org/abs/1810.04805, section 3.1 and appendix A.2
    """
    _check(others, max_length, short_share)
    most = max_length - SPECIALS
    ids, bounds = document
    pairs, counts = [], collections.Counter()
    begin = sentence = 0  # where the pile begins, and the sentence of that piece
    while begin < bounds[-1]:
        wanted = _wanted(random, most, short_share)
        last = _end(bounds, sentence, begin + wanted)
        end = bounds[last]
        if end - begin == 1:
            counts["pieces_without_pair"] += 1
        else:
            middle, rest = _parted(bounds, begin, sentence, last, random)
            first, second = ids[begin:middle], ids[middle:end]
            is_next = random.random() < 0.5
            if not is_next:
                second = _from_another(others, random, wanted - len(first))
                end, last = middle, rest
            pair = _cut(first, second, most, random)
            counts["pieces_cut"] += len(first) + len(second) - sum(map(len, pair))
            pairs.append(SpanPair(*pair, is_next))
        begin, sentence = end, last
    return pairs, counts


def _end(bounds, sentence, place):
    """Of sentences from one on, the number behind the first that ends at `place` or later."""
    return min(bisect.bisect_left(bounds, place, sentence + 1), len(bounds) - 1)


def _wanted(random, most, short_share):
    """Pieces of a pile."""
    if random.random() < short_share:
        return 2 + _below(random, most - 1)
    return most


def _parted(bounds, begin, sentence, last, random):
    """Where a pile is parted, and the sentence of that piece."""
    if last - sentence > 1:
        rest = sentence + 1 + _below(random, last - sentence - 1)
        return bounds[rest], rest
    return begin + 1 + _below(random, bounds[last] - begin - 1), sentence


def _from_another(others, random, wanted):
    """Pieces of another document, from the beginning of one of its sentences on."""
    ids, bounds = others[_below(random, len(others))]
    sentence = _below(random, len(bounds) - 1)
    begin = bounds[sentence]
    return ids[begin : bounds[_end(bounds, sentence, begin + max(wanted, 1))]]


def _cut(first, second, most, random):
    """Spans of `most` pieces together at most, the longer one cut at either end.

    Pieces go one by one, each from the longer span, the first where both are alike, and with even
    chances from its beginning or its end.
    """
    if len(first) + len(second) <= most:
        return [first, second]
    kept = min(len(first), max(most - len(second), most // 2))
    return [_within(first, kept, random), _within(second, most - kept, random)]


def _within(span, size, random):
    """A part of `size` pieces; each of the others went from either end with even chances."""
    missing, start = len(span) - size, 0
    while missing > 0:
        flips = min(missing, _BITS)
        start += (int(random.random() * 2**_BITS) >> (_BITS - flips)).bit_count()
        missing -= flips
    return span[start : start + size]


def _below(random, number):
    """An integer from 0 to `number - 1`."""
    return int(random.random() * number)


def _check(others, max_length, short_share):
    if not others:
        raise ValueError(
            "`others` must hold a document for spans that do not follow. Received: others=[]"
        )
    if max_length < SPECIALS + 2:
        raise ValueError(
            f"`max_length` must be at least {SPECIALS + 2}: two pieces and three specials. "
            f"Received: max_length={max_length}"
        )
    if not 0 <= short_share <= 1:
        raise ValueError(f"`short_share` must be from 0 to 1. Received: short_share={short_share}")
