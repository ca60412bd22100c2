"""Pairs of spans of documents, half of which follow each other: what BERT is pretrained on."""

import collections
from typing import NamedTuple

import numpy as np

_BITS = 53  # that a random number has, each a coin
SPECIALS = 3  # of a pair: one at the beginning, one behind each span


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
        document: List of int32 arrays, the pieces of each sentence, none of them empty.
        others: List of other documents, at least one.
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
    document, pairs, counts = list(document), [], collections.Counter()
    pile, length, at = [], 0, 0
    wanted = _wanted(random, most, short_share)
    while at < len(document):
        pile.append(document[at])
        length += len(document[at])
        at += 1
        if length < wanted and at < len(document):
            continue
        if length == 1:
            counts["pieces_without_pair"] += 1
        else:
            begin, rest = _parted(pile, random)
            first, second = np.concatenate(begin), np.concatenate(rest)
            is_next = random.random() < 0.5
            if not is_next:
                second = _from_another(others, random, wanted - len(first))
                at -= len(rest)
                document[at] = rest[0]  # of a single sentence, what is left of it
            pair = _cut(first, second, most, random)
            counts["pieces_cut"] += len(first) + len(second) - sum(map(len, pair))
            pairs.append(SpanPair(*pair, is_next))
        pile, length = [], 0
        wanted = _wanted(random, most, short_share)
    return pairs, counts


def _wanted(random, most, short_share):
    """Pieces of a pile."""
    if random.random() < short_share:
        return 2 + _below(random, most - 1)
    return most


def _parted(pile, random):
    """Two lists of sentences, or of the parts of one."""
    if len(pile) > 1:
        end = 1 + _below(random, len(pile) - 1)
        return pile[:end], pile[end:]
    (sentence,) = pile
    end = 1 + _below(random, len(sentence) - 1)
    return [sentence[:end]], [sentence[end:]]


def _from_another(others, random, wanted):
    """Pieces of another document, from the beginning of one of its sentences on."""
    document = others[_below(random, len(others))]
    start = _below(random, len(document))
    length, end = 0, start
    while end < len(document) and length < max(wanted, 1):
        length += len(document[end])
        end += 1
    return np.concatenate(document[start:end])


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
