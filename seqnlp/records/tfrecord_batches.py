"""Batches of TFRecord examples: a tf.data pipeline."""

import numpy as np

from seqnlp.records.tfrecord import import_tensorflow


def tfrecord_batches(plan):
    """A `tf.data.Dataset`, see `tagging_batches`, which gives the `BatchPlan`."""
    tf = import_tensorflow()
    files = tf.constant(plan.files)

    def numbered(epoch):
        pools = _records(files, plan.pool_size, plan.seed, epoch).batch(plan.pool_size)
        return pools.enumerate().map(lambda index, pooled: (epoch, index, pooled))

    last = np.iinfo(np.int64).max
    steps = tf.data.INFINITE_CARDINALITY
    if plan.num_epochs is not None:
        last, steps = plan.first_epoch + plan.num_epochs, plan.steps * plan.num_epochs
    dataset = tf.data.Dataset.range(plan.first_epoch, last).flat_map(numbered)
    dataset = dataset.flat_map(lambda *pool: _pool_batches(plan, *pool))
    return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)


def _pool_batches(plan, epoch, index, pooled):
    """A dataset of the batches of a pool: by length where there is a seed, else in its order."""
    import tensorflow as tf

    parsed = _parse(pooled, plan.characters, plan.label)
    rows = tf.range(parsed["word_ids"].nrows())
    starts = tf.range(0, tf.size(rows), plan.batch_size)
    if plan.seed is not None:
        key = _key(plan.seed, epoch, index)
        rows = _by_length(parsed["word_ids"].row_lengths(), key)
        starts = tf.random.experimental.stateless_shuffle(starts, key)
    return tf.data.Dataset.from_tensor_slices(starts).map(
        lambda start: _dense_batch(parsed, rows[start : start + plan.batch_size], plan)
    )


def _records(files, size, seed, epoch):
    """The serialised Examples of an epoch, shuffled over `size` of them where there is a seed."""
    import tensorflow as tf

    if seed is None:
        return tf.data.TFRecordDataset(files, "GZIP")
    # Seeds the graph of the function that calls: the global seed must not reach the shuffle.
    tf.random.set_seed(2 * seed + 1)  # not 0, which shuffle cannot take here
    order = tf.random.experimental.stateless_shuffle(files, _key(seed, epoch))
    records = tf.data.TFRecordDataset(order, "GZIP")
    return records.shuffle(size, seed=epoch, reshuffle_each_iteration=False)


def _key(seed, epoch, index=0):
    """Two integers for stateless random operations."""
    import tensorflow as tf

    step = tf.cast(epoch, tf.int64) * 1_000_003 + tf.cast(index, tf.int64)
    return tf.stack([tf.constant(seed, tf.int64), step])


def _parse(serialized, characters, label):
    """Serialised Examples `(examples,)` -> dict of ragged ids, a row an example."""
    import tensorflow as tf

    feature = tf.io.RaggedFeature
    names = ("word_ids", "tag_ids", *(("label_id",) if label else ()))
    features = {name: feature(tf.int64) for name in names}
    if characters:
        partitions = [feature.RowLengths("char_counts")]
        features["char_ids"] = feature(tf.int64, "char_ids", partitions)
    return tf.io.parse_example(serialized, features)


def _by_length(lengths, key):
    """Rows sorted by length, those of nearly the same length in random order."""
    import tensorflow as tf

    noise = tf.random.stateless_uniform(tf.shape(lengths), key, maxval=1.5)
    return tf.argsort(tf.cast(lengths, tf.float32) + noise)


def _dense_batch(parsed, rows, plan):
    """`rows` of ragged ids -> `(inputs, tags, sample_weight)`, see `tagging_batches`."""
    import tensorflow as tf

    words = tf.gather(parsed["word_ids"], rows)
    time = size = None
    if plan.lengths is not None:
        size, longest = plan.batch_size, tf.reduce_max(words.row_lengths())
        choices = tf.constant(plan.lengths, longest.dtype)
        time = tf.gather(choices, tf.searchsorted(choices, [longest])[0])

    def dense(ids, *inner):
        return tf.cast(ids.to_tensor(shape=[size, time, *inner]), tf.int32)

    inputs = {"word_ids": dense(words)}
    if "char_ids" in parsed:
        inputs["char_ids"] = dense(tf.gather(parsed["char_ids"], rows), plan.max_word_length)
    tags = dense(tf.gather(parsed["tag_ids"], rows))
    real = tf.range(tf.shape(tags)[0]) < tf.size(rows)
    if "label_id" in parsed:
        labels = tf.gather(parsed["label_id"], rows).to_tensor(shape=[size, 1])
        tags = {"tags": tags, "label": tf.cast(labels[:, 0], tf.int32)}
    return inputs, tags, tf.cast(real, tf.float32)
