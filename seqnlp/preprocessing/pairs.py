"""Reading parallel text: every line of input ends up in a pair of sentences or in a reject."""

import itertools
import re
from typing import NamedTuple

from seqnlp.preprocessing.fields import check_width, column_indices, string_field
from seqnlp.preprocessing.files import ReadFiles
from seqnlp.preprocessing.formats import Fault, decode, make_format, parse_object
from seqnlp.preprocessing.rejects import Reject
from seqnlp.preprocessing.streams import MAX_BLOCK_BYTES, DamagedFileError, whole_lines

SIDES = ("source", "target")
# All that ends a line somewhere, or is not meant to be seen; a tab is white space.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
# Characters of a line that a reject holds.
MAX_TEXT = 10_000


class Pair(NamedTuple):
    """A sentence with its translation and where they stand.

    Fields:
        source: `str`.
        target: `str`.
        file: Path of the file as given; of two files `SOURCE + TARGET`.
        line: Number of its line, from 1, in both files.
    """

    source: str
    target: str
    file: str
    line: int


class Columns:
    """A pair a line, its fields parted by tabs. Blank lines stand for nothing.

    Args:
        columns: Mapping from `source` and `target` to their indices from 0; further names say that
            there are further columns.
        width: Number of columns; None for those up to the last one that has a name.
        header: Whether the first line names the columns, and is no pair.
    """

    num_files = 1

    def __init__(self, columns=None, width=None, header=False):
        columns = {"source": 0, "target": 1} if columns is None else dict(columns)
        self._indices, least = column_indices(columns, SIDES)
        if width is not None and width < least:
            raise ValueError(f"`width` must be at least {least}. Received: width={width}")
        self._width = width or least
        self._header = header

    def parse(self, number, line):
        """A line -> the two sentences, or None; raises a `Fault`."""
        if not line.strip() or (self._header and number == 1):
            return None
        fields = line.split("\t")
        check_width(number, fields, self._width)
        return [fields[index] for index in self._indices]

    def field(self, side):
        """How messages name one of `SIDES`."""
        return f"column {self._indices[SIDES.index(side)] + 1} ({side})"


class JSONLines:
    """A JSON object a line: `{"source": "a cat", "target": "eine Katze"}`. Blank lines are none.

    Args:
        source: Name of the field that holds the source.
        target: Name of the field that holds the target.
    """

    num_files = 1

    def __init__(self, source="source", target="target"):
        self._names = {"source": source, "target": target}

    def parse(self, number, line):
        """A line -> the two sentences, or None; raises a `Fault`."""
        if not line.strip():
            return None
        record = parse_object(number, line)
        return [string_field(number, record, name) for name in self._names.values()]

    def field(self, side):
        """How messages name one of `SIDES`."""
        return f"field '{self._names[side]}'"


class TwoFiles:
    """Two files: a line of one translates the line of the same number of the other."""

    num_files = 2

    def field(self, side):
        """How messages name one of `SIDES`."""
        return f"{side} line"


PAIR_FORMATS = {"parallel": TwoFiles, "tsv": Columns, "jsonl": JSONLines}


