"""Grouping by way of files: Beam moves places in files, so that no runner holds the data."""

import collections
import io
import uuid
import zlib
from typing import NamedTuple

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.transforms.window import GlobalWindows

from seqnlp.preprocessing.shards import TEMPORARY, write_file

# Bytes held back before a file is written: this bounds the memory of a worker.
_HELD_BYTES = 1 << 25
_LENGTH_BYTES = 4


class Place(NamedTuple):
    """Where values of a key are: `size` bytes of the file `name` from byte `start` on."""

    name: str
    start: int
    size: int


class Spill(beam.DoFn):
    """`(key, bytes)` -> `(key, Place)`, one a key and file, the values in it compressed.

    Args:
        folder: Folder on a file system of Beam that all workers see. `remove_spilled` clears it.
    """

    def __init__(self, folder):
        self._folder = folder

    def start_bundle(self):
        """Begins to collect."""
        self._values, self._size = collections.defaultdict(list), 0

    def process(self, element):
        """Collects one value."""
        key, value = element
        self._values[key].append(len(value).to_bytes(_LENGTH_BYTES, "big") + value)
        self._size += len(value)
        if self._size >= _HELD_BYTES:
            yield from self._written()
            self.start_bundle()

    def finish_bundle(self):
        """Writes the rest."""
        if self._values:
            yield from map(GlobalWindows.windowed_value, self._written())

    def _written(self):
        name = f"{TEMPORARY}spill-{uuid.uuid4().hex}"
        places = []

        def write(file):
            for key, values in self._values.items():
                data = zlib.compress(b"".join(values), 1)
                start = places[-1][1].start + places[-1][1].size if places else 0
                places.append((key, Place(name, start, len(data))))
                file.write(data)

        write_file(self._folder, name, write)
        return places


def read_spilled(folder, places):
    """Yields the values at an iterable of `Place`s."""
    for place in places:
        path = FileSystems.join(folder, place.name)
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            file.seek(place.start)
            data = io.BytesIO(zlib.decompress(file.read(place.size)))
        while length := data.read(_LENGTH_BYTES):
            yield data.read(int.from_bytes(length, "big"))


def remove_spilled(folder):
    """Removes the files of `Spill`."""
    pattern = FileSystems.join(folder, f"{TEMPORARY}spill-*")
    paths = [item.path for item in FileSystems.match([pattern])[0].metadata_list]
    if paths:
        FileSystems.delete(paths)
