"""Plain text to documents: every line ends up in one, or in a reject."""

import gzip
import io

import pytest

from seqnlp.preprocessing import DocumentReader, Reject


def read(data, path="a.txt", **settings):
    return list(DocumentReader(**settings).read(io.BytesIO(data), path))


def sentences(found):
    return [document.sentences for document in found]


def test_blank_lines_part_documents_and_lines_hold_sentences():
    text = b"= One =\nDr. Bell came. He saw it.\n\n \n\nTwo is here.\r\n\xef\xbc\x81\n"
    one, two = read(text)
    assert one.sentences == ("= One =", "Dr. Bell came.", "He saw it.")
    assert (one.file, one.line, one.part) == ("a.txt", 1, 0)
    assert two.sentences == ("Two is here.", "\uff01")
    assert two.line == 6
    assert one.whole != two.whole


def test_korean_sentences_are_found():
    text = "음계는 음의 집합을 말한다. 곡의 분위기가 달라진다.\n".encode()
    (document,) = read(text, language="ko")
    assert document.sentences == ("음계는 음의 집합을 말한다.", "곡의 분위기가 달라진다.")


def test_without_a_language_each_line_is_a_sentence():
    assert sentences(read(b"A b. C d.\nE.\n", language=None)) == [("A b. C d.", "E.")]


def test_a_long_document_comes_in_parts_that_know_each_other():
    lines = [b"line number %d is here." % number for number in range(6)]
    parts = read(b"\n".join(lines) + b"\n\nAnother.\n", max_document_bytes=50)
    *parts, other = parts
    assert [part.part for part in parts] == [0, 1, 2]
    assert {part.whole for part in parts} == {parts[0].whole}
    assert {part.line for part in parts} == {1}
    assert sum(map(len, sentences(parts))) == 6
    assert (other.part, other.line) == (0, 8)


def test_a_line_that_cannot_be_used_is_a_reject_and_the_document_goes_on():
    found = read(
        b"good one.\n\xff bad\nlong " + b"x" * 100 + b"\nnul \0\nlast.\n", max_line_bytes=50
    )
    rejects, (document,) = found[:-1], found[-1:]
    assert document.sentences == ("good one.", "last.")
    assert [(reject.line, reject.kind, reject.reason) for reject in rejects] == [
        (2, "not_utf8", "byte 1 of the line: expected UTF-8, received 0xFF"),
        (3, "long_line", "line: expected at most 50 bytes, received 105"),
        (4, "nul_byte", "byte 5 of the line: expected text, received a NUL byte"),
    ]
    assert rejects[0].text == "\\xff bad"


def test_a_line_of_megabytes_is_a_reject():
    (reject,) = read(b"x" * 5_000_000 + b"\n")
    assert reject.reason == "line: expected at most 1000000 bytes, received 5000000"
    assert len(reject.text) == 10_000


def test_a_damaged_file_keeps_what_could_be_read():
    data = gzip.compress(b"".join(b"Sentence number %d.\n\n" % n for n in range(5000)))
    found = read(data[: len(data) // 2], path="a.txt.gz")
    assert found[0].sentences == ("Sentence number 0.",)
    (reject,) = (item for item in found if isinstance(item, Reject))
    assert reject.kind == "damaged_file"


@pytest.mark.parametrize("name", ["max_line_bytes", "max_document_bytes"])
def test_sizes_out_of_range_are_refused(name):
    with pytest.raises(
        ValueError, match=rf"`{name}` must be from 1 to 8388608. Received: {name}=0"
    ):
        DocumentReader(**{name: 0})
