"""Reading labelled texts and pairs of texts: every record ends up in one or in a reject."""

import functools
import math
from typing import NamedTuple

from seqnlp.preprocessing.files import ReadFiles
from seqnlp.preprocessing.formats import Fault, checked_label, decode, make_format, shown
from seqnlp.preprocessing.labelled_formats import LABEL, LABELLED_FORMATS
from seqnlp.preprocessing.pairs import MAX_TEXT
from seqnlp.preprocessing.readers import place
from seqnlp.preprocessing.rejects import Reject
from seqnlp.preprocessing.streams import MAX_BLOCK_BYTES, Block, DamagedFileError, whole_lines

TASKS = ("classification", "regression")
_LARGEST = 3.4e38  # that float32 holds


class LabelledText(NamedTuple):
    """One text or two with a label, and where they stand.

    Fields:
        texts: Tuple of one or two `str`.
        label: `str`, or of regression a float.
        file: Path of the file as given.
        line: Number of the first line, from 1.
    """

    texts: tuple
    label: str | float
    file: str
    line: int


class LabelledTextReader:
    """Reads a file of labelled texts.

    Args:
        input_format: `"tsv"`, `"csv"` or `"jsonl"`.
        task: One of `TASKS`: whether labels are names, or finite numbers. White space around a
            label is none of it.
        max_text_bytes: Most bytes of a text.
        layout: Arguments of the format: `columns` and `header` of tsv and csv, `text`, `text2`
            and `label` of jsonl.

    Raises:
        ValueError: An argument is none of those, below 1, or unknown to the format.
    """

    def __init__(
        self, input_format="tsv", task="classification", max_text_bytes=100_000, **layout
    ):
        self.format = make_format(LABELLED_FORMATS, input_format, layout)
        if task not in TASKS:
            raise ValueError(f"`task` must be one of {', '.join(TASKS)}. Received: task={task!r}")
        if max_text_bytes < 1:
            raise ValueError(
                f"`max_text_bytes` must be at least 1. Received: max_text_bytes={max_text_bytes}"
            )
        self.task = task
        self.max_text_bytes = max_text_bytes

    def read(self, stream, path):
        """Yields a `LabelledText` or a `Reject` for every record.

        Args:
            stream: Object whose `read(size)` returns the bytes of the file.
            path: Path of the file as given; `.gz` and `.xz` are decompressed.
        """
        last = 0
        try:
            for last, data, whole in self.format.records(whole_lines(stream, path)):
                found = self._parsed(path, last, data, whole)
                if found is not None:
                    yield found
        except DamagedFileError as damage:
            yield Reject(path, last + 1, "damaged_file", damage.args[0], "")

    def _parsed(self, path, number, data, whole):
        """A `LabelledText`, a `Reject`, or None."""
        try:
            if not whole:
                reason = f"line: expected at most {MAX_BLOCK_BYTES} bytes, received more"
                raise Fault(number, "too_large", reason)
            block = Block(number, data.split(b"\n"), whole)
            record = decode(data, functools.partial(place, block)).removesuffix("\r")
            found = self.format.parse(number, record)
            if found is None:
                return None
            *texts, label = found
            for name, text in zip(self.format.texts, texts, strict=True):
                self._check(number, self.format.field(name), text)
            label = self._label(number, self.format.field(LABEL), label.strip())
        except Fault as fault:
            text = data.decode("utf-8", "backslashreplace")[:MAX_TEXT]
            return Reject(path, fault.line, fault.kind, fault.reason, text)
        return LabelledText(tuple(texts), label, path, number)

    def _check(self, number, field, text):
        """Raises the first `Fault` of a text."""
        if not text.strip():
            raise Fault(number, "empty_text", f"{field}: expected text, received {text[:20]!r}")
        if "\0" in text:
            raise Fault(number, "nul_byte", f"{field}: expected text, received a NUL byte")
        # A character has at most 4 bytes.
        size = len(text.encode()) if 4 * len(text) > self.max_text_bytes else 0
        if size > self.max_text_bytes:
            raise Fault(
                number,
                "long_text",
                f"{field}: expected at most {self.max_text_bytes} bytes, received {size}",
            )

    def _label(self, number, field, label):
        if self.task == "classification":
            return checked_label(number, field, label)
        try:
            value = float(label)
        except ValueError:
            value = math.nan
        if "_" in label or not abs(value) < _LARGEST:
            raise Fault(
                number, "bad_number", f"{field}: expected a finite number, received {shown(label)}"
            )
        return value


class ReadLabelledTexts(ReadFiles):
    """Reads files of labelled texts, one work item a file.

    Args:
        files: List of paths on any file system of Beam.
        reader: A `LabelledTextReader`.

    Returns:
        Dict of PCollections: `examples` of `LabelledText`, `rejects` of `Reject` and `inputs` of
        dicts with the name, size and SHA-256 of each file.
    """

    def __init__(self, files, reader):
        super().__init__([(file,) for file in files], reader.read, "examples")
