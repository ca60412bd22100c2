"""From prepared texts and pairs of texts to batches for `fit`."""

from typing import NamedTuple

import numpy as np

from seqnlp.records.array_batches import ArrayBatches, pools
from seqnlp.records.batches import bucket_lengths, check_least, checked_lengths
from seqnlp.records.columns import task_columns
from seqnlp.records.manifest import read_manifest
from seqnlp.records.ragged import concatenate, dense, tables_of


class ClassificationPlan(NamedTuple):
    """The arguments of `classification_batches`, checked, with what they come to for one split.

    Fields:
        files: Pairs of the path of a file of the split and how many of its first rows are read.
        output_format: One of `OUTPUT_FORMATS`, that of the files.
        columns: Names of the columns that are read, the label the last.
        steps: Batches an epoch.
        batch_size: Rows of a batch.
        lengths: Sorted array of the lengths that rows are padded to.
        pool_size: Examples that are sorted together.
        seed: Seed of the order, or None.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs, or None for ever.
    """

    files: list
    output_format: str
    columns: tuple
    steps: int
    batch_size: int
    lengths: np.ndarray
    pool_size: int
    seed: int | None
    first_epoch: int
    num_epochs: int | None


def classification_batches(
    folder,
    split,
    batch_size=32,
    *,
    lengths=None,
    seed=None,
    first_epoch=0,
    num_epochs=1,
    pool=64,
    most=None,
):
    """Batches for `fit` and `evaluate` of a `BERTClassifier` or a `BERTRegressor`.

    All have `batch_size` rows of one of few lengths; the last one is filled up with rows of
    padding of weight 0. With a seed, `pool * batch_size` examples at a time are sorted by
    length, so that batches hold little padding, and the batches of a pool are shuffled. The order
    of an epoch depends on the seed and the number of the epoch alone: a run resumed at
    `first_epoch=k` goes on as the uninterrupted one would. Without a seed, examples keep the order
    of the files. Parquet and TFRecord give equal batches.

    Args:
        folder: Folder that `prepare_classification` wrote.
        split: One of `SPLITS`.
        batch_size: Examples of a batch.
        lengths: Padded lengths to choose from; None takes `bucket_lengths` of the split, 8.
        seed: Seed of the order, or None to keep the order of the files.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs; None repeats for ever.
        pool: Batches sorted together.
        most: Number of the examples that are read, the first ones by a hash of their content, of
            each file of the split as many as of the others; None reads all.

    Returns:
        A `tf.data.Dataset` of TFRecord examples; `ClassificationBatches`, an iterable of NumPy
        arrays made without TensorFlow, of Parquet examples. Of either an element is `(inputs,
        labels, sample_weight)`: `inputs` a dict of int32 `token_ids` and `segment_ids` `(batch,
        length)`, `labels` int32 `(batch,)`, of regression float32, and float32 `sample_weight`
        `(batch,)`. Padding is 0.

    Raises:
        ValueError: An argument is out of range, no length fits the longest example, or the folder
            was not prepared to its end.
    """
    check_least(batch_size=batch_size, pool=pool, num_epochs=num_epochs, most=most)
    manifest = read_manifest(folder, verify=False, task="classification")
    if lengths is None:
        lengths = bucket_lengths(manifest.statistics, splits=[split])
    rows = first_rows([shard["records"] for shard in manifest.content["shards"][split]], most)
    plan = ClassificationPlan(
        files=list(zip(manifest.shards(split), rows, strict=True)),
        output_format=manifest.output_format,
        columns=task_columns(manifest.task, manifest.options)[-3:],
        steps=-(-sum(rows) // batch_size),
        batch_size=batch_size,
        lengths=np.array(checked_lengths(lengths, manifest, split, "example")),
        pool_size=pool * batch_size,
        seed=seed,
        first_epoch=first_epoch,
        num_epochs=num_epochs,
    )
    batches = ClassificationBatches(plan)
    return batches if manifest.output_format == "parquet" else batches.dataset()


def first_rows(counts, most=None):
    """How many rows of each file are read so that they are `most` in all, evenly.

    Args:
        counts: List of the rows of each file.
        most: Number of rows in all; None, or more than there are, reads every row.
    """
    if most is None or most >= sum(counts):
        return list(counts)
    rows, left = [0] * len(counts), most
    shortest_first = sorted(range(len(counts)), key=lambda at: counts[at])
    for done, at in enumerate(shortest_first):
        rows[at] = min(counts[at], left // (len(counts) - done))
        left -= rows[at]
    return rows


class ClassificationBatches(ArrayBatches):
    """Batches of NumPy arrays, made anew each time it is iterated.

    `classification_batches` makes it.

    Args:
        plan: `ClassificationPlan`.
    """

    def epoch(self, random):
        """Yields `(inputs, labels, sample_weight)`, see `ArrayBatches`."""
        rest = None
        for pool in pools(self._tables(random), self.plan.pool_size, random, concatenate):
            rows = pool if rest is None else concatenate([rest, pool])
            if random is not None:
                rows = rows.take(np.argsort(rows.columns["token_ids"].lengths, kind="stable"))
            whole = len(rows) // self.plan.batch_size
            order = range(whole) if random is None else random.permutation(whole)
            for at in order:
                start = at * self.plan.batch_size
                yield self._batch(rows[start : start + self.plan.batch_size])
            rest = rows[whole * self.plan.batch_size :]
        if rest is not None and len(rest):
            yield self._batch(rest)

    def signature(self):
        """The `tf.TensorSpec`s of a batch, see `ArrayBatches`."""
        import tensorflow as tf

        size = self.plan.batch_size
        ids = tf.TensorSpec((size, None), tf.int32)
        kind = tf.float32 if self.plan.columns[-1] == "value" else tf.int32
        inputs = {"token_ids": ids, "segment_ids": ids}
        return inputs, tf.TensorSpec((size,), kind), tf.TensorSpec((size,), tf.float32)

    def _tables(self, random):
        files, plan = self.plan.files, self.plan
        for at in range(len(files)) if random is None else random.permutation(len(files)):
            path, left = files[at]
            for table in tables_of(path, plan.output_format, plan.columns):
                yield table[:left]
                left -= min(left, len(table))
                if not left:
                    break

    def _batch(self, rows):
        plan, ids = self.plan, rows.columns["token_ids"]
        length = plan.lengths[np.searchsorted(plan.lengths, ids.lengths.max())]
        places = np.arange(length)
        token_ids = dense(ids.values, places < self._filled(ids.lengths)[:, None])
        first = self._filled(rows.columns["first_length"].values)
        segment_ids = (places >= first[:, None]) & (token_ids != 0)
        inputs = {"token_ids": token_ids, "segment_ids": segment_ids.astype("int32")}
        labels = self._filled(rows.columns[plan.columns[-1]].values)
        return inputs, labels, (np.arange(plan.batch_size) < len(rows)).astype("float32")

    def _filled(self, values):
        kind = "float32" if values.dtype == "float32" else "int32"
        return np.pad(values.astype(kind), (0, self.plan.batch_size - len(values)))
