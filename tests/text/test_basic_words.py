import random
import sys
import unicodedata

import pytest
import tensorflow as tf
import tensorflow_text

from seqnlp.text.basic_words import BasicWords, is_alone

ASSIGNED = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
]


def words(strings, lowercase=False):
    return [[word.decode() for word in row] for row in BasicWords(lowercase)(strings).to_list()]


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("", []),
        (" \t\u3000\u2028\x07\x00\xad", []),
        ("Don't stop—now.", ["Don", "'", "t", "stop", "—", "now", "."]),
        ("$5+2=7", ["$", "5", "+", "2", "=", "7"]),
        ("한국어와 中文かな", ["한국어와", "中", "文", "かな"]),
        ("a\x00b\u200bc", ["a", "b", "c"]),
        ("Café", ["Café"]),
        ("[PAD] ##a", ["[", "PAD", "]", "#", "#", "a"]),
    ],
)
def test_words_with_their_case(string, expected):
    assert words([string]) == [expected]


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("Café ÇA", ["cafe", "ca"]),
        ("Straße ﬁnd Ⅷ", ["strasse", "find", "viii"]),
        ("so\xadft a\u200bb", ["soft", "ab"]),
        ("…½", [".", ".", ".", "1⁄2"]),
        ("각", ["\u1100\u1161\u11a8"]),
        ("\u0301", []),
    ],
)
def test_words_without_case_and_accents(string, expected):
    assert words([string], lowercase=True) == [expected]


def test_the_rows_stay_apart():
    assert words(["a b", "", "c"]) == [["a", "b"], [], ["c"]]
    assert BasicWords()(tf.constant([], tf.string)).to_list() == []


def test_every_character_is_folded_as_tensorflow_text_folds_it():
    theirs = tensorflow_text.FastBertNormalizer(lower_case_nfd_strip_accents=True)
    ours = BasicWords(lowercase=True)
    # Theirs makes spaces of control characters in the same step.
    expected = [text.decode().split() for text in theirs.normalize(ASSIGNED).numpy()]
    kept = [
        [] if unicodedata.category(character) in ("Cc", "Cf") else text.decode().split()
        for character, text in zip(
            ASSIGNED, ours._fold(tf.constant(ASSIGNED)).numpy(), strict=True
        )
    ]
    assert kept == expected


@pytest.mark.parametrize("lowercase", [False, True])
def test_every_character_separates_words_as_in_tensorflow_text(lowercase):
    vocabulary = ["[UNK]", "q", "##q"]
    theirs = tensorflow_text.FastBertTokenizer(
        vocabulary, token_out_type=tf.int32, lower_case_nfd_strip_accents=lowercase
    )
    characters = [character for character in ASSIGNED if unicodedata.category(character) != "Lo"]
    characters += random.Random(1).sample(ASSIGNED, 5000)
    strings = [f"q{character}q" for character in characters]
    cut = words(strings, lowercase)
    made = [[int(set(word) == {"q"}) for word in row] for row in cut]
    expected = [[id_ for id_ in row if id_ != 2] for row in theirs.tokenize(strings).to_list()]
    wrong = [c for c, ours, other in zip(characters, made, expected, strict=True) if ours != other]
    assert wrong == []


def test_ideographs_and_marks_are_alone_and_letters_are_not():
    assert all(map(is_alone, "中㐀豈𠀀.,$^`~—「"))
    assert not any(map(is_alone, "a한かカ5€😀 "))
