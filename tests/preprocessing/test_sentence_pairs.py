"""Pairs of spans whose pieces say where they come from: 1000 * document + place."""

import random
import re

import numpy as np
import pytest

from seqnlp.preprocessing.sentence_pairs import Sentences, document_pairs

SIZE = 1000


def documents(number, seed=0, most=30):
    """Documents of 1 to 12 sentences of 1 to `most` pieces."""
    draw, found = random.Random(seed), []
    for at in range(number):
        lengths = [draw.randint(1, most) for _ in range(draw.randint(1, 12))]
        found.append(sentences(lengths, SIZE * at))
    return found


def sentences(lengths, first=0):
    """Sentences of rising pieces."""
    bounds = np.cumsum([0, *lengths]).tolist()
    return Sentences(np.arange(bounds[-1], dtype="int32") + first, bounds)


def all_pairs(corpus, seed=0, **arguments):
    """`(number of the document, its pairs, its counts)`."""
    draw = random.Random(seed)
    for number, document in enumerate(corpus):
        others = corpus[:number] + corpus[number + 1 :]
        yield number, *document_pairs(document, others, draw, **arguments)


def test_spans_are_runs_of_one_document_and_follow_each_other_where_they_say_so():
    for number, pairs, _ in all_pairs(documents(300), max_length=40):
        for pair in pairs:
            for span in (pair.first, pair.second):
                assert len(span) >= 1
                assert (np.diff(span) == 1).all()
                assert len(set(span // SIZE)) == 1
            assert len(pair.first) + len(pair.second) <= 37
            assert pair.first[0] // SIZE == number
            assert (pair.second[0] // SIZE == number) == pair.is_next
            if pair.is_next:
                assert pair.second[0] > pair.first[-1]


def test_nothing_is_left_out_or_comes_twice_but_what_is_counted():
    corpus = documents(300)
    for number, pairs, counts in all_pairs(corpus, max_length=40):
        own = [pair.first for pair in pairs] + [p.second for p in pairs if p.is_next]
        own = np.concatenate([*own, np.array([], "int32")])
        assert len(np.unique(own)) == len(own)
        total = len(corpus[number].ids)
        assert total - len(own) <= counts["pieces_cut"] + counts["pieces_without_pair"]
        if not counts["pieces_cut"]:
            assert total - len(own) == counts["pieces_without_pair"]


def test_half_of_the_pairs_follow_and_lengths_do_not_tell_which():
    lengths = {True: [], False: []}
    for _, pairs, _ in all_pairs(documents(6000), max_length=64):
        for pair in pairs:
            lengths[pair.is_next].append(len(pair.first))
    number = sum(map(len, lengths.values()))
    assert number > 10_000
    assert len(lengths[True]) / number == pytest.approx(0.5, abs=0.01)
    means = [np.mean(found) for found in lengths.values()]
    assert means[0] == pytest.approx(means[1], rel=0.03)


def test_piles_are_nearly_as_long_as_may_be_but_for_the_short_share():
    corpus = [sentences([2] * 450) for _ in range(2)]
    for share, expected in ((0.0, 0), (1.0, 0.9)):
        found = [
            len(pair.first) + len(pair.second)
            for _, pairs, _ in all_pairs(corpus, max_length=83, short_share=share)
            for pair in pairs
            if pair.is_next
        ]
        assert np.mean(np.array(found[:-1]) < 79) == pytest.approx(expected, abs=0.1)


def test_a_document_of_one_sentence_is_parted_within_it_and_one_of_a_piece_makes_no_pair():
    other = [sentences([30], 100)]
    answers = set()
    for seed in range(20):
        pairs, counts = document_pairs(sentences([9]), other, random.Random(seed))
        own = [pair.first for pair in pairs] + [p.second for p in pairs if p.is_next]
        left = 9 - len(np.concatenate(own))
        assert left == counts["pieces_without_pair"] <= 1
        answers |= {pair.is_next for pair in pairs}
    assert answers == {True, False}
    pairs, counts = document_pairs(sentences([1]), other, random.Random(0))
    assert (pairs, dict(counts)) == ([], {"pieces_without_pair": 1})
    assert document_pairs(sentences([]), other, random.Random(0)) == ([], {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"others": []},
            "`others` must hold a document for spans that do not follow. Received: others=[]",
        ),
        (
            {"max_length": 4},
            "`max_length` must be at least 5: two pieces and three specials. "
            "Received: max_length=4",
        ),
        ({"short_share": 1.1}, "`short_share` must be from 0 to 1. Received: short_share=1.1"),
    ],
)
def test_refuses(change, message):
    arguments = {"others": documents(1), "random": random.Random(0), **change}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        document_pairs(documents(1)[0], **arguments)