class PairReader:
    """Reads a file of pairs of sentences, or two files together.

    Args:
        input_format: `"parallel"` (two files), `"tsv"` or `"jsonl"`.
        max_line_tokens: Most tokens, parted by white space, of a sentence.
        max_line_bytes: Most bytes of a sentence.
        layout: Arguments of the format: `columns`, `width` and `header` of tsv, `source` and
            `target` of jsonl.

    Raises:
        ValueError: An argument is none of those, below 1, or unknown to the format.
    """

    def __init__(
        self, input_format="parallel", max_line_tokens=1000, max_line_bytes=10_000, **layout
    ):
        self.format = make_format(PAIR_FORMATS, input_format, layout)
        limits = {"max_line_tokens": max_line_tokens, "max_line_bytes": max_line_bytes}
        for name, value in limits.items():
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
        self.max_line_tokens = max_line_tokens
        self.max_line_bytes = max_line_bytes

    def read(self, *streams_and_paths):
        """Yields a `Pair` or a `Reject` for every line that is not blank.

        Args:
            streams_and_paths: One object whose `read(size)` returns the bytes of a file, or two,
                of the source and the target; then as many paths as given. `.gz` and `.xz` are
                decompressed.
        """
        half = len(streams_and_paths) // 2
        streams, paths = streams_and_paths[:half], streams_and_paths[half:]
        return self._read_two(streams, paths) if half == 2 else self._read_one(*streams, *paths)

    def _read_one(self, stream, path):
        last = 0
        try:
            for number, data, whole in whole_lines(stream, path):
                last = number
                found = self._parsed(path, number, [(data, whole)])
                if found is not None:
                    yield found
        except DamagedFileError as damage:
            yield Reject(path, last + 1, "damaged_file", damage.args[0], "")

    def _read_two(self, streams, paths):
        file, count = " + ".join(paths), 0
        prefixes = [f"{side}: " for side in SIDES]
        sides = list(map(whole_lines, streams, paths, prefixes))
        try:
            for count, lines in enumerate(itertools.zip_longest(*sides), 1):
                if None in lines:
                    yield _unequal(file, paths, count, lines, sides)
                    return
                yield self._parsed(file, count, [line[1:] for line in lines])
        except DamagedFileError as damage:
            yield Reject(file, count + 1, "damaged_file", damage.args[0], "")

    def _parsed(self, file, number, lines):
        """A `Pair`, a `Reject`, or None, of `(data, whole)` of the files."""
        try:
            texts = self._texts(number, lines)
            if texts is None:
                return None
            for side, text in zip(SIDES, texts, strict=True):
                self._check(number, self.format.field(side), text)
        except Fault as fault:
            text = "\t".join(
                data.decode("utf-8", "backslashreplace")[:MAX_TEXT] for data, _ in lines
            )
            return Reject(file, fault.line, fault.kind, fault.reason, text)
        return Pair(*texts, file, number)

    def _texts(self, number, lines):
        """The two sentences, or None; raises a `Fault`."""
        texts = []
        for side, (data, whole) in zip(SIDES, lines, strict=False):
            line = f"the {side} line" if len(lines) == 2 else "the line"
            if not whole:
                reason = f"{line.removeprefix('the ')}: expected at most {MAX_BLOCK_BYTES} bytes"
                raise Fault(number, "too_large", f"{reason}, received more")
            text = decode(data, lambda position: (number, position + 1), line)
            texts.append(text.removesuffix("\r"))
        return texts if len(lines) == 2 else self.format.parse(number, *texts)

    def _check(self, number, field, text):
        """Raises the first `Fault` of one sentence."""
        if not text.strip():
            raise Fault(number, "empty_line", f"{field}: expected text, received {text[:20]!r}")
        control = _CONTROL.search(text)
        if control:
            raise Fault(
                number,
                "control_character",
                f"{field}, character {control.start() + 1}: expected text on one line, received "
                f"the control character U+{ord(control[0]):04X}",
            )
        # No sentence has more tokens than every second of its characters.
        if len(text) >= 2 * self.max_line_tokens:
            self._check_size(number, field, len(text.split()), self.max_line_tokens, "tokens")
        # A character has at most 4 bytes.
        if 4 * len(text) > self.max_line_bytes:
            self._check_size(number, field, len(text.encode()), self.max_line_bytes, "bytes")

    def _check_size(self, number, field, size, most, unit):
        if size > most:
            raise Fault(
                number, "long_line", f"{field}: expected at most {most} {unit}, received {size}"
            )


def _unequal(file, paths, number, lines, sides):
    """The reject of two files of which one ends before line `number`."""
    rest = sum(1 for side in sides for _ in side)
    counts = [number + rest if line else number - 1 for line in lines]
    received = " and ".join(map("{} in {}".format, counts, paths))
    reason = f"lines: expected as many in both files, received {received}"
    return Reject(file, number, "line_count", reason, "")


class ReadPairs(ReadFiles):
    """Reads files of pairs of sentences, one work item a file or a pair of files.

    Args:
        files: List of paths on any file system of Beam, of pairs of paths where the format is
            `parallel`.
        reader: A `PairReader`.

    Returns:
        Dict of PCollections: `pairs` of `Pair`, `rejects` of `Reject` and `inputs` of dicts with
        the name, size and SHA-256 of each file.
    """

    def __init__(self, files, reader):
        two = reader.format.num_files == 2
        groups = [tuple(file) if two else (file,) for file in files]
        super().__init__(groups, reader.read, "pairs")
