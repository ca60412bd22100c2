"""Labelled texts of every format: records, and what is rejected with its place and reason."""

import gzip
import io

import pytest

from seqnlp.preprocessing import LabelledText, LabelledTextReader, Reject

PAIR = {"text": 0, "text2": 1, "label": 2}


def read(data, input_format="tsv", path="f", **options):
    data = data.encode() if isinstance(data, str) else data
    return list(LabelledTextReader(input_format, **options).read(io.BytesIO(data), path))


def faults(data, *args, **options):
    found = read(data, *args, **options)
    return [(r.line, r.kind, r.reason) for r in found if isinstance(r, Reject)]


def test_columns_parted_by_tabs_are_read():
    assert read("a fine film\tgood\r\n\nso so\tbad") == [
        LabelledText(("a fine film",), "good", "f", 1),
        LabelledText(("so so",), "bad", "f", 3),
    ]


def test_quotes_are_text_where_tabs_part_fields():
    assert read('"a" film\t"good"')[0] == (('"a" film',), '"good"', "f", 1)


def test_pairs_are_read_from_any_columns_below_a_header():
    columns = {"id": 0, "text": 2, "text2": 1, "label": 3}
    (record,) = read("id\tb\ta\tlabel\n7\tb b\ta a\tyes\n", columns=columns, header=True)
    assert record == (("a a", "b b"), "yes", "f", 2)


def test_a_compressed_file_is_read():
    assert read(gzip.compress(b"a\tx\n"), path="f.gz")[0].texts == ("a",)


def test_white_space_around_a_label_is_none_of_it():
    assert read("a, good \n", "csv")[0].label == "good"


def test_quoted_fields_hold_commas_quotes_and_line_ends():
    data = 'a,x\n"one, ""two""\nthree",y\r\nb,z\n'
    assert read(data, "csv") == [
        LabelledText(("a",), "x", "f", 1),
        LabelledText(('one, "two"\nthree',), "y", "f", 2),
        LabelledText(("b",), "z", "f", 4),
    ]


def test_a_quote_that_is_never_closed_costs_its_line_alone():
    records = read('a,x\n"b,y\nc,z\nd,w\n', "csv")
    assert [record for record in records if isinstance(record, LabelledText)] == [
        LabelledText(("a",), "x", "f", 1),
        LabelledText(("c",), "z", "f", 3),
        LabelledText(("d",), "w", "f", 4),
    ]
    assert faults('a,x\n"b,y\nc,z\nd,w\n', "csv") == [
        (
            2,
            "csv",
            "line: expected fields quoted as in CSV (unexpected end of data), received '\"b,y'",
        )
    ]


def test_every_line_after_an_open_quote_is_still_read_where_a_later_quote_does_not_fit():
    data = 'a,"x\nb,y\n"c" d,z\ne,w\n'
    assert [r.texts for r in read(data, "csv") if isinstance(r, LabelledText)] == [("b",), ("e",)]
    assert [line for line, _, _ in faults(data, "csv")] == [1, 3]


def test_a_wrong_byte_in_a_record_of_two_lines_is_found_at_its_line():
    assert faults(b'a,x\n"b\nc\xe9d",y\n', "csv") == [
        (3, "not_utf8", "byte 2 of the line: expected UTF-8, received 0xE9")
    ]


def test_json_lines_are_read_with_names_of_their_own():
    layout = {"text": "a", "text2": "b", "label": "c"}
    (record,) = read('\n{"a": "1", "b": "2", "c": "yes", "d": 4}\n', "jsonl", **layout)
    assert record == (("1", "2"), "yes", "f", 2)


def test_a_label_may_be_a_number_of_json():
    assert read('{"text": "a", "label": 1}', "jsonl")[0].label == "1"


@pytest.mark.parametrize("label", ["2.5", " 2.5 ", "25e-1"])
def test_numbers_are_read(label):
    assert read(f"a\t{label}\n", task="regression")[0].label == 2.5


def test_a_json_number_is_a_number():
    assert read('{"text": "a", "label": -1}', "jsonl", task="regression")[0].label == -1.0


