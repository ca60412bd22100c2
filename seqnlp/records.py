"""Prepared examples on disk: TFRecord files and the manifest that vouches for them."""

import contextlib
import gzip
import hashlib
import json
import os
import struct
import zlib

import numpy as np

SPLITS = ("train", "eval", "test")
MANIFEST_FILE = "manifest.json"
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


class Manifest:
    """What a finished preparation says of itself.

    Args:
        folder: Folder of the prepared examples.
        content: Dict, as manifest.json holds it.

    Attributes:
        folder: The folder.
        inputs: Dict from split to the list of its input files.
        options: Dict of the options of the preparation.
        versions: Dict of the versions of what made it.
        content: The whole dict.
    """

    def __init__(self, folder, content):
        self.folder = folder
        self.content = content
        self.inputs = content["inputs"]
        self.options = content["options"]
        self.versions = content["versions"]
        self._shards = content["shards"]

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
                    f"{path}: expected the file that {MANIFEST_FILE} lists. Received: no file. "
                    "Run the preparation again."
                )
            expected = (entry["bytes"], entry["sha256"])
            received = (os.path.getsize(path), _sha256(path))
            if received != expected:
                damage = _first_damage(path) if path.endswith(".tfrecord.gz") else ""
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


def read_manifest(folder, verify=True):
    """The manifest of a finished preparation.

    Args:
        folder: Folder that `prepare_tagging` wrote.
        verify: Whether every file is read and compared with the manifest.

    Returns:
        A `Manifest`.

    Raises:
        ValueError: There is no manifest, it cannot be understood, or a file differs from it.
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
    if verify:
        manifest.verify()
    return manifest


def read_sentences(folder, split):
    """Yields the sentences of a split as text, in the order of the files.

    Args:
        folder: Folder that `prepare_tagging` wrote.
        split: One of `SPLITS`.

    Yields:
        `(tokens, tags)`, two lists of `str`.

    Raises:
        ValueError: As `read_manifest` and `read_tfrecord` raise it.
    """
    from tensorflow.train import Example

    manifest = read_manifest(folder, verify=False)
    with open(os.path.join(folder, "tags.txt"), encoding="utf-8") as file:
        names = file.read().split("\n")
    for path in manifest.shards(split):
        for payload in read_tfrecord(path):
            features = Example.FromString(payload).features.feature
            tokens = [token.decode() for token in features["tokens"].bytes_list.value]
            yield tokens, [names[index] for index in features["tag_ids"].int64_list.value]


def _first_damage(path):
    """What `read_tfrecord` says of the first bad record, as a sentence, or nothing."""
    with contextlib.suppress(OSError):
        try:
            for _ in read_tfrecord(path):
                pass
        except ValueError as error:
            return f" First damage: {error}."
    return ""


def _sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def bucket_lengths(statistics, count=8):
    """The padded lengths, at most `count`, that waste the least padding.

    Args:
        statistics: Dict, as statistics.json holds it.
        count: Most lengths to choose: each is one compilation under XLA.

    Returns:
        Sorted list of `int`; the last is the length of the longest sentence of all splits.

    Raises:
        ValueError: `count` is less than 1.
    """
    if count < 1:
        raise ValueError(f"`count` must be at least 1. Received: count={count}")
    histogram = {}
    for split in SPLITS:
        for length, sentences in statistics["splits"][split]["lengths"]["histogram"]:
            histogram[length] = histogram.get(length, 0) + sentences
    lengths = np.array(sorted(histogram))
    below = np.cumsum([0] + [histogram[length] for length in lengths])
    # cost[i]: least padded tokens of the sentences up to lengths[i - 1], with k lengths.
    cost, cuts = np.where(np.arange(len(lengths) + 1) == 0, 0, np.inf), []
    for _ in range(min(count, len(lengths))):
        # option[i, j]: sentences from lengths[j] to lengths[i] are padded to lengths[i].
        option = cost[None, :-1] + lengths[:, None] * (below[1:, None] - below[None, :-1])
        option = np.where(np.tri(len(lengths), dtype=bool), option, np.inf)
        cuts.append(np.argmin(option, axis=1))
        cost = np.concatenate([[0], np.min(option, axis=1)])
    chosen, end = [], len(lengths)
    for cut in reversed(cuts):
        if end:
            chosen.append(int(lengths[end - 1]))
            end = cut[end - 1]
    return chosen[::-1]


def tagging_batches(
    folder,
    split,
    batch_size,
    *,
    seed=None,
    first_epoch=0,
    num_epochs=1,
    lengths=None,
    characters=True,
    pool=64,
):
    """Batches for `fit`, `evaluate` and `predict`.

    With a seed, `pool * batch_size` sentences at a time are sorted by length, so that batches
    hold little padding, and the batches of a pool are shuffled. The order of an epoch depends
    on the seed and the number of the epoch alone: a run resumed at `first_epoch=k` goes on as
    the uninterrupted one would. Without a seed, sentences keep the order of the files.

    Args:
        folder: Folder that `prepare_tagging` wrote.
        split: One of `SPLITS`.
        batch_size: Sentences a batch.
        seed: Seed of the order, or None to keep the order of the files.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs; None repeats for ever.
        lengths: Padded lengths to choose from (`bucket_lengths`). Shapes are then fixed: the
            last batch is filled up with rows of weight 0. None pads to the longest of a batch.
        characters: Whether the inputs hold `char_ids`.
        pool: Batches sorted together.

    Returns:
        `tf.data.Dataset` of `(inputs, tags, sample_weight)`: `inputs` a dict of int32
        `word_ids` `(batch, time)` and `char_ids` `(batch, time, characters)`, int32 `tags`
        `(batch, time)`, float32 `sample_weight` `(batch,)`. Padding is 0.

    Raises:
        ValueError: An argument is out of range, no length fits the longest sentence, or
            the folder was not prepared to its end.
    """
    import tensorflow as tf

    for name, value in (("batch_size", batch_size), ("pool", pool), ("num_epochs", num_epochs)):
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
    manifest = read_manifest(folder, verify=False)
    if lengths is not None:
        lengths = _check_lengths(lengths, manifest, split)
    characters = characters and manifest.options["characters"]
    max_word_length = manifest.options["max_word_length"] if lengths else None
    files, size = tf.constant(manifest.shards(split)), pool * batch_size

    def sentences(epoch):
        if seed is None:
            return tf.data.TFRecordDataset(files, "GZIP").batch(size)
        # Seeds this function's graph alone: the global seed must not reach the shuffle.
        tf.random.set_seed(2 * seed + 1)  # not 0, which shuffle cannot take here
        order = tf.random.experimental.stateless_shuffle(files, _key(seed, epoch))
        records = tf.data.TFRecordDataset(order, "GZIP")
        return records.shuffle(size, seed=epoch, reshuffle_each_iteration=False).batch(size)

    def numbered(epoch):
        return sentences(epoch).enumerate().map(lambda index, pooled: (epoch, index, pooled))

    def batches(epoch, index, pooled):
        parsed = _parse(pooled, characters)
        rows = tf.range(parsed["word_ids"].nrows())
        starts = tf.range(0, tf.size(rows), batch_size)
        if seed is not None:
            key = _key(seed, epoch, index)
            rows = _by_length(parsed["word_ids"].row_lengths(), key)
            starts = tf.random.experimental.stateless_shuffle(starts, key)
        return tf.data.Dataset.from_tensor_slices(starts).map(
            lambda start: _dense_batch(
                parsed, rows[start : start + batch_size], batch_size, lengths, max_word_length
            )
        )

    last = np.iinfo(np.int64).max if num_epochs is None else first_epoch + num_epochs
    dataset = tf.data.Dataset.range(first_epoch, last).flat_map(numbered).flat_map(batches)
    steps = -(-manifest.records(split) // batch_size)
    infinite = tf.data.INFINITE_CARDINALITY
    steps = infinite if num_epochs is None else steps * num_epochs
    return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)


def _check_lengths(lengths, manifest, split):
    lengths = sorted(lengths)
    longest = manifest.statistics["splits"][split]["lengths"]["max"]
    if not lengths or lengths[0] < 1 or lengths[-1] < longest:
        raise ValueError(
            f"`lengths` must hold positive lengths, the last at least {longest}, the longest "
            f"sentence of {split}. Received: lengths={lengths}"
        )
    return lengths


def _key(seed, epoch, index=0):
    """Two integers for stateless random operations."""
    import tensorflow as tf

    step = tf.cast(epoch, tf.int64) * 1_000_003 + tf.cast(index, tf.int64)
    return tf.stack([tf.constant(seed, tf.int64), step])


def _parse(serialized, characters):
    """Serialised Examples `(examples,)` -> dict of ragged ids, a row an example."""
    import tensorflow as tf

    feature = tf.io.RaggedFeature
    features = {name: feature(tf.int64) for name in ("word_ids", "tag_ids")}
    if characters:
        partitions = [feature.RowLengths("char_counts")]
        features["char_ids"] = feature(tf.int64, "char_ids", partitions)
    return tf.io.parse_example(serialized, features)


def _by_length(lengths, key):
    """Rows sorted by length, those of nearly the same length in random order."""
    import tensorflow as tf

    noise = tf.random.stateless_uniform(tf.shape(lengths), key, maxval=1.5)
    return tf.argsort(tf.cast(lengths, tf.float32) + noise)


def _dense_batch(parsed, rows, batch_size, lengths, max_word_length):
    """`rows` of ragged ids -> `(inputs, tags, sample_weight)`, padded with 0."""
    import tensorflow as tf

    words = tf.gather(parsed["word_ids"], rows)
    time = size = None
    if lengths is not None:
        size, longest = batch_size, tf.reduce_max(words.row_lengths())
        choices = tf.constant(lengths, longest.dtype)
        time = tf.gather(choices, tf.searchsorted(choices, [longest])[0])

    def dense(ids, *inner):
        return tf.cast(ids.to_tensor(shape=[size, time, *inner]), tf.int32)

    inputs = {"word_ids": dense(words)}
    if "char_ids" in parsed:
        inputs["char_ids"] = dense(tf.gather(parsed["char_ids"], rows), max_word_length)
    tags = dense(tf.gather(parsed["tag_ids"], rows))
    real = tf.range(tf.shape(tags)[0]) < tf.size(rows)
    return inputs, tags, tf.cast(real, tf.float32)
