"""Pretrained word vectors from text files, as the first weights of an embedding."""

import gzip
import itertools
import lzma
import re
import zlib

import numpy as np

from seqnlp.text.files import opened

_CHUNK = 1 << 20
_OPENERS = {".gz": gzip.open, ".xz": lzma.open}
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)


def load_word_vectors(path, words, seed=0):
    """Reads the vectors of a vocabulary's words from a word2vec or GloVe text file.

    Each line holds a word and its numbers, separated by single spaces. A first line of two
    whole numbers is word2vec's header, `count units`; without one the first line says how
    many numbers there are. The last `units` fields are the numbers, so words may hold spaces.
    A vocabulary word that the file lacks takes the vector of its lower-cased form; of lines
    with the same word the first counts. The file is streamed, and only wanted vectors are
    parsed: of the others the fields are counted.

    Args:
        path: Path of the file, plain, `.gz` or `.xz`, on any filesystem of `tf.io.gfile`.
        words: List of `str`, the word of every id: `Vocabulary.tokens`, `TaggingNames.words`.
        seed: Seed of the rows that are not found, uniform in +-sqrt(3 / units), which gives
            them the variance 1 / units.

    Returns:
        `matrix`, float32 array `(len(words), units)` with zeros for padding, and
        `found`, how many of the words have a vector from the file.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: A line is malformed, or the file is damaged or ends early; the message
            names the file and the line, what was expected and what was received.
    """
    wanted = {form.encode() for word in words[2:] for form in (word, word.lower())}
    units, vectors = _read(path, wanted)
    limit = np.sqrt(3 / units)
    matrix = np.random.default_rng(seed).uniform(-limit, limit, (len(words), units))
    matrix = matrix.astype("float32")
    matrix[0] = 0
    found = 0
    for row, word in enumerate(words[2:], start=2):
        vector = vectors.get(word.encode(), vectors.get(word.lower().encode()))
        if vector is not None:
            matrix[row] = vector
            found += 1
    return matrix, found


def _read(path, wanted):
    """`units` and the vectors of those words (bytes) that are wanted."""
    lines = _lines(path)
    first = next(lines, b"")
    header = re.fullmatch(rb"(\d+) (\d+)", first)
    units = int(header[2]) if header else first.count(b" ")
    if units < 1:
        raise ValueError(
            f"{path}, line 1: expected a word and its numbers, or a header of two whole "
            f"numbers, `count units`. Received: {_shown(first)}"
        )
    if not header:
        lines = itertools.chain([first], lines)
    skipped = 1 if header else 0
    number, vectors = skipped, {}
    for number, line in enumerate(lines, start=skipped + 1):
        word = _word(line, units, path, number)
        if word in wanted and word not in vectors:
            vectors[word] = _vector(line, units, path, number)
    if header and number - skipped != int(header[1]):
        raise ValueError(
            f"{path}, line {number}: expected {int(header[1])} vectors, as line 1 says. "
            f"Received: {number - skipped}, then the end of the file"
        )
    return units, vectors


def _word(line, units, path, number):
    spaces = line.count(b" ")
    if spaces < units or line.startswith(b" "):
        raise ValueError(
            f"{path}, line {number}: expected a word and {units} numbers. "
            f"Received: {spaces + 1} fields, {_shown(line)}"
        )
    return line[: line.index(b" ")] if spaces == units else line.rsplit(b" ", units)[0]


def _vector(line, units, path, number):
    fields = line.rsplit(b" ", units)[1:]
    try:
        vector = np.array(fields).astype("float32")
    except ValueError:
        vector = np.array([np.nan])
    if not np.all(np.isfinite(vector)):
        raise ValueError(
            f"{path}, line {number}: expected {units} finite numbers after the word. "
            f"Received: {_shown(line)}"
        )
    return vector


def _lines(path):
    """The lines of a file as bytes, without the white space at their ends."""
    number, rest = 0, b""
    with opened(path, "rb") as file:
        opener = _OPENERS.get(str(path)[-3:])
        stream = opener(file) if opener else file
        try:
            while chunk := stream.read(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.rstrip(b" \r")
                number += len(lines)
        except _DAMAGED as error:
            raise ValueError(
                f"{path}: expected a whole compressed file. Received: damage after line {number} "
                f"({error})"
            ) from None
    if rest:
        yield rest.rstrip(b" \r")


def _shown(line):
    text = line.decode(errors="backslashreplace")
    return repr(text if len(text) <= 60 else f"{text[:57]}...") if text else "an empty line"
