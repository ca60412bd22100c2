"""Parallel text of every format: pairs, and what is rejected with its place and reason."""

import gzip
import io
import lzma

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from seqnlp.preprocessing import Pair, PairReader, ReadPairs, Reject


def stream(data):
    return io.BytesIO(data.encode() if isinstance(data, str) else data)


def read_two(source, target, paths=("a", "b"), **options):
    return list(PairReader(**options).read(stream(source), stream(target), *paths))


def read_one(data, input_format="tsv", path="f", **options):
    return list(PairReader(input_format, **options).read(stream(data), path))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("a cat\nno\n", "eine Katze\nnein\n"),
        ("a cat\nno", "eine Katze\nnein\n"),
        ("a cat\r\nno\r\n", "eine Katze\nnein"),
        ("\ufeffa cat\nno\n", "\ufeffeine Katze\nnein\n"),
    ],
    ids=["line feeds", "no final line feed", "CRLF", "BOM"],
)
def test_lines_of_two_files_are_paired(source, target):
    expected = [Pair("a cat", "eine Katze", "a + b", 1), Pair("no", "nein", "a + b", 2)]
    assert read_two(source, target) == expected


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_one_file_may_be_compressed_and_the_other_not(ending, pack):
    (pair,) = read_two(pack(b"a cat\n"), "eine Katze\n", ("a" + ending, "b"))
    assert pair == Pair("a cat", "eine Katze", f"a{ending} + b", 1)


def test_tabs_and_other_white_space_stay_as_they_are():
    assert read_two(" a\tb  c\n", "d\u00a0e\n")[0][:2] == (" a\tb  c", "d\u00a0e")


def test_columns_are_read():
    assert read_one("a cat\teine Katze\n\nno\tnein") == [
        Pair("a cat", "eine Katze", "f", 1),
        Pair("no", "nein", "f", 3),
    ]


def test_further_columns_are_named():
    columns = {"source": 1, "target": 0, "licence": 2}
    found = read_one(b"ja\tyes\tCC BY\nnein\tno\n", columns=columns)
    assert [tuple(found[0][:2]), found[1].reason] == [
        ("yes", "ja"),
        "columns: expected 3 parted by tabs, received 2",
    ]


def test_columns_are_chosen_and_a_header_is_none():
    columns = {"source": 3, "target": 1}
    data = "id\tdeu\tid\teng\tby\n1\tHallo\t2\thello\tme\n"
    found = read_one(data, columns=columns, width=5, header=True)
    assert found == [Pair("hello", "Hallo", "f", 2)]


def test_json_lines_are_read():
    data = '{"en": "a cat", "de": "eine Katze", "id": 3}\n\n'
    found = read_one(data, "jsonl", source="en", target="de")
    assert found == [Pair("a cat", "eine Katze", "f", 1)]


BAD_LINES = {
    "empty source": (b"", "empty_line", "source line: expected text, received ''"),
    "only white space": (b" \t ", "empty_line", "source line: expected text, received ' \\t '"),
    "Latin-1": (
        b"caf\xe9",
        "not_utf8",
        "byte 4 of the source line: expected UTF-8, received 0xE9",
    ),
    "NUL": (
        b"a\0b",
        "nul_byte",
        "byte 2 of the source line: expected text, received a NUL byte",
    ),
    "control character": (
        b"ab\x07",
        "control_character",
        "source line, character 3: expected text on one line, received the control character "
        "U+0007",
    ),
    "carriage return inside": (
        b"a\rb",
        "control_character",
        "source line, character 2: expected text on one line, received the control character "
        "U+000D",
    ),
    "line separator": (
        "한\u2028".encode(),
        "control_character",
        "source line, character 2: expected text on one line, received the control character "
        "U+2028",
    ),
    "10,000 tokens": (
        b" ".join([b"word"] * 10_000),
        "long_line",
        "source line: expected at most 1000 tokens, received 10000",
    ),
    "10,001 bytes in few characters": (
        "한".encode() * 3334,
        "long_line",
        "source line: expected at most 10000 bytes, received 10002",
    ),
}


