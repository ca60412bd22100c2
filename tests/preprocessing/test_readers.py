"""Sentences of every format, and the options that say how to read them."""

import gzip

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from seqnlp.preprocessing import ReadSentences, Sentence, SentenceReader
from tests.preprocessing.reading import GOOD, conllu, read


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