# name -> (data, format, options, kind, reason)
BAD = {
    "too few columns": (
        "a",
        "tsv",
        {},
        "columns",
        "columns: expected 2 parted by tabs, received 1",
    ),
    "too many columns": (
        "a,b,c",
        "csv",
        {},
        "columns",
        "columns: expected 2 parted by commas, received 3",
    ),
    "no text": (" \tx", "tsv", {}, "empty_text", "column 1 (text): expected text, received ' '"),
    "no second text": (
        "a\t\tx",
        "tsv",
        {"columns": PAIR},
        "empty_text",
        "column 2 (text2): expected text, received ''",
    ),
    "no label": (
        "a\t ",
        "tsv",
        {},
        "bad_label",
        "column 2 (label): expected a label of printable characters, received ''",
    ),
    "a label over two lines": (
        'a,"x\ny"',
        "csv",
        {},
        "bad_label",
        "column 2 (label): expected a label of printable characters, received 'x\\ny'",
    ),
    "Latin-1 bytes": (
        b"caf\xe9\tx",
        "tsv",
        {},
        "not_utf8",
        "byte 4 of the line: expected UTF-8, received 0xE9",
    ),
    "a NUL byte": (
        "a\0b\tx",
        "tsv",
        {},
        "nul_byte",
        "byte 2 of the line: expected text, received a NUL byte",
    ),
    "a NUL in JSON": (
        '{"text": "a\\u0000", "label": "x"}',
        "jsonl",
        {},
        "nul_byte",
        "field 'text': expected text, received a NUL byte",
    ),
    "half a pair of surrogates": (
        '{"text": "a", "label": "\\ud800"}',
        "jsonl",
        {},
        "not_utf8",
        "field 'label': expected Unicode text, received the lone surrogate U+D800",
    ),
    "no JSON": (
        "{",
        "jsonl",
        {},
        "json",
        "character 2 of the line: expected JSON (Expecting property name enclosed in double "
        "quotes), received the end of the line",
    ),
    "no field": (
        '{"text": "a"}',
        "jsonl",
        {},
        "json",
        "field 'label': expected a string or a number, received 'text' only",
    ),
    "a label that is no name": (
        '{"text": "a", "label": true}',
        "jsonl",
        {},
        "json",
        "field 'label': expected a string or a number, received 'true'",
    ),
    "a text that is a number": (
        '{"text": 3, "label": "x"}',
        "jsonl",
        {},
        "json",
        "field 'text': expected a string, received '3'",
    ),
    "a long text": (
        "서울\tx",
        "tsv",
        {"max_text_bytes": 5},
        "long_text",
        "column 1 (text): expected at most 5 bytes, received 6",
    ),
    **{
        f"the number {label}": (
            f"a\t{label}",
            "tsv",
            {"task": "regression"},
            "bad_number",
            f"column 2 (label): expected a finite number, received '{label}'",
        )
        for label in ("three", "nan", "-inf", "1e39", "1_0", "")
    },
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_rejected(name):
    data, input_format, options, kind, reason = BAD[name]
    data = data if isinstance(data, bytes) else data.encode()
    assert faults(data + b"\n", input_format, **options) == [(1, kind, reason)]


def test_a_damaged_file_is_told_after_what_could_be_read():
    data = gzip.compress(b"a\tx\n" * 1000)[:-9]
    *records, last = read(data, path="f.gz")
    assert (last.kind, last.line) == ("damaged_file", len(records) + 1)
    assert len(records) > 900


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_format": "xml"}, "`input_format` must be one of tsv, csv, jsonl. Received: "
         "input_format='xml'"),
        ({"task": "ranking"}, "`task` must be one of classification, regression. Received: "
         "task='ranking'"),
        ({"max_text_bytes": 0}, "`max_text_bytes` must be at least 1. Received: max_text_bytes=0"),
        ({"columns": {"text": 0}}, "`columns` must say which is label. Received: "
         "columns={'text': 0}"),
        ({"columns": {**PAIR, "id": 2}}, "`columns` must map text and text2 and label to "
         "different indices from 0 on. Received: columns={'text': 0, 'text2': 1, 'label': 2, "
         "'id': 2}"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        LabelledTextReader(**options)
    assert str(error.value) == message


def test_an_argument_of_another_format_is_refused():
    with pytest.raises(ValueError, match="`layout` must hold arguments of the format jsonl"):
        LabelledTextReader("jsonl", header=True)