@pytest.mark.parametrize("name", BAD_LINES)
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_bad_line_of_either_file_is_rejected_with_its_place_and_the_next_is_kept(name, side):
    line, kind, reason = BAD_LINES[name]
    files = [b"good\n" + line + b"\nkept\n", b"gut\nx\nbehalten\n"]
    files = files if side == "source" else files[::-1]
    first, reject, last = read_two(*files)
    assert isinstance(first, Pair)
    assert (reject.file, reject.line, reject.kind) == ("a + b", 2, kind)
    assert reject.reason == reason.replace("source line", f"{side} line")
    assert (last.line, {last.source, last.target}) == (3, {"kept", "behalten"})


def test_the_limits_of_a_line_can_be_set_and_are_reached():
    kept, reject = read_two("a b\na b c\n", "x\ny\n", max_line_tokens=2)
    assert kept.line == 1
    assert reject.reason == "source line: expected at most 2 tokens, received 3"
    kept, reject = read_two("x\ny\n", "abcd\nabcde\n", max_line_bytes=4)
    assert kept.line == 1
    assert reject.reason == "target line: expected at most 4 bytes, received 5"


def test_a_reject_holds_both_lines():
    (reject,) = read_two(b"caf\xe9\n", "ein Kaffee\n")
    assert reject.text == "caf\\xe9\tein Kaffee"


def test_a_line_too_large_to_hold_is_one_reject_and_the_next_is_kept(monkeypatch):
    monkeypatch.setattr("seqnlp.preprocessing.streams.MAX_BLOCK_BYTES", 1000)
    monkeypatch.setattr("seqnlp.preprocessing.streams.CHUNK_BYTES", 400)
    reject, pair = read_two("x" * 5000 + "\nyes\n", "y\nja\n")
    assert (reject.line, reject.kind) == (1, "too_large")
    assert reject.reason == "source line: expected at most 8388608 bytes, received more"
    assert pair == Pair("yes", "ja", "a + b", 2)


@pytest.mark.parametrize(
    ("source", "target", "counts"),
    [("a\nb\nc\n", "x\n", (3, 1)), ("a\n", "x\ny", (1, 2)), ("a\n", "x\n\n", (1, 2))],
)
def test_files_of_different_length_end_in_a_reject_with_both_counts(source, target, counts):
    *pairs, reject = read_two(source, target, ("x/a.en", "x/b.de"))
    assert [pair.line for pair in pairs] == list(range(1, min(counts) + 1))
    assert reject == Reject(
        "x/a.en + x/b.de",
        min(counts) + 1,
        "line_count",
        f"lines: expected as many in both files, received {counts[0]} in x/a.en and "
        f"{counts[1]} in x/b.de",
        "",
    )


@pytest.mark.parametrize("side", [0, 1])
def test_a_damaged_file_of_the_two_is_named_by_its_side(side):
    files, paths = [b"a\nb\n", b"x\ny\n"], ["a", "b"]
    files[side], paths[side] = gzip.compress(files[side])[:-1], paths[side] + ".gz"
    *pairs, reject = read_two(*files, paths)
    assert len(pairs) in (1, 2)
    assert (reject.kind, reject.line) == ("damaged_file", len(pairs) + 1)
    assert reject.reason == (
        f"{['source', 'target'][side]}: gzip data: expected the end of the stream, received the "
        f"end of the file after {len(files[side])} bytes"
    )


def test_a_damaged_file_of_columns_is_a_reject_after_its_pairs():
    pair, reject = read_one(gzip.compress(b"a\tb\nc\td")[:-1], path="f.gz")
    assert pair.line == 1
    assert (reject.file, reject.line, reject.kind) == ("f.gz", 2, "damaged_file")


BAD_TSV = {
    "too few columns": ("a", "columns", "columns: expected 2 parted by tabs, received 1"),
    "too many columns": ("a\tb\tc", "columns", "columns: expected 2 parted by tabs, received 3"),
    "empty target": ("a\t", "empty_line", "column 2 (target): expected text, received ''"),
}


