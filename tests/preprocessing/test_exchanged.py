"""Files whose source and target are exchanged."""

import collections
import random

import pytest

from seqnlp.preprocessing.exchanged import _beginnings, find_exchanged

ENGLISH = ["the", "a", "dog", "cat", "sees", "hears", "big", "small", "house", "of", "and"]
GERMAN = ["der", "ein", "hund", "kater", "sieht", "hört", "groß", "klein", "haus", "von", "und"]


def table(split, file, source, target, count=200, seed=0):
    """The tables of a file that draws words of the two languages, and "berlin" in both."""
    rng = random.Random(f"{seed} {split} {file}")
    sides = {"source": source, "target": target}
    return [
        ((split, file, side), collections.Counter(rng.choices([*words, "berlin"], k=count)))
        for side, words in sides.items()
    ]


def exchanged(*tables):
    found = find_exchanged([entry for tables in tables for entry in tables])
    return {(split, file): flag for split, file, _, flag in found}


def test_a_held_out_file_the_wrong_way_round_is_found():
    train = table("train", 0, ENGLISH, GERMAN, 1000)
    good, bad = table("eval", 1, ENGLISH, GERMAN), table("test", 2, GERMAN, ENGLISH)
    expected = {("train", 0): False, ("eval", 1): False, ("test", 2): True}
    assert exchanged(train, good, bad) == expected


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_the_smaller_part_of_the_training_files_is_found_also_where_it_is_one_long_file(wrong):
    tables = [table("train", 0, *((GERMAN, ENGLISH) if wrong == 0 else (ENGLISH, GERMAN)), 500)]
    for file in (1, 2):
        sides = (GERMAN, ENGLISH) if file == wrong else (ENGLISH, GERMAN)
        tables.append(table("train", file, *sides, 400))
    tables.append(table("test", 3, ENGLISH, GERMAN))
    found = exchanged(*tables)
    assert [place for place, flag in found.items() if flag] == [("train", wrong)]


def test_the_share_is_that_of_words_that_stand_on_the_wrong_side():
    train = [(("train", 0, "source"), {"the": 8, "x": 1}), (("train", 0, "target"), {"der": 9})]
    # "new" speaks for no side; of the others 30 of 40 are on the wrong one.
    test = [
        (("test", 1, "source"), {"the": 10, "der": 10, "new": 5}),
        (("test", 1, "target"), {"the": 20}),
    ]
    assert find_exchanged(train + test)[0] == ("test", 1, 0.75, False)


def test_sides_of_one_language_do_not_look_exchanged():
    """As in paraphrasing: which side a word is on is chance, so few words speak."""
    for seed in range(50):
        train = table("train", 0, ENGLISH, ENGLISH, 1000, seed)
        assert not any(exchanged(train, table("test", 1, ENGLISH, ENGLISH, 100, seed)).values())


def test_a_few_words_prove_nothing():
    train = table("train", 0, ENGLISH, GERMAN)
    assert not exchanged(train, table("test", 1, GERMAN, ENGLISH, 9))["test", 1]
    assert exchanged(train, table("test", 1, GERMAN, ENGLISH, 20))["test", 1]


def test_one_side_only_is_no_error():
    assert exchanged([(("train", 0, "source"), {"a": 3})]) == {("train", 0): False}


def test_the_order_of_the_tables_does_not_matter():
    tables = [
        entry
        for file in range(4)
        for entry in table("train", file, *((GERMAN, ENGLISH) if file == 1 else (ENGLISH, GERMAN)))
    ]
    expected = find_exchanged(tables)
    for seed in range(5):
        random.Random(seed).shuffle(tables)
        assert find_exchanged(tables) == expected


def test_words_are_told_by_their_beginnings_and_han_by_its_characters():
    def beginnings(text):
        return [(place[-1], count) for place, count in _beginnings((("t", 0, "source", text), 3))]

    assert beginnings("Häuser-Meer,") == [("häus", 3), ("meer", 3)]
    assert beginnings("3.14!") == []
    assert beginnings("東京タワーabc") == [(c, 3) for c in ["東", "京", "タ", "ワ", "ー", "abc"]]
    assert beginnings("서울특별시에서") == [("서울특별", 3)]
