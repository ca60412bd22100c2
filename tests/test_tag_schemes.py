"""Tag schemes: examples from their papers, and each function as a check on the others."""

import itertools

import numpy as np
import pytest

from seqnlp import tag_schemes
from seqnlp.tag_schemes import (
    allowed_transitions,
    convert,
    converted_names,
    first_illegal,
    segment_tags,
    spans,
    split_tag,
)

TAGS = {
    "bio": ["O", "B-a", "I-a", "B-b", "I-b"],
    "iob1": ["O", "B-a", "I-a", "B-b", "I-b"],
    "bioes": ["O", "B-a", "I-a", "E-a", "S-a", "B-b", "E-b", "S-b"],
    "bilou": ["O", "B-a", "I-a", "L-a", "U-a"],
}


def encode(length, found, encoding):
    """The tags that mark `found`, which must be in order and apart."""
    tags, previous = ["O"] * length, None
    for span_type, start, end in found:
        letters = ["I"] * (end - start)
        if encoding == "iob1":
            if previous == (span_type, start):
                letters[0] = "B"
        elif encoding == "bio":
            letters[0] = "B"
        else:
            first, last, single = {"bioes": "BES", "bilou": "BLU"}[encoding]
            letters[0], letters[-1] = first, last
            if len(letters) == 1:
                letters = [single]
        tags[start:end] = [f"{letter}-{span_type}" for letter in letters]
        previous = span_type, end
    return tags


def random_spans(random, length):
    found, at = [], 0
    while at < length:
        if random.random() < 0.6:
            end = min(length, at + int(random.integers(1, 4)))
            found.append((str(random.choice(["a", "b"])), at, end))
            at = end
        else:
            at += 1
    return found


@pytest.mark.parametrize("encoding", TAGS)
def test_spans_are_those_that_were_encoded(encoding):
    random = np.random.default_rng(0)
    for _ in range(300):
        length = int(random.integers(0, 9))
        found = random_spans(random, length)
        tags = encode(length, found, encoding)
        assert spans(tags, encoding) == found
        assert first_illegal(tags, encoding) is None


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(TAGS, 2)))
def test_converted_tags_are_those_that_mark_the_same_spans(source, target):
    random = np.random.default_rng(1)
    for _ in range(100):
        length = int(random.integers(0, 9))
        found = random_spans(random, length)
        tags = encode(length, found, source)
        converted = convert(tags, source, target)
        assert converted == encode(length, found, target)
        assert set(converted) <= set(converted_names(tags, source, target))


def test_converted_names_hold_every_prefix_of_every_type():
    expected = ["O", "B-a", "I-a", "E-a", "S-a", "B-b", "I-b", "E-b", "S-b"]
    assert converted_names(["I-b", "B-b", "B-a"], "bio", "bioes") == expected
    assert converted_names(["I-b", "B-a"], "bio", "bio") == ["I-b", "B-a"]
    assert converted_names(["NOUN"], "none", "none") == ["NOUN"]


@pytest.mark.parametrize("function", [convert, converted_names])
def test_tags_without_a_scheme_cannot_be_converted(function):
    assert function(["NOUN"], "none", "none") == ["NOUN"]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        function(["NOUN"], "none", "bio")
    assert str(caught.value) == (
        "`target` must be a scheme of spans, as `source` must, or equal to it. "
        "Received: source='none', target='bio'"
    )


@pytest.mark.parametrize("encoding", TAGS)
def test_allowed_transitions_and_first_illegal_agree_on_every_short_sentence(encoding):
    tags = TAGS[encoding]
    allowed = allowed_transitions(tags, encoding)
    for length in (1, 2, 3):
        for ids in itertools.product(range(len(tags)), repeat=length):
            path = [len(tags), *ids, len(tags)]
            legal = all(allowed[pair] for pair in itertools.pairwise(path))
            fault = first_illegal([tags[at] for at in ids], encoding)
            assert legal == (fault is None), (ids, fault)


@pytest.mark.parametrize("encoding", ["bioes", "bilou", "bio"])
def test_a_sentence_is_legal_if_encoding_its_spans_gives_it_back(encoding):
    for tags in itertools.product(TAGS[encoding], repeat=3):
        again = encode(3, spans(tags, encoding), encoding)
        assert (first_illegal(tags, encoding) is None) == (again == list(tags))


