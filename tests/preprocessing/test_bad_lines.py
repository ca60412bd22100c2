"""Input that cannot be used: rejected with line, field, expected and received."""

import json
import random

import pytest

from seqnlp.preprocessing import Reject, Sentence
from tests.preprocessing.reading import GOOD, conllu, read, reasons

BAD_CONLL = {
    "too few columns": (
        "a\tO\nb\n",
        (2, "columns", "column 2 (tag): expected 2 columns, received 1"),
    ),
    "too many columns": (
        "a\tO\nb\tO\tO\n",
        (2, "columns", "columns: expected 2 as in the first line of the sentence, received 3"),
    ),
    "Latin-1": (
        "a\tO\ncafé\tO\n".encode("latin-1"),
        (2, "not_utf8", "byte 4 of the line: expected UTF-8, received 0xE9"),
    ),
    "NUL": (
        "a\tO\nb\0\tO\n",
        (2, "nul_byte", "byte 2 of the line: expected text, received a NUL byte"),
    ),
    "empty token": (
        "a\tO\n\tO\n",
        (2, "empty_token", "column 1 (token): expected a token, received ''"),
    ),
    "empty tag": (
        "a\tO\nb\t\n",
        (2, "empty_tag", "column 2 (tag): expected a tag of printable characters, received ''"),
    ),
    "huge token": (
        "a\tO\n" + "x" * 1_000_000 + "\tO\n",
        (
            2,
            "long_token",
            "column 1 (token): expected at most 1000 bytes, received 1000000",
        ),
    ),
    "long token of few characters": (
        "한" * 334 + "\tO\n",
        (1, "long_token", "column 1 (token): expected at most 1000 bytes, received 1002"),
    ),
    "illegal transition": (
        "a\tO\nb\tI-city\n",
        (2, "illegal_tag", "column 2 (tag): tag 'I-city' may not follow 'O' under bio"),
    ),
    "unknown prefix": (
        "a\tX-city\n",
        (
            1,
            "illegal_tag",
            "column 2 (tag): `tag` must be one of O, B-TYPE, I-TYPE under bio. "
            "Received: tag='X-city'",
        ),
    ),
}


@pytest.mark.parametrize("name", BAD_CONLL)
def test_bad_conll_is_rejected_with_line_field_expected_and_received(name):
    data, expected = BAD_CONLL[name]
    assert reasons(data, encoding="bio") == [expected]


@pytest.mark.parametrize("name", BAD_CONLL)
def test_the_sentence_after_a_bad_one_is_kept(name):
    data, _ = BAD_CONLL[name]
    data = data.encode() if isinstance(data, str) else data
    items = read(data + b"\nto\tO\nParis\tB-city\n", encoding="bio")
    assert [type(item) for item in items] == [Reject, Sentence]
    assert items[1].tokens == GOOD.tokens


@pytest.mark.parametrize(
    ("encoding", "tags", "legal"),
    [
        ("none", ["I-x", "E-y"], True),
        ("bio", ["B-x", "I-x"], True),
        ("bio", ["I-x"], False),
        ("iob1", ["I-x", "B-x"], True),
        ("iob1", ["O", "B-x"], False),
        ("bioes", ["B-x", "E-x"], True),
        ("bioes", ["B-x", "O"], False),
        ("bioes", ["S-x", "B-x"], False),
        ("bilou", ["B-x", "L-x", "U-x"], True),
        ("bilou", ["B-x", "I-x"], False),
    ],
)
def test_tags_keep_their_scheme(encoding, tags, legal):
    data = "".join(f"w\t{tag}\n" for tag in tags)
    assert isinstance(read(data, encoding=encoding)[0], Sentence if legal else Reject)


def test_a_span_left_open_is_rejected_at_the_last_line():
    reason = "column 2 (tag): the sentence may not end after 'B-x' under bioes"
    assert reasons("a\tO\nb\tB-x\n", encoding="bioes") == [(2, "illegal_tag", reason)]


def test_a_sentence_over_the_maximum_length_is_rejected():
    reason = "sentence: expected at most 2 tokens, received 3"
    assert reasons("a O\nb O\nc O\n", max_length=2) == [(3, "long_sentence", reason)]


def test_a_reject_holds_the_whole_sentence():
    (reject,) = read(b"# id\na\tO\ncaf\xe9\tO\nb\tO\n\n", comment="#")
    assert reject.text == "# id\na\tO\ncaf\\xe9\tO\nb\tO"


