"""TFRecord files in plain Python: the same bytes each time, and damage named by its place."""

import gzip
import struct
import zlib

_MASK_DELTA = 0xA282EAD8
_CHUNK_BYTES = 1 << 20
# Level 6 takes 2.7 times as long and saves 4 %.
_GZIP_LEVEL = 4
# A length beyond this is damage, and not to be allocated.
_MAX_RECORD_BYTES = 1 << 30


def write_tfrecord(file, payloads):
    """Writes gzip-compressed TFRecords that depend on `payloads` alone: no time, no name.

    Args:
        file: Binary file object to write to. It stays open.
        payloads: Iterable of `bytes`, one a record.

    Returns:
        The number of records.

    Raises:
        ImportError: google-crc32c is not installed.
        OSError: The file cannot be written.
    """
    checksum, count, pending, size = _checksum(), 0, [], 0
    with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
        for payload in payloads:
            length = struct.pack("<Q", len(payload))
            crc, payload_crc = checksum(length), checksum(payload)
            pending += (length, struct.pack("<I", crc), payload, struct.pack("<I", payload_crc))
            count, size = count + 1, size + len(payload)
            if size > _CHUNK_BYTES:
                packed.write(b"".join(pending))
                pending, size = [], 0
        packed.write(b"".join(pending))
    return count


def read_tfrecord(path):
    """Yields the payload of every record of a gzip-compressed TFRecord file.

    Args:
        path: Path of a local file.

    Raises:
        ImportError: google-crc32c is not installed.
        OSError: The file cannot be read.
        ValueError: A record is damaged. The message names the file, the record (from 1), its
            byte position in the decompressed data, what was expected and what was received.
    """
    checksum, number, position = _checksum(), 1, 0

    def fault(expected, received):
        return ValueError(
            f"{path}, record {number} at byte {position} of the decompressed data: "
            f"expected {expected}. Received: {received}"
        )

    def read(size):
        try:
            return packed.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise fault("intact gzip data", error) from None

    def check(name, data, stored):
        expected, received = struct.unpack("<I", stored)[0], checksum(data)
        if expected != received:
            raise fault(f"the checksum 0x{expected:08x} of its {name}", f"0x{received:08x}")

    with gzip.open(path, "rb") as packed:
        while header := read(12):
            if len(header) < 12:
                raise fault("a header of 12 bytes", f"{len(header)} bytes")
            check("length", header[:8], header[8:])
            (length,) = struct.unpack("<Q", header[:8])
            if length > _MAX_RECORD_BYTES:
                raise fault(f"at most {_MAX_RECORD_BYTES} bytes", f"{length} bytes")
            data = read(length + 4)
            if len(data) < length + 4:
                raise fault(f"{length + 4} bytes", f"{len(data)} bytes")
            check("data", data[:length], data[length:])
            yield data[:length]
            number, position = number + 1, position + 12 + length + 4


def import_tensorflow():
    """The module, which knows what TFRecords hold.

    Raises:
        ImportError: It is not installed; the message names the extra.
    """
    try:
        import tensorflow
    except ImportError as error:
        raise ImportError(
            'TFRecord examples need tensorflow: pip install "seqnlp[tensorflow]", or prepare '
            "them as Parquet."
        ) from error
    return tensorflow


def _checksum():
    """The masked CRC-32C of the TFRecord format."""
    try:
        import google_crc32c
    except ImportError as error:
        raise ImportError(
            'TFRecord files need google-crc32c: pip install "seqnlp[beam]".'
        ) from error

    def masked(data):
        crc = google_crc32c.value(data)
        return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF

    return masked
