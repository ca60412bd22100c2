"""From prepared examples to batches for `fit`, and back to text."""

import os

import numpy as np

from seqnlp.records.manifest import SPLITS, read_manifest
from seqnlp.records.tfrecord import read_tfrecord


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

    _check_least(batch_size=batch_size, pool=pool, num_epochs=num_epochs)
    manifest = read_manifest(folder, verify=False)
    lengths = None if lengths is None else _check_lengths(lengths, manifest, split)
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
    steps = tf.data.INFINITE_CARDINALITY if num_epochs is None else steps * num_epochs
    return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)


def _check_least(**arguments):
    for name, value in arguments.items():
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")


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
