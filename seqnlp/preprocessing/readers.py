"""Reading labelled sentences: every line of input ends up in a sentence or in a reject."""

import functools
import itertools
from typing import NamedTuple

from seqnlp.preprocessing.files import ReadFiles
from seqnlp.preprocessing.formats import FORMATS, Fault, check_unicode, decode, make_format
from seqnlp.preprocessing.rejects import Reject
from seqnlp.preprocessing.streams import (
    MAX_BLOCK_BYTES,
    DamagedFileError,
    blocks,
    numbered_lines,
    pieces,
)
from seqnlp.tag_schemes import ENCODINGS, first_illegal


class Sentence(NamedTuple):
    """A labelled sentence and where it stands.

    Fields:
        tokens: Tuple of `str`.
        tags: Tuple of `str`, one a token.
        file: Path of the file as given.
        line: Number of its first line, from 1.
        label: Label of the whole sentence, or None where none was asked for.
    """

    tokens: tuple
    tags: tuple
    file: str
    line: int
    label: str | None = None


class SentenceReader:
    """Reads a file of labelled sentences.

    Args:
        input_format: `"conll"`, `"conllu"` or `"jsonl"`.
        encoding: Tag scheme that the tags must keep, one of `seqnlp.tag_schemes.ENCODINGS`.
        max_length: Most tokens of a sentence; None takes all.
        max_token_bytes: Most bytes of a token.
        layout: Arguments of the format: `columns`, `token`, `tag`, `comment`, `skip_token` and
            `label` of conll, `tag` and `label` of conllu, `token`, `tag` and `label` of jsonl.

    Raises:
        ValueError: An argument is none of those, below 1, or unknown to the format.
    """

    def __init__(
        self,
        input_format="conll",
        encoding="none",
        max_length=None,
        max_token_bytes=1000,
        **layout,
    ):
        self.format = make_format(FORMATS, input_format, layout)
        if encoding not in ENCODINGS:
            raise ValueError(
                f"`encoding` must be one of {', '.join(ENCODINGS)}. "
                f"Received: encoding={encoding!r}"
            )
        for name, value in (("max_length", max_length), ("max_token_bytes", max_token_bytes)):
            if value is not None and value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
        self.encoding = encoding
        self.max_length = max_length
        self.max_token_bytes = max_token_bytes
        self._legal = set()

    def read(self, stream, path):
        """Yields a `Sentence` or a `Reject` for every block of lines.

        Args:
            stream: Object whose `read(size)` returns the bytes of the file.
            path: Path of the file as given; `.gz` and `.xz` are decompressed.
        """
        found = blocks(numbered_lines(pieces(stream, path)), alone=self.format.line_is_sentence)
        line = 0
        try:
            for block in found:
                line = block.line + len(block.lines) - 1
                sentence = self.parse(block, path)
                if sentence is not None:
                    yield sentence
        except DamagedFileError as damage:
            reason, unfinished = damage.args
            text = _text(unfinished.lines) if unfinished else ""
            line = unfinished.line + len(unfinished.lines) - 1 if unfinished else line + 1
            yield Reject(path, line, "damaged_file", reason, text)

    def parse(self, block, path):
        """A `Block` -> `Sentence`, `Reject`, or None where it holds comments only."""
        try:
            tokens, tags, numbers, label = self.format.parse(block.line, self._decode(block))
            if not tokens:
                return None
            self._check(tokens, tags, numbers)
        except Fault as fault:
            return Reject(path, fault.line, fault.kind, fault.reason, _text(block.lines))
        return Sentence(tuple(tokens), tuple(tags), path, numbers[0], label)

    def _decode(self, block):
        """The block's lines as `str`, without carriage returns at their ends."""
        if not block.whole:
            raise Fault(
                block.line,
                "too_large",
                f"sentence: expected at most {MAX_BLOCK_BYTES} bytes, received more",
            )
        data = b"\n".join(block.lines)
        lines = decode(data, functools.partial(place, block)).split("\n")
        if b"\r" in data:
            lines = [line.removesuffix("\r") for line in lines]
        return lines

    def _check(self, tokens, tags, numbers):
        """Raises the first `Fault` of a parsed sentence."""
        for index, token in enumerate(tokens):
            # A character has at most 4 bytes: short tokens need not be encoded.
            if not token.strip() or 4 * len(token) > self.max_token_bytes or "\0" in token:
                self._check_token(index, token, numbers[index])
        if self.format.line_is_sentence:
            for index, number in enumerate(numbers):
                check_unicode(number, self.format.token_field(index), tokens[index])
            for index, number in enumerate(numbers):
                check_unicode(number, self.format.tag_field(index), tags[index])
        if self.max_length is not None and len(tokens) > self.max_length:
            raise Fault(
                numbers[self.max_length],
                "long_sentence",
                f"sentence: expected at most {self.max_length} tokens, received {len(tokens)}",
            )
        self._check_tags(tags, numbers)

    def _check_token(self, index, token, number):
        field = self.format.token_field(index)
        if not token.strip():
            raise Fault(
                number, "empty_token", f"{field}: expected a token, received {token[:20]!r}"
            )
        if "\0" in token:
            raise Fault(number, "nul_byte", f"{field}: expected text, received a NUL byte")
        size = len(token.encode("utf-8", "surrogatepass"))
        if size > self.max_token_bytes:
            raise Fault(
                number,
                "long_token",
                f"{field}: expected at most {self.max_token_bytes} bytes, received {size}",
            )

    def _check_tags(self, tags, numbers):
        # Few pairs of tags make up a corpus: only those not seen before are looked at.
        pairs = {*itertools.pairwise(tags), (None, tags[0]), (tags[-1], None)}
        if pairs <= self._legal:
            return
        for index, tag in enumerate(tags):
            if not tag.strip() or not tag.isprintable():
                raise Fault(
                    numbers[index],
                    "empty_tag",
                    f"{self.format.tag_field(index)}: expected a tag of printable characters, "
                    f"received {tag[:20]!r}",
                )
        fault = first_illegal(tags, self.encoding)
        if fault is not None:
            index, reason = fault
            index = min(index, len(tags) - 1)
            raise Fault(numbers[index], "illegal_tag", f"{self.format.tag_field(index)}: {reason}")
        self._legal |= pairs


def place(block, position):
    """Byte `position` (from 0) of a block's joined lines -> (line, byte from 1)."""
    for number, line in enumerate(block.lines, block.line):
        if position <= len(line):
            return number, position + 1
        position -= len(line) + 1
    return block.line, 1


def _text(lines):
    return b"\n".join(lines).decode("utf-8", "backslashreplace")


class ReadSentences(ReadFiles):
    """Reads files of labelled sentences, one work item a file.

    Args:
        files: List of paths on any file system of Beam.
        reader: A `SentenceReader`.

    Returns:
        Dict of PCollections: `sentences` of `Sentence`, `rejects` of `Reject` and `inputs` of
        dicts with the name, size and SHA-256 of each file.
    """

    def __init__(self, files, reader):
        super().__init__([(file,) for file in files], reader.read, "sentences")
