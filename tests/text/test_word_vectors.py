import gzip
import lzma

import numpy as np
import pytest

from seqnlp.text import load_word_vectors
from seqnlp.text.names import SPECIALS

GLOVE = b"the 1 2 3\nparis 4 5 6\nParis 7 8 9\n"
WORDS = [*SPECIALS, "Paris", "The", "zebra"]


def load(tmp_path, data, words=WORDS, name="vectors.txt", **kwargs):
    path = tmp_path / name
    path.write_bytes(data)
    return load_word_vectors(str(path), words, **kwargs)


def complaint(tmp_path, data, name="vectors.txt"):
    with pytest.raises(ValueError, match=name) as caught:
        load(tmp_path, data, name=name)
    return str(caught.value).removeprefix(str(tmp_path / name))


def test_glove_text_has_no_header(tmp_path):
    matrix, found = load(tmp_path, GLOVE)
    assert matrix.dtype == np.float32
    assert matrix.shape == (5, 3)
    assert found == 2


def test_word2vec_text_has_a_header_and_trailing_spaces(tmp_path):
    matrix, found = load(tmp_path, b"2 3\nthe 1 2 3 \nzebra 4 5 6e-1 \n")
    np.testing.assert_allclose(matrix[[3, 4]], [[1, 2, 3], [4, 5, 0.6]])
    assert found == 2


def test_the_exact_form_comes_before_the_lower_case(tmp_path):
    assert load(tmp_path, GLOVE)[0][2].tolist() == [7, 8, 9]


def test_the_lower_case_stands_in_for_a_missing_form(tmp_path):
    assert load(tmp_path, GLOVE)[0][3].tolist() == [1, 2, 3]


def test_the_padding_row_is_zero(tmp_path):
    assert not load(tmp_path, GLOVE)[0][0].any()


def test_missing_rows_are_uniform_with_variance_one_over_units(tmp_path):
    words = [f"w{i}" for i in range(2002)]
    line = b"the " + b" ".join([b"1"] * 12) + b"\n"
    matrix, found = load(tmp_path, line, words)
    assert found == 0
    assert np.abs(matrix).max() <= 0.5
    np.testing.assert_allclose(matrix[1:].var(), 1 / 12, rtol=0.05)


def test_the_seed_decides_the_missing_rows(tmp_path):
    first = load(tmp_path, GLOVE, seed=1)[0]
    np.testing.assert_array_equal(load(tmp_path, GLOVE, seed=1)[0], first)
    assert not np.array_equal(load(tmp_path, GLOVE, seed=2)[0], first)


def test_the_first_of_two_equal_words_counts(tmp_path):
    assert load(tmp_path, b"zebra 1\nzebra 2\n")[0][4] == [1]


def test_words_may_hold_spaces(tmp_path):
    words = [*SPECIALS, ". . .", "at name@domain.com"]
    data = b"the 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\n"
    matrix, found = load(tmp_path, data, words)
    assert matrix[2:].tolist() == [[4, 5, 6], [7, 8, 9]]
    assert found == 2


def test_words_may_be_unicode_spaces_or_no_utf8(tmp_path):
    data = "\x85 1\n\xa0 2\n".encode() + b"\xff 3\n"
    matrix, found = load(tmp_path, data, [*SPECIALS, "\x85", "\xa0"])
    assert matrix[2:].tolist() == [[1], [2]]
    assert found == 2


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed_files_read_the_same(tmp_path, suffix, compress):
    matrix, found = load(tmp_path, compress(GLOVE), name=f"v.txt{suffix}")
    np.testing.assert_array_equal(matrix, load(tmp_path, GLOVE)[0])
    assert found == 2


def test_lines_across_chunks_are_whole(tmp_path):
    words = [f"word{i}" for i in range(60_000)]
    data = "".join(f"{word} {i} {i + 0.5}\n" for i, word in enumerate(words)).encode()
    matrix, found = load(tmp_path, data, [*SPECIALS, *words], name="v.txt")
    assert found == 60_000
    np.testing.assert_array_equal(matrix[2:, 0], np.arange(60_000))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"",
            ", line 1: expected a word and its numbers, or a header of two whole numbers, "
            "`count units`. Received: an empty line",
        ),
        (
            b"the 1 2\na 3\n",
            ", line 2: expected a word and 2 numbers. Received: 2 fields, 'a 3'",
        ),
        (b"the 1\n 2\n", ", line 2: expected a word and 1 numbers. Received: 2 fields, ' 2'"),
        (
            b"a 1 2\nzebra 1 x\n",
            ", line 2: expected 2 finite numbers after the word. Received: 'zebra 1 x'",
        ),
        (
            b"zebra 1 nan\n",
            ", line 1: expected 2 finite numbers after the word. Received: 'zebra 1 nan'",
        ),
        (
            b"3 2\nthe 1 2\na 3 4\n",
            ", line 3: expected 3 vectors, as line 1 says. Received: 2, then the end of the file",
        ),
        (
            b"3 2\n",
            ", line 1: expected 3 vectors, as line 1 says. Received: 0, then the end of the file",
        ),
    ],
)
def test_a_malformed_line_is_named(tmp_path, data, expected):
    assert complaint(tmp_path, data) == expected


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_a_truncated_compressed_file_is_named(tmp_path, suffix, compress):
    text = complaint(tmp_path, compress(GLOVE)[:-6], name=f"v{suffix}")
    assert text.startswith(": expected a whole compressed file. Received: damage after line ")


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_file_that_only_claims_to_be_compressed_is_named(tmp_path, suffix):
    text = complaint(tmp_path, GLOVE, name=f"v{suffix}")
    assert text.startswith(": expected a whole compressed file. Received: damage after line 0 ")


def test_a_missing_file_is_named(tmp_path):
    path = str(tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match="none.txt: there is no such file"):
        load_word_vectors(path, WORDS)


def test_a_folder_is_named(tmp_path):
    with pytest.raises(OSError, match="cannot be read"):
        load_word_vectors(str(tmp_path), WORDS)
