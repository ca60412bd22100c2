"""Writing the files of a preparation: each by one worker, each with the same bytes anywhere."""

import contextlib
import hashlib
import itertools
import json
import uuid

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from seqnlp.preprocessing.rejects import FATAL_KINDS
from seqnlp.records import OUTPUT_FORMATS, write_parquet, write_tfrecord

TEMPORARY = ".tmp-"
REJECTS_FILE = "rejects/rejects.jsonl"
# Wherever a worker runs, this is how the program finds what went wrong in its report.
WRITE_ERROR = "cannot write"


def shard_file(split, shard, num_shards, output_format):
    """Name of a shard in the folder, as TFX writes it."""
    ending = OUTPUT_FORMATS[output_format]
    return f"Split-{split}/examples-{shard:05d}-of-{num_shards:05d}{ending}"


class _Hashed:
    """A file to write to that counts and hashes what it is given."""

    closed = False

    def __init__(self, file):
        self._file = file
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data):
        self._sha256.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self):
        pass

    def hexdigest(self):
        return self._sha256.hexdigest()


def write_file(folder, name, write):
    """Writes a file under a temporary name beside it, and renames it when it is whole.

    Args:
        folder: Folder on any file system of Beam.
        name: Path inside the folder.
        write: Function that writes to the binary file it is given.

    Returns:
        Dict with `file`, `bytes`, `sha256`, and what `write` returned.

    Raises:
        OSError: The file cannot be written: `cannot write PATH: reason`.
    """
    path = FileSystems.join(folder, *name.split("/"))
    parent, base = FileSystems.split(path)
    temporary = FileSystems.join(parent, f"{TEMPORARY}{base}-{uuid.uuid4().hex}")
    try:
        with contextlib.suppress(OSError):  # there already
            FileSystems.mkdirs(parent)
        with FileSystems.create(temporary, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            hashed = _Hashed(file)
            result = write(hashed)
        FileSystems.rename([temporary], [path])
    except Exception as error:
        with contextlib.suppress(Exception):
            FileSystems.delete([temporary])
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise OSError(f"{WRITE_ERROR} {path}: {reason}") from None
    return {"file": name, "bytes": hashed.size, "sha256": hashed.hexdigest()}, result


class WriteShards(beam.PTransform):
    """`((split, shard), list of (key, row))` -> a dict a shard; rows are of `seqnlp.records.ROWS`.

    The dict holds `split`, `file`, `records`, `bytes` and `sha256`.

    Every shard is written, also one without examples, its examples sorted by key.

    Args:
        folder: Folder to write to.
        options: Dict of the options as the manifest holds them.
        columns: Names of the features of an example.
    """

    def __init__(self, folder, options, columns):
        super().__init__()
        self._folder = folder
        self._options = options
        self._columns = columns

    def expand(self, examples):
        """Applies the transform."""
        counts = self._options["num_shards"].items()
        shards = [(split, number) for split, count in counts for number in range(count)]
        empty = examples.pipeline | "Shards" >> beam.Create(
            [(shard, []) for shard in shards], reshuffle=False
        )
        return (
            (examples, empty)
            | beam.Flatten()
            | beam.GroupByKey()
            | "Write" >> beam.Map(write_shard, self._folder, self._options, self._columns)
        )


def write_shard(shard, folder, options, columns):
    """`((split, number), lists of (key, row))` -> dict, see `WriteShards`."""
    (split, number), parts = shard
    payloads = [payload for _, payload in sorted(itertools.chain.from_iterable(parts))]
    output_format = options["output_format"]
    name = shard_file(split, number, options["num_shards"][split], output_format)

    def write(file):
        if output_format == "tfrecord":
            return write_tfrecord(file, payloads)
        return write_parquet(file, payloads, columns)

    entry, records = write_file(folder, name, write)
    return {"split": split, "records": records, **entry}


class WriteRejects(beam.PTransform):
    """`Reject` -> one dict: `count`, `kinds` (counts) and `first` (a few as dicts).

    They are written as JSON lines, sorted; the file is there also without rejects.

    Args:
        folder: Folder to write to.
    """

    def __init__(self, folder):
        super().__init__()
        self._folder = folder

    def expand(self, rejects):
        """Applies the transform."""
        return rejects | beam.combiners.ToList() | "Write" >> beam.Map(write_rejects, self._folder)


def write_rejects(rejects, folder):
    """List of `Reject` -> dict, see `WriteRejects`."""
    rows = [reject._asdict() for reject in sorted(rejects)]
    kinds = {}
    for row in rows:
        kinds[row["kind"]] = kinds.get(row["kind"], 0) + 1

    def write(file):
        for row in rows:
            # Escaped, since a JSON string may hold halves of surrogate pairs.
            file.write(json.dumps(row, sort_keys=True).encode() + b"\n")

    entry, _ = write_file(folder, REJECTS_FILE, write)
    first = sorted(rows, key=lambda row: row["kind"] not in FATAL_KINDS)[:5]
    return {"count": len(rows), "kinds": kinds, "first": first, "file": entry}