@pytest.mark.parametrize("name", BAD_TSV)
def test_bad_columns_are_rejected(name):
    line, kind, reason = BAD_TSV[name]
    pair, reject = read_one(f"a\tb\n{line}\n")
    assert pair.line == 1
    assert reject == Reject("f", 2, kind, reason, line)


def test_bytes_that_are_not_utf8_are_told_by_their_place_in_the_line():
    (reject,) = read_one(b"a\tcaf\xe9\n")
    assert reject.reason == "byte 6 of the line: expected UTF-8, received 0xE9"


BAD_JSONL = {
    "broken": (
        '{"source": ',
        "json",
        "character 12 of the line: expected JSON (Expecting value), received the end of the line",
    ),
    "no object": ("[1]", "json", "line: expected a JSON object, received '[1]'"),
    "missing field": (
        '{"source": "a"}',
        "json",
        "field 'target': expected a string, received 'source' only",
    ),
    "no field": ("{}", "json", "field 'source': expected a string, received no field"),
    "no string": (
        '{"source": "a", "target": ["b"]}',
        "json",
        "field 'target': expected a string, received '[\"b\"]'",
    ),
    "empty": (
        '{"source": "", "target": "b"}',
        "empty_line",
        "field 'source': expected text, received ''",
    ),
    "line break": (
        '{"source": "a", "target": "b\\nc"}',
        "control_character",
        "field 'target', character 2: expected text on one line, received the control character "
        "U+000A",
    ),
    "half a surrogate pair": (
        '{"source": "\\ud83d", "target": "b"}',
        "not_utf8",
        "field 'source': expected Unicode text, received the lone surrogate U+D83D",
    ),
}


@pytest.mark.parametrize("name", BAD_JSONL)
def test_bad_json_lines_are_rejected(name):
    line, kind, reason = BAD_JSONL[name]
    assert read_one(line + "\n", "jsonl") == [Reject("f", 1, kind, reason, line)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"input_format": "xml"},
            "`input_format` must be one of parallel, tsv, jsonl. Received: input_format='xml'",
        ),
        (
            {"max_line_tokens": 0},
            "`max_line_tokens` must be at least 1. Received: max_line_tokens=0",
        ),
        ({"max_line_bytes": 0}, "`max_line_bytes` must be at least 1. Received: max_line_bytes=0"),
        (
            {"input_format": "tsv", "columns": {"source": 0}},
            "`columns` must say which is target. Received: columns={'source': 0}",
        ),
        (
            {"input_format": "tsv", "columns": {"source": 1, "target": 1}},
            "`columns` must map source and target to different indices from 0 on. "
            "Received: columns={'source': 1, 'target': 1}",
        ),
        (
            {"input_format": "tsv", "columns": {"source": 0, "target": 4}, "width": 4},
            "`width` must be at least 5. Received: width=4",
        ),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        PairReader(**options)
    assert str(caught.value) == message


def test_an_argument_of_another_format_is_named():
    with pytest.raises(ValueError, match="`layout` must hold arguments of the format parallel"):
        PairReader("parallel", columns={"source": 0, "target": 1})


def test_read_pairs_gives_pairs_rejects_and_inputs(tmp_path):
    source, target = tmp_path / "a.en", tmp_path / "b.de.gz"
    source.write_text("yes\n\n")
    target.write_bytes(gzip.compress(b"ja\nnein\n"))
    name = f"{source} + {target}"
    with beam.Pipeline(FnApiRunner()) as root:
        read = root | ReadPairs([(str(source), str(target))], PairReader())
        pairs = read["pairs"] | "Pairs" >> beam.Map(tuple)
        assert_that(pairs, equal_to([("yes", "ja", name, 1)]), label="pairs")
        rejects = read["rejects"] | "Places" >> beam.Map(lambda r: (r.file, r.line, r.kind))
        assert_that(rejects, equal_to([(name, 2, "empty_line")]), label="rejects")
        names = read["inputs"] | "Sizes" >> beam.Map(lambda e: (e["file"], e["bytes"]))
        sizes = [("a.en", 5), ("b.de.gz", target.stat().st_size)]
        assert_that(names, equal_to(sizes), label="inputs")
