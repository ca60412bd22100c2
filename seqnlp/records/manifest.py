"""The manifest that vouches for prepared examples."""

import contextlib
import hashlib
import json
import os

from seqnlp.records.columns import task_columns
from seqnlp.records.parquet import read_parquet
from seqnlp.records.tfrecord import read_tfrecord

SPLITS = ("train", "eval", "test")
MANIFEST_FILE = "manifest.json"
# The formats of examples, and how the names of their files end.
OUTPUT_FORMATS = {"tfrecord": ".tfrecord.gz", "parquet": ".parquet"}
_CHUNK_BYTES = 1 << 20


class Manifest:
    """What a finished preparation says of itself.

    Args:
        folder: Folder of the prepared examples.
        content: Dict, as manifest.json holds it.

    Attributes:
        folder: The folder.
        task: Name of what the examples are for.
        inputs: Dict from split to the list of its input files.
        options: Dict of the options of the preparation.
        label: Name of the sentences' label, or None where they have none.
        output_format: One of `OUTPUT_FORMATS`, that of the examples.
        versions: Dict of the versions of what made it.
        content: The whole dict.
    """

    def __init__(self, folder, content):
        self.folder = folder
        self.content = content
        self.task = content["task"]
        self.inputs = content["inputs"]
        self.options = content["options"]
        self.versions = content["versions"]
        self.output_format = self.options.get("output_format", "tfrecord")
        self.label = self.options.get("layout", {}).get("label")
        self._shards = content["shards"]
        self._check_format()

    def shards(self, split):
        """Paths of the files of one of `SPLITS`, in order."""
        self._check_split(split)
        return [os.path.join(self.folder, shard["file"]) for shard in self._shards[split]]

    def records(self, split):
        """Number of examples of one of `SPLITS`."""
        self._check_split(split)
        return sum(shard["records"] for shard in self._shards[split])

    @property
    def statistics(self):
        """Dict, as statistics.json holds it."""
        with open(os.path.join(self.folder, "statistics.json"), encoding="utf-8") as file:
            return json.load(file)

    def verify(self):
        """Compares every file with the manifest.

        Raises:
            ValueError: A file is missing or differs. For a damaged shard the message also
                names the first bad record and its position.
        """
        entries = [entry for split in SPLITS for entry in self._shards[split]]
        for entry in [*entries, *self.content["files"]]:
            path = os.path.join(self.folder, entry["file"])
            if not os.path.isfile(path):
                raise ValueError(
                    f"{path}: expected the file that {MANIFEST_FILE} lists. Received: "
                    f"{self._what_is_there(path)}. Run the preparation again."
                )
            expected = (entry["bytes"], entry["sha256"])
            received = (os.path.getsize(path), _sha256(path))
            if received != expected:
                damage = self._first_damage(path)
                raise ValueError(
                    f"{path}: expected {expected[0]} bytes with SHA-256 {expected[1]}. Received: "
                    f"{received[0]} bytes with SHA-256 {received[1]}.{damage} Run the "
                    "preparation again."
                )

    def _check_split(self, split):
        if split not in SPLITS:
            raise ValueError(
                f"`split` must be one of {', '.join(SPLITS)}. Received: split={split!r}"
            )

    def _check_format(self):
        if self.output_format not in OUTPUT_FORMATS:
            raise ValueError(f"output_format {self.output_format!r}")
        ending = OUTPUT_FORMATS[self.output_format]
        for entry in (entry for entries in self._shards.values() for entry in entries):
            if not entry["file"].endswith(ending):
                raise ValueError(f"output_format {self.output_format!r} and {entry['file']}")

    def _what_is_there(self, path):
        """The file of another format where `path` should be, or none."""
        base = path.removesuffix(OUTPUT_FORMATS[self.output_format])
        others = (base + ending for ending in OUTPUT_FORMATS.values())
        return next((other for other in others if os.path.isfile(other)), "no file")

    def _first_damage(self, path):
        """What a reader says of the first bad record of a shard, as a sentence, or nothing."""
        if path.endswith(OUTPUT_FORMATS["parquet"]):
            records = read_parquet(path, task_columns(self.task, self.options))
        elif path.endswith(OUTPUT_FORMATS["tfrecord"]):
            records = read_tfrecord(path)
        else:
            return ""
        with contextlib.suppress(OSError, ImportError):
            try:
                for _ in records:
                    pass
            except ValueError as error:
                return f" First damage: {str(error).rstrip('.')}."
        return ""


def read_manifest(folder, verify=True, task=None):
    """The manifest of a finished preparation.

    Args:
        folder: Folder that `prepare_tagging` or `prepare_translation` wrote.
        verify: Whether every file is read and compared with the manifest.
        task: Name of the task that the examples must be for, or None for any.

    Returns:
        A `Manifest`.

    Raises:
        ValueError: There is no manifest, it cannot be understood, it is of another task, or a
            file differs from it.
    """
    folder = os.fspath(folder)
    path = os.path.join(folder, MANIFEST_FILE)
    if not os.path.isdir(folder):
        raise ValueError(
            "`folder` must be a folder of prepared examples, and there is none: run the "
            f"preparation first. Received: folder={folder!r}"
        )
    if not os.path.isfile(path):
        raise ValueError(
            f"`folder` must hold {MANIFEST_FILE}, which is written last: the preparation did "
            f"not finish. Run it again into the same folder. Received: folder={folder!r}"
        )
    try:
        with open(path, encoding="utf-8") as file:
            manifest = Manifest(folder, json.load(file))
        if set(manifest.content["shards"]) != set(SPLITS):
            raise ValueError(f"shards of {sorted(manifest.content['shards'])}")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected a manifest of prepared examples; run the preparation again. "
            f"Received: {type(error).__name__}: {error}"
        ) from None
    if task not in (None, manifest.task):
        raise ValueError(
            f"`folder` must hold examples for {task}, and these are for {manifest.task}. "
            f"Received: folder={folder!r}"
        )
    if verify:
        manifest.verify()
    return manifest


def _sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()
