"""Files whose source and target are exchanged, found by whose words they use."""

import heapq
import re
from collections import Counter, defaultdict

import apache_beam as beam

# Han and kana, which are not parted by spaces, one by one; of other words the beginnings, which
# inflected forms share, and which are few.
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+")
_BEGINNING = 4
# The most frequent words of a file's side that are looked at.
_MAX_WORDS = 5000
# A word speaks for the side where it is more than this many times as frequent.
_CLEARLY = 2
# Of the words that speak for a side, the share from which a file is said to be exchanged, and
# how many must speak.
_SHARE, _LEAST = 0.8, 20
_OTHER = {"source": "target", "target": "source"}
_DIGITS = 6


class FindExchanged(beam.PTransform):
    """`((split, file, side, word), count)` -> one list, see `find_exchanged`.

    `file` is a number; words are parted by white space and counted over the file's pairs.
    """

    def expand(self, counts):
        """Applies the transform."""
        return (
            counts
            | "Beginnings" >> beam.FlatMap(_beginnings)
            | "Sum" >> beam.CombinePerKey(sum)
            | "BySide" >> beam.Map(_by_side)
            | "Group" >> beam.GroupByKey()
            | "Frequent" >> beam.Map(_most_frequent)
            | "All" >> beam.combiners.ToList()
            | "Find" >> beam.Map(find_exchanged)
        )


def _beginnings(counted):
    (*place, text), count = counted
    for word in _WORDS.findall(text.lower()):
        yield (*place, word[:_BEGINNING]), count


def _by_side(counted):
    (*place, word), count = counted
    return tuple(place), (word, count)


def _most_frequent(grouped):
    place, counted = grouped
    best = heapq.nsmallest(_MAX_WORDS, counted, key=lambda item: (-item[1], item[0]))
    return place, dict(best)


def find_exchanged(tables):
    """How far each file reads as if its source and target were exchanged.

    The training file with the most words says at first which side is which. Others are compared
    with it, from the longest on, and those of training are added to it, the right way round: a
    word speaks for the side in which it is clearly more frequent. Where most of the training
    words turn out to be in files the other way round, these are right, and the others exchanged.

    Args:
        tables: List of `((split, file, side), dict from word to count)`.

    Returns:
        List of `(split, file, share, exchanged)`, sorted: of the words of the file that speak
        for a side, the share that speaks for the wrong one; and whether that is nearly all.
    """
    files = defaultdict(lambda: {side: Counter() for side in _OTHER})
    for (split, file, side), counts in tables:
        files[split, file][side].update(counts)
    sizes = {place: sum(map(Counter.total, sides.values())) for place, sides in files.items()}
    known, votes = {side: Counter() for side in _OTHER}, {}
    weights = {True: 0, False: 0}
    for place in sorted(files, key=lambda place: (place[0] != "train", -sizes[place], place)):
        sides = files[place]
        votes[place] = _votes(sides, known if votes else sides)
        if place[0] == "train":
            exchanged = _are_exchanged(*votes[place])
            weights[exchanged] += sizes[place]
            for side, counts in sides.items():
                known[_OTHER[side] if exchanged else side].update(counts)
    found = []
    for (split, file), (wrong, spoken) in sorted(votes.items()):
        if weights[True] > weights[False]:
            wrong = spoken - wrong
        share = round(wrong / spoken, _DIGITS) if spoken else 0.0
        found.append((split, file, share, _are_exchanged(wrong, spoken)))
    return found


def _are_exchanged(wrong, spoken):
    return spoken >= _LEAST and wrong >= _SHARE * spoken


def _votes(sides, known):
    """How many words of `sides` speak for the other side, and how many for either."""
    totals = {side: max(sum(counts.values()), 1) for side, counts in known.items()}
    wrong = spoken = 0
    for side, counts in sides.items():
        other = _OTHER[side]
        for word, count in counts.items():
            # Shares of the two sides, over one denominator.
            here = known[side][word] * totals[other]
            there = known[other][word] * totals[side]
            if there > _CLEARLY * here:
                wrong, spoken = wrong + count, spoken + count
            elif here > _CLEARLY * there:
                spoken += count
    return wrong, spoken
