import gzip
import io
import json
import lzma
import random

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from seqnlp.preprocessing import ReadSentences, Reject, Sentence, SentenceReader

GOOD = Sentence(("to", "Paris"), ("O", "B-city"), "f", 1)


def read(data, path="f", **options):
    data = data.encode() if isinstance(data, str) else data
    return list(SentenceReader(**options).read(io.BytesIO(data), path))


def reasons(data, **options):
    return [(r.line, r.kind, r.reason) for r in read(data, **options) if isinstance(r, Reject)]


def conllu(*rows):
    return "".join(
        "\t".join([number, form, "_", tag, *["_"] * 6]) + "\n" for number, form, tag in rows
    )


@pytest.mark.parametrize(
    "data",
    [
        "to\tO\nParis\tB-city\n\n",
        "to\tO\nParis\tB-city",
        "to O\nParis   B-city\n",
        "to\tO\r\nParis\tB-city\r\n\r\n",
        "\ufeffto\tO\nParis\tB-city\n",
        "to\tO\nParis\tB-city\n \t \n\n\n",
    ],
    ids=["tabs", "no final line feed", "spaces", "CRLF", "BOM", "white space only"],
)
def test_conll_reads(data):
    assert read(data, encoding="bio") == [GOOD]


def test_sentences_know_their_lines():
    assert [s.line for s in read("\n\na\tO\n\n\nb\tO\nc\tO\n\nd\tO\n")] == [3, 6, 9]


def test_columns_are_chosen_by_name():
    layout = {"columns": {"word": 0, "pos": 1, "ner": 3}, "token": "word", "tag": "ner"}
    (sentence,) = read("Paris NNP I-NP B-city\n", **layout)
    assert (sentence.tokens, sentence.tags) == (("Paris",), ("B-city",))


def test_comments_and_marker_lines_are_left_out():
    data = "# id 7\n-DOCSTART- -X-\n\n# text\nto O\nParis B-city\n"
    (sentence,) = read(data, comment="# ", skip_token="-DOCSTART-")
    assert (sentence.tokens, sentence.line) == (("to", "Paris"), 5)


def test_a_number_sign_is_a_token_unless_comments_are_asked_for():
    assert read("#\tO\n")[0].tokens == ("#",)


def test_a_line_separator_inside_a_token_does_not_end_the_line():
    assert read("a\u2028b\tO\n")[0].tokens == ("a\u2028b",)


def test_conllu_leaves_out_multiword_tokens_empty_nodes_and_comments():
    rows = [("1-2", "du", "_"), ("1", "de", "ADP"), ("2", "le", "DET"), ("2.1", "x", "_")]
    (sentence,) = read("# sent_id = 1\n" + conllu(*rows), input_format="conllu")
    assert sentence == Sentence(("de", "le"), ("ADP", "DET"), "f", 3)


def test_conllu_keeps_spaces_in_a_form():
    assert read(conllu(("1", "10 000", "NUM")), input_format="conllu")[0].tokens == ("10 000",)


def test_jsonl_reads():
    data = '{"tokens": ["to", "Paris"], "tags": ["O", "B-city"]}\n\n'
    assert read(data, input_format="jsonl") == [GOOD]


def test_jsonl_fields_are_configurable():
    data = '{"w": ["a"], "t": ["O"], "id": 3}'
    assert read(data, input_format="jsonl", token="w", tag="t")[0].tokens == ("a",)


def test_a_sentence_a_line_of_jsonl():
    line = '{"tokens": ["a"], "tags": ["O"]}\n'
    assert [s.line for s in read(line * 3, input_format="jsonl")] == [1, 2, 3]


LABELLED = {
    "conll": ("# intent = book flight\nto\tO\nParis\tB-city\n", {}),
    "conll with other comments": (
        "% text\nto\tO\n#intent=book flight \nParis\tB-city\n",
        {"comment": "%"},
    ),
    "conllu": (
        "# text = x\n# intent = book flight\n"
        + conllu(("1", "to", "O"), ("2", "Paris", "B-city")),
        {"input_format": "conllu"},
    ),
    "jsonl": (
        '{"tokens": ["to", "Paris"], "tags": ["O", "B-city"], "intent": "book flight"}\n',
        {"input_format": "jsonl"},
    ),
}