@pytest.mark.parametrize(
    ("encoding", "tags", "expected"),
    [
        ("bio", ["I-a", "I-a", "O"], [("a", 0, 2)]),
        ("bio", ["B-a", "I-b"], [("a", 0, 1), ("b", 1, 2)]),
        ("bio", ["O", "I-a", "B-a"], [("a", 1, 2), ("a", 2, 3)]),
        ("bioes", ["B-a", "B-a", "E-a"], [("a", 0, 1), ("a", 1, 3)]),
        ("bioes", ["E-a", "I-a", "S-a"], [("a", 0, 1), ("a", 1, 2), ("a", 2, 3)]),
        ("bilou", ["B-a", "L-b", "U-b"], [("a", 0, 1), ("b", 1, 2), ("b", 2, 3)]),
    ],
)
def test_faulty_tags_are_read_as_conlleval_reads_them(encoding, tags, expected):
    assert spans(tags, encoding) == expected


def test_first_illegal_names_the_place_and_the_reason():
    assert first_illegal(["O", "I-a"], "bio") == (1, "tag 'I-a' may not follow 'O' under bio")
    beginning = "tag 'I-a' may not follow the beginning of the sentence under bio"
    assert first_illegal(["I-a"], "bio") == (0, beginning)
    end = "the sentence may not end after 'B-a' under bioes"
    assert first_illegal(["O", "B-a"], "bioes") == (2, end)
    assert first_illegal(["O", "x"], "bio")[0] == 1
    assert first_illegal([], "bio") is None


def test_without_a_scheme_every_tag_may_follow_every_other():
    assert allowed_transitions(["NOUN", "VERB"], "none") is None
    assert first_illegal(["anything", "I-a"], "none") is None


def test_split_tag_parts_letter_and_type():
    assert split_tag("B-new-york", "bio") == ("B", "new-york")
    assert split_tag("O", "bioes") == tag_schemes.OUTSIDE
    assert split_tag("L-a", "bilou") == ("E", "a")
    assert split_tag("U-a", "bilou") == ("S", "a")


@pytest.mark.parametrize("tag", ["X-a", "B", "B-", "-a", "BI-a", "E-a", ""])
def test_split_tag_refuses_what_is_no_tag_of_the_scheme(tag):
    with pytest.raises(ValueError, match="`tag` must be one of O, B-TYPE, I-TYPE under bio. Rec"):
        split_tag(tag, "bio")


def test_split_tag_refuses_an_unknown_scheme():
    with pytest.raises(ValueError, match="`encoding` must be .* Received: encoding='xml'"):
        split_tag("O", "xml")


@pytest.mark.parametrize("encoding", TAGS)
def test_segment_tags_write_spans_as_their_scheme_does(encoding):
    names = TAGS[encoding]
    if encoding == "bioes":
        names = [*names, "I-b"]
    table = segment_tags(names, encoding)
    types = {"a": 1, "b": 2}
    random = np.random.default_rng(1)
    for _ in range(200):
        length = int(random.integers(1, 9))
        found = [span for span in random_spans(random, length) if types[span[0]] < len(table)]
        tags, before = [table[0, 0]] * length, (None, None)
        for span_type, start, end in found:
            row = table[types[span_type]]
            again = 4 if before == (span_type, start) else 0
            first = row[again] if end == start + 1 else row[again + 1]
            tags[start:end] = [first, *[row[2]] * (end - start - 2), row[3]][: end - start]
            before = span_type, end
        assert [names[tag] for tag in tags] == encode(length, found, encoding)


def test_segment_tags_leave_open_what_no_tag_writes():
    assert segment_tags(["B-a", "O"], "bio").tolist() == [
        [0, 0, -1, -1, 0, 0],
        [1, -1, -1, -1, 1, -1],
    ]
    assert segment_tags(["O", "I-a"], "iob1").tolist()[1] == [1, 1, 1, 1, -1, -1]
    assert segment_tags(["S-a", "E-a"], "bioes").tolist() == [[0, -1, -1, 1, 0, -1]]


def test_segment_tags_need_a_scheme_with_spans():
    with pytest.raises(ValueError, match="`encoding` must be .* Received: encoding='none'"):
        segment_tags(["NOUN"], "none")
