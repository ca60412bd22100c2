"""Reading files in Beam, as they are on their file system, one work item at a time."""

import contextlib

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from seqnlp.preprocessing.rejects import NAMESPACE, Reject, add_reject
from seqnlp.preprocessing.running import collect_less
from seqnlp.preprocessing.streams import HashedStream


class ReadFiles(beam.PTransform):
    """Reads groups of files; the files of a group are read together.

    Args:
        groups: List of tuples of paths on any file system of Beam.
        read: Function of the streams of a group and then of its paths, which yields records
            and `Reject`s.
        name: What the records are called: the key of the output and the name of the metric.

    Returns:
        Dict of PCollections: `name` of records, `rejects` of `Reject` and `inputs` of dicts with
        the name, size and SHA-256 of each file, and how many records and rejects were `read`
        from it, of a group at its first file.
    """

    def __init__(self, groups, read, name):
        super().__init__()
        self._groups = list(groups)
        self._read = read
        self._name = name

    def expand(self, root):
        """Applies the transform to the root of a pipeline."""
        outputs = (
            root
            | "Files" >> beam.Create(self._groups, reshuffle=True)
            | "Read"
            >> beam.ParDo(_ReadGroup(self._read, self._name)).with_outputs(
                "rejects", "inputs", main=self._name
            )
        )
        return {name: outputs[name] for name in (self._name, "rejects", "inputs")}


class _ReadGroup(beam.DoFn):
    """Tuple of paths -> records; tagged `rejects` and `inputs`, see `ReadFiles`."""

    def __init__(self, read, name):
        self._read = read
        self._records = Metrics.counter(NAMESPACE, name)

    def setup(self):
        collect_less()

    def process(self, paths):
        with contextlib.ExitStack() as opened:
            streams = [HashedStream(opened.enter_context(_open(path))) for path in paths]
            count = rejects = 0
            for item in self._read(*streams, *paths):
                if isinstance(item, Reject):
                    rejects += 1
                    yield add_reject(item)
                else:
                    count += 1
                    yield item
            self._records.inc(count)
            entries = [
                {
                    "file": base_name(path),
                    "sha256": stream.sha256(),
                    "bytes": stream.size,
                    "read": 0,
                }
                for path, stream in zip(paths, streams, strict=True)
            ]
        entries[0]["read"] = count + rejects
        for entry in entries:
            yield beam.pvalue.TaggedOutput("inputs", entry)


def base_name(path):
    """The last part of a path, whatever its file system writes between the parts."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _open(path):
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