@pytest.mark.parametrize("name", LABELLED)
def test_sentences_have_the_label_asked_for(name):
    data, options = LABELLED[name]
    (sentence,) = read(data, label="intent", **options)
    assert (sentence.tokens, sentence.tags) == GOOD[:2]
    assert sentence.label == "book flight"


def test_a_label_not_asked_for_is_a_comment():
    assert read(LABELLED["conllu"][0], input_format="conllu")[0].label is None


def test_another_name_that_begins_alike_is_no_label():
    data = "# intent_2 = b\n# intent = a\nx\tO\n"
    assert read(data, label="intent")[0].label == "a"


def test_a_number_sign_is_a_token_beside_a_label():
    (sentence,) = read("# intent = a\n#\t=\n=\t#\n", label="intent")
    assert sentence.tokens == ("#", "=")


def test_comments_alone_are_no_sentence_without_a_label():
    assert read("# text\n\n", label="intent", comment="#") == []


NO_LABEL = "expected a line '# intent = ...' in the sentence, received none"
BAD_LABELS = {
    "none": ("a\tO\nb\tO\n", "conll", (1, "no_label", f"comment 'intent': {NO_LABEL}")),
    "none in conllu": (
        "# text = a\n" + conllu(("1", "a", "X")),
        "conllu",
        (1, "no_label", f"comment 'intent': {NO_LABEL}"),
    ),
    "empty": (
        "a\tO\n# intent =  \n",
        "conll",
        (
            2,
            "bad_label",
            "comment 'intent': expected a label of printable characters, received ''",
        ),
    ),
    "unprintable": (
        "# intent = a\u2028b\na\tO\n",
        "conll",
        (
            1,
            "bad_label",
            "comment 'intent': expected a label of printable characters, received 'a\\u2028b'",
        ),
    ),
    "two": (
        "# intent = a\nx\tO\n# intent = b\n",
        "conll",
        (3, "bad_label", "comment 'intent': expected one in a sentence, received 'b' besides 'a'"),
    ),
    "no field": (
        '{"tokens": ["a"], "tags": ["O"]}',
        "jsonl",
        (1, "no_label", "field 'intent': expected a label, received 'tokens', 'tags' only"),
    ),
    "no string": (
        '{"tokens": ["a"], "tags": ["O"], "intent": null}',
        "jsonl",
        (1, "bad_label", "field 'intent': expected a label, a string, received 'null'"),
    ),
    "empty string": (
        '{"tokens": ["a"], "tags": ["O"], "intent": " "}',
        "jsonl",
        (
            1,
            "bad_label",
            "field 'intent': expected a label of printable characters, received ' '",
        ),
    ),
}


@pytest.mark.parametrize("name", BAD_LABELS)
def test_bad_labels_say_why(name):
    data, input_format, expected = BAD_LABELS[name]
    assert reasons(data, input_format=input_format, label="intent") == [expected]


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


