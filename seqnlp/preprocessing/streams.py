"""From a file's bytes to blocks of lines: streaming, with line numbers and bounded memory."""

import hashlib
import lzma
import zlib
from typing import NamedTuple

CHUNK_BYTES = 1 << 18
# 16 KiB of .xz may hold 100 MB, so compressed files are read in small pieces.
COMPRESSED_CHUNK_BYTES = 1 << 14
MAX_BLOCK_BYTES = 1 << 23
_GZIP_WINDOW = 31
_DECOMPRESSORS = {
    ".gz": ("gzip", lambda: zlib.decompressobj(_GZIP_WINDOW)),
    ".xz": ("xz", lzma.LZMADecompressor),
}


class DamagedFileError(Exception):
    """A compressed file that cannot be read to its end. What came before it was read."""


class Block(NamedTuple):
    """Neighbouring lines between blank ones: one sentence.

    Fields:
        line: Number of the first line, from 1.
        lines: List of `bytes` without line feeds.
        whole: False for a piece of a block that is too large to hold.
    """

    line: int
    lines: list
    whole: bool


class HashedStream:
    """A binary stream that counts and hashes the bytes read from it."""

    def __init__(self, stream):
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self.size = 0

    def read(self, size):
        """Reads up to `size` bytes."""
        data = self._stream.read(size)
        self._sha256.update(data)
        self.size += len(data)
        return data

    def sha256(self):
        """The hexadecimal SHA-256 of the whole stream, which is read to its end."""
        while self.read(CHUNK_BYTES):
            pass
        return self._sha256.hexdigest()


def pieces(stream, path):
    """Yields the bytes of a plain, .gz or .xz file piece by piece.

    Args:
        stream: Object whose `read(size)` returns bytes.
        path: Name of the file; its ending tells the compression.

    Raises:
        DamagedFileError: The compressed data is wrong or ends early. Everything before the
            fault has been yielded.
    """
    for ending, (name, make) in _DECOMPRESSORS.items():
        if path.endswith(ending):
            yield from _decompressed(stream, name, make)
            return
    while piece := stream.read(CHUNK_BYTES):
        yield piece


def _decompressed(stream, name, make):
    decompressor, position = None, 0
    while piece := stream.read(COMPRESSED_CHUNK_BYTES):
        while piece:
            decompressor = decompressor or make()
            try:
                data = decompressor.decompress(piece)
            except (zlib.error, lzma.LZMAError) as error:
                raise DamagedFileError(
                    f"{name} data: expected a readable stream, received damaged data in the "
                    f"{len(piece)} bytes from byte {position} on ({_first_line(error)})"
                ) from None
            if data:
                yield data
            used, piece = len(piece), b""
            if decompressor.eof:
                # Streams may follow each other, and zeros may pad a file.
                piece = decompressor.unused_data
                decompressor = None
                used -= len(piece)
                padding = len(piece) - len(piece.lstrip(b"\0"))
                piece, used = piece[padding:], used + padding
            position += used
    if decompressor is not None:
        raise DamagedFileError(
            f"{name} data: expected the end of the stream, received the end of the file after "
            f"{position} bytes"
        )


def _first_line(error):
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def numbered_lines(data):
    """Yields `(number, line)` for the lines of the byte strings `data`, a BOM dropped.

    A line too large to hold comes in several pieces with the same number.

    Raises:
        DamagedFileError: As `data` raises it, after the lines that could be read.
    """
    number, rest = 1, b""
    damage = None
    try:
        for piece in data:
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield number, _without_bom(line) if number == 1 else line
                number += 1
            if len(rest) > MAX_BLOCK_BYTES:
                yield number, rest
                rest = b""
    except DamagedFileError as error:
        damage = error
    if rest:
        yield number, _without_bom(rest) if number == 1 else rest
    if damage is not None:
        raise damage


def whole_lines(stream, path, prefix=""):
    """Yields `(number, line, whole)` for the lines of a file; of one too large its beginning.

    Args:
        stream: Object whose `read(size)` returns bytes.
        path: Name of the file; its ending tells the compression.
        prefix: What messages begin with.

    Raises:
        DamagedFileError: As `pieces` raises it, its message after `prefix`.
    """
    held = None
    try:
        for number, part in numbered_lines(pieces(stream, path)):
            if held is not None and held[0] == number:
                held = (number, held[1], False)
                continue
            if held is not None:
                yield held
            held = (number, part, True)
    except DamagedFileError as damage:
        raise DamagedFileError(prefix + damage.args[0]) from None
    if held is not None:
        yield held


def _without_bom(line):
    return line.removeprefix(b"\xef\xbb\xbf")


def blocks(lines, alone=False):
    """Groups `(number, line)` pairs into `Block`s, parted by blank lines.

    Args:
        lines: Iterable of `(number, line)`.
        alone: Whether every line is a block of its own.

    Raises:
        DamagedFileError: As `lines` raises it. Its second argument is the unfinished block,
            or None.
    """
    first, block, size, whole = 0, [], 0, True
    try:
        for number, line in lines:
            blank = not line.strip()
            if not blank:
                if not block:
                    first = number
                block.append(line)
                size += len(line)
            if size > MAX_BLOCK_BYTES:
                whole = False
            if block and (blank or alone or not whole):
                yield Block(first, block, whole)
                block, size = [], 0
            if blank:
                whole = True
    except DamagedFileError as error:
        raise DamagedFileError(
            error.args[0], Block(first, block, whole) if block else None
        ) from None
    if block:
        yield Block(first, block, whole)
