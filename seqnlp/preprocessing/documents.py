"""Reading plain text: every line of input ends up in a document or in a reject."""

from typing import NamedTuple

from seqnlp.preprocessing.files import ReadFiles
from seqnlp.preprocessing.formats import Fault, decode
from seqnlp.preprocessing.rejects import Reject
from seqnlp.preprocessing.split import content_hash
from seqnlp.preprocessing.streams import MAX_BLOCK_BYTES, DamagedFileError, whole_lines

_MAX_TEXT = 10_000  # characters of a line that a reject holds


class Document(NamedTuple):
    """Sentences that follow each other and where they stand.

    Fields:
        sentences: Tuple of `str`.
        file: Path of the file as given.
        line: Number of the first line of the whole document, from 1.
        whole: A hash of the first part, by which the parts of a document belong together.
        part: Number of this part, from 0, of a document that is too large to hold.
    """

    sentences: tuple
    file: str
    line: int
    whole: bytes
    part: int = 0


class DocumentReader:
    """Reads a file of plain text: blank lines part documents, and lines sentences.

    Args:
        language: Code of the language, as "en" or "ko", whose rules find several sentences in
            a line; None where every line is a sentence.
        max_line_bytes: Most bytes of a line; a longer one is a reject.
        max_document_bytes: Where a document has more, another part of it begins.

    Raises:
        ImportError: sentencex is not installed, which finds sentences.
        ValueError: A number is below 1, or a line may have more bytes than can be held.
    """

    def __init__(self, language="en", max_line_bytes=1_000_000, max_document_bytes=1_000_000):
        sizes = {"max_line_bytes": max_line_bytes, "max_document_bytes": max_document_bytes}
        for name, value in sizes.items():
            if not 1 <= value <= MAX_BLOCK_BYTES:
                raise ValueError(
                    f"`{name}` must be from 1 to {MAX_BLOCK_BYTES}. Received: {name}={value}"
                )
        if language is not None:
            _sentencex()
        self.language = language
        self.max_line_bytes = max_line_bytes
        self.max_document_bytes = max_document_bytes

    def read(self, stream, path):
        """Yields `Document`s, and a `Reject` for every line that cannot be used.

        Args:
            stream: Object whose `read(size)` returns the bytes of the file.
            path: Path of the file as given; `.gz` and `.xz` are decompressed.
        """
        sentences, size, number = [], 0, 0
        line, whole, part = None, None, 0
        try:
            for number, data, complete in whole_lines(stream, path):
                ends = not data.strip()
                if sentences and (ends or size + len(data) > self.max_document_bytes):
                    whole = whole or _digest(sentences)
                    yield Document(tuple(sentences), path, line, whole, part)
                    sentences, size, part = [], 0, part + 1
                if ends:
                    line, whole, part = None, None, 0
                    continue
                line = line or number
                found = self._sentences(path, number, data, complete)
                if isinstance(found, Reject):
                    yield found
                else:
                    sentences += found
                    size += len(data)
        except DamagedFileError as damage:
            yield Reject(path, number + 1, "damaged_file", damage.args[0], "")
        if sentences:
            yield Document(tuple(sentences), path, line, whole or _digest(sentences), part)

    def _sentences(self, path, number, data, complete):
        """The sentences of a line, or a `Reject`."""
        try:
            if not complete or len(data) > self.max_line_bytes:
                received = len(data) if complete else "more"
                raise Fault(
                    number,
                    "long_line",
                    f"line: expected at most {self.max_line_bytes} bytes, received {received}",
                )
            text = decode(data, lambda position: (number, position + 1))
        except Fault as fault:
            text = data[: 4 * _MAX_TEXT].decode("utf-8", "backslashreplace")[:_MAX_TEXT]
            return Reject(path, fault.line, fault.kind, fault.reason, text)
        if self.language is None:
            return [text.strip()]
        parts = map(str.strip, _sentencex().segment(self.language, text))
        return [sentence for sentence in parts if sentence]


def _digest(sentences):
    return content_hash("\n".join(sentences).encode(), 0, "document")


def _sentencex():
    try:
        import sentencex
    except ImportError as error:
        raise ImportError(
            'finding sentences needs sentencex: pip install "seqnlp[beam]"'
        ) from error
    return sentencex


class ReadDocuments(ReadFiles):
    """Reads files of plain text, one work item a file.

    Args:
        files: List of paths on any file system of Beam.
        reader: A `DocumentReader`.

    Returns:
        Dict of PCollections: `documents` of `Document`, `rejects` of `Reject` and `inputs` of
        dicts with the name, size and SHA-256 of each file.
    """

    def __init__(self, files, reader):
        super().__init__([(file,) for file in files], reader.read, "documents")