PACK = {".gz": gzip.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("ending", PACK)
def test_compressed_files_are_read(ending):
    packed = PACK[ending](b"to\tO\n") + PACK[ending](b"Paris\tB-city\n") + b"\0" * 8
    assert [s.tokens for s in read(packed, "f" + ending)] == [("to", "Paris")]


@pytest.mark.parametrize("ending", PACK)
def test_what_came_before_the_cut_of_a_truncated_file_is_kept(ending):
    rng = random.Random(5)
    data = "".join(f"w{rng.getrandbits(64)}\tO\n\n" for _ in range(50_000)).encode()
    packed = PACK[ending](data)[:-1000]
    *sentences, reject = read(packed, "f" + ending)
    assert len(sentences) > 40_000
    assert all(isinstance(sentence, Sentence) for sentence in sentences)
    name = {".gz": "gzip", ".xz": "xz"}[ending]
    assert reject.kind == "damaged_file"
    assert reject.reason == (
        f"{name} data: expected the end of the stream, received the end of the file after "
        f"{len(packed)} bytes"
    )


def test_a_file_that_is_not_compressed_is_one_reject():
    (reject,) = read(b"a\tO\n", "f.gz")
    assert (reject.line, reject.reason) == (
        1,
        "gzip data: expected a readable stream, received damaged data in the 4 bytes from byte "
        "0 on (Error -3 while decompressing data: incorrect header check)",
    )


def test_the_unfinished_sentence_of_a_damaged_file_is_not_lost():
    data = gzip.compress(b"a\tO\n\nb\tO\nc\tO\n")
    sentence, reject = read(data[:-1], "f.gz")
    assert (sentence.tokens, reject.text, reject.line) == (("a",), "b\tO\nc\tO", 4)


def test_a_file_without_line_breaks_is_rejected_in_pieces(monkeypatch):
    monkeypatch.setattr("seqnlp.preprocessing.streams.MAX_BLOCK_BYTES", 1000)
    monkeypatch.setattr("seqnlp.preprocessing.streams.CHUNK_BYTES", 400)
    data = b"x" * 5000 + b"\n\nto\tO\n"
    *rejects, sentence = read(data)
    assert {reject.kind for reject in rejects} == {"too_large"}
    assert {reject.line for reject in rejects} == {1}
    assert "".join(reject.text for reject in rejects) == "x" * 5000
    assert (sentence.tokens, sentence.line) == (("to",), 3)


def test_lines_across_chunks_are_whole(monkeypatch):
    expected = read("".join(f"w{i}\tO\n\n" for i in range(100)))
    monkeypatch.setattr("seqnlp.preprocessing.streams.CHUNK_BYTES", 7)
    assert read("".join(f"w{i}\tO\n\n" for i in range(100))) == expected


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"input_format": "xml"},
            "`input_format` must be one of conll, conllu, jsonl. Received: input_format='xml'",
        ),
        (
            {"encoding": "bilo"},
            "`encoding` must be one of none, bio, iob1, bioes, bilou. Received: encoding='bilo'",
        ),
        ({"max_length": 0}, "`max_length` must be at least 1. Received: max_length=0"),
        (
            {"tag": "ner"},
            "`tag` must be one of the columns token, tag. Received: tag='ner'",
        ),
        (
            {"columns": {"token": -1}},
            "`columns` must map names to indices from 0 on. Received: columns={'token': -1}",
        ),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        SentenceReader(**options)
    assert str(caught.value) == message


def test_an_argument_of_another_format_is_named():
    with pytest.raises(ValueError, match="`layout` must hold arguments of the format jsonl"):
        SentenceReader("jsonl", columns={"token": 0})


def test_read_sentences_gives_sentences_rejects_and_inputs(tmp_path):
    good, bad = tmp_path / "good.conll", tmp_path / "bad.jsonl.gz"
    good.write_text("to\tO\n\nb\n")
    bad.write_bytes(gzip.compress(b"Paris\tB-city\n"))
    with beam.Pipeline(FnApiRunner()) as root:
        read = root | ReadSentences([str(good), str(bad)], SentenceReader())
        tokens = read["sentences"] | beam.Map(lambda s: (s.tokens, s.file, s.line))
        assert_that(
            tokens,
            equal_to([(("to",), str(good), 1), (("Paris",), str(bad), 1)]),
            label="sentences",
        )
        rejects = read["rejects"] | "RejectLines" >> beam.Map(lambda r: (r.file, r.line))
        assert_that(rejects, equal_to([(str(good), 3)]), label="rejects")
        names = read["inputs"] | "Sizes" >> beam.Map(lambda e: (e["file"], e["bytes"]))
        sizes = [("good.conll", 8), ("bad.jsonl.gz", bad.stat().st_size)]
        assert_that(names, equal_to(sizes), label="inputs")


def test_read_sentences_counts_what_it_reads(tmp_path):
    path = tmp_path / "f.conll"
    path.write_text("a\tO\n\nb\n\nc\n\nd\0\n")
    pipeline = beam.Pipeline(FnApiRunner())
    pipeline | ReadSentences([str(path)], SentenceReader())
    counters = pipeline.run().metrics().query()["counters"]
    found = {c.key.metric.name: c.committed for c in counters}
    assert found == {"sentences": 1, "rejects_columns": 2, "rejects_nul_byte": 1}


def test_json_of_a_reject_holds_any_text():
    (reject,) = read('{"tokens": ["\\ud83d"], "tags": ["O"]}', input_format="jsonl")
    assert json.loads(json.dumps(reject._asdict()))["text"] == reject.text
