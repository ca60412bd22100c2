"""Bytes to lines: compressed, damaged and huge files."""

import gzip
import lzma
import random

import pytest

from seqnlp.preprocessing import Sentence
from tests.preprocessing.reading import read

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