BAD_CONLLU = {
    "columns": (
        "1\ta\tO\n",
        (1, "columns", "columns: expected 10 parted by tabs, received 3"),
    ),
    "id": (
        conllu(("x", "a", "ADP")),
        (1, "columns", "column 1 (id): expected a number, received 'x'"),
    ),
    "no tag": (
        conllu(("1", "a", "_")),
        (
            1,
            "empty_tag",
            "column 4 (upos): expected a tag, received '_', which stands for none",
        ),
    ),
}


@pytest.mark.parametrize("name", BAD_CONLLU)
def test_bad_conllu_is_rejected(name):
    data, expected = BAD_CONLLU[name]
    assert reasons(data, input_format="conllu") == [expected]


BAD_JSONL = {
    "broken": (
        '{"tokens": [',
        "json",
        "character 13 of the line: expected JSON (Expecting value), received the end of the line",
    ),
    "no JSON": (
        "to O",
        "json",
        "character 1 of the line: expected JSON (Expecting value), received 'to O'",
    ),
    "no object": ("[1]", "json", "line: expected a JSON object, received '[1]'"),
    "missing field": (
        '{"tokens": ["a"]}',
        "json",
        "field 'tags': expected a list of strings, received 'tokens' only",
    ),
    "no list": (
        '{"tokens": "a", "tags": ["O"]}',
        "json",
        "field 'tokens': expected a list of strings, received '\"a\"'",
    ),
    "no string": (
        '{"tokens": ["a", 5], "tags": ["O", "O"]}',
        "json",
        "field 'tokens', item 2: expected a string, received '5'",
    ),
    "lengths": (
        '{"tokens": ["a", "b"], "tags": ["O"]}',
        "json",
        "field 'tags': expected 2 tags, one a token, received 1",
    ),
    "no tokens": (
        '{"tokens": [], "tags": []}',
        "empty_sentence",
        "field 'tokens': expected tokens, received none",
    ),
    "empty token": (
        '{"tokens": ["a", " "], "tags": ["O", "O"]}',
        "empty_token",
        "field 'tokens', item 2: expected a token, received ' '",
    ),
    "NUL": (
        '{"tokens": ["a\\u0000"], "tags": ["O"]}',
        "nul_byte",
        "field 'tokens', item 1: expected text, received a NUL byte",
    ),
    "line break in a tag": (
        '{"tokens": ["a"], "tags": ["O\\n"]}',
        "empty_tag",
        "field 'tags', item 1: expected a tag of printable characters, received 'O\\n'",
    ),
    "half a surrogate pair": (
        '{"tokens": ["\\ud83d"], "tags": ["O"]}',
        "not_utf8",
        "field 'tokens', item 1: expected Unicode text, received the lone surrogate U+D83D",
    ),
}


@pytest.mark.parametrize("name", BAD_JSONL)
def test_bad_jsonl_is_rejected(name):
    data, kind, reason = BAD_JSONL[name]
    assert reasons("\n" + data + "\n", input_format="jsonl") == [(2, kind, reason)]


@pytest.mark.parametrize("data", ["[" * 100_000, "9" * 10_000])
def test_json_that_python_cannot_read_is_rejected(data):
    assert [kind for _, kind, _ in reasons(data, input_format="jsonl")] == ["json"]


def test_no_line_of_a_random_file_is_lost():
    rng = random.Random(3)
    lines = ["한\tO\n", "한\n", "한\tI-x\n", "한\tB-x\r\n", "한\tO\tO\n", "\n", " \n"]
    lines = [line.encode() for line in lines]
    lines += ["한\xe9\tO\n".encode() + b"\xe9\n", "한\0\tO\n".encode()]
    for _ in range(300):
        data = b"".join(rng.choices(lines, k=12))
        items = read(data, encoding="bio")
        found = [s for i in items for s in (i.tokens if isinstance(i, Sentence) else [i.text])]
        assert "".join(found).count("한") == data.count("한".encode())


def test_json_of_a_reject_holds_any_text():
    (reject,) = read('{"tokens": ["\\ud83d"], "tags": ["O"]}', input_format="jsonl")
    assert json.loads(json.dumps(reject._asdict()))["text"] == reject.text
