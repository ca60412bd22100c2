"""From prepared pairs of sentences to batches for `fit`."""

from typing import NamedTuple

import numpy as np

from seqnlp.records.batches import bucket_lengths, check_least, checked_lengths
from seqnlp.records.bucketed_batches import BucketedBatches, bucket_steps
from seqnlp.records.manifest import read_manifest
from seqnlp.records.ragged import dense
from seqnlp.text.names import END_ID, START_ID

_COLUMNS = ("source_ids", "target_ids")


class TranslationPlan(NamedTuple):
    """The arguments of `translation_batches`, checked, with what they come to for one split.

    Fields:
        files: Paths of the split's files.
        output_format: One of `OUTPUT_FORMATS`, that of the files.
        steps: Batches an epoch.
        lengths: Sorted array of the lengths that both sides are padded to.
        sizes: Array of the rows of a batch of each length.
        in_order: Whether pairs keep their order, whatever their lengths.
        pool_size: Pairs that are shuffled together.
        seed: Seed of the order, or None.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs, or None for ever.
    """

    files: list
    output_format: str
    steps: int
    lengths: np.ndarray
    sizes: np.ndarray
    in_order: bool
    pool_size: int
    seed: int | None
    first_epoch: int
    num_epochs: int | None


def translation_batches(
    folder,
    split,
    batch_tokens=4096,
    *,
    batch_size=None,
    seed=None,
    first_epoch=0,
    num_epochs=1,
    lengths=None,
    pool=32_768,
):
    """Batches for `fit`, `evaluate` and decoding.

    A batch has pairs of about the same length, both sides padded to one of few lengths, and as
    many rows as `batch_tokens` allows at this length: few shapes, each compiled once. The last
    batch of a length is filled up with rows of padding of weight 0.

    The order of an epoch depends on the seed and the number of the epoch alone: a run resumed at
    `first_epoch=k` goes on as the uninterrupted one would. Parquet and TFRecord give equal
    batches.

    With a `batch_size` pairs keep the order of the files instead, which is that of `read_pairs`
    and, but for the training split, that of the lines that were prepared.

    Args:
        folder: Folder that `prepare_translation` wrote.
        split: One of `SPLITS`.
        batch_tokens: Most tokens of a batch on each side, padding included.
        batch_size: Pairs of every batch, which makes `batch_tokens` mean nothing; None sizes
            batches by their tokens.
        seed: Seed of the order, or None to take pairs in the order of the files.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs; None repeats for ever.
        lengths: Padded lengths to choose from; None takes `bucket_lengths` of the split, 8.
        pool: Pairs shuffled together.

    Returns:
        A `tf.data.Dataset` of TFRecord examples; `TranslationBatches`, an iterable of NumPy
        arrays made without TensorFlow, of Parquet examples. Of either an element is
        `(inputs, labels, sample_weight)`: `inputs` a dict of int32 `source_ids` (pieces and the
        end) and `target_ids` (the start and pieces), int32 `labels` (pieces and the end), all
        `(batch, length)`, float32 `sample_weight` `(batch,)`. Padding is 0.

    Raises:
        ValueError: An argument is out of range, no length fits the longest pair, or the folder
            was not prepared to its end.
    """
    check_least(batch_tokens=batch_tokens, batch_size=batch_size, pool=pool, num_epochs=num_epochs)
    if batch_size is not None and seed is not None:
        raise ValueError(
            "`seed` must be None with a `batch_size`, which keeps the order of the files. "
            f"Received: seed={seed}"
        )
    manifest = read_manifest(folder, verify=False, task="translation")
    files, statistics = manifest.shards(split), manifest.statistics
    if lengths is None:
        lengths = bucket_lengths(statistics, splits=[split])
    lengths = np.array(checked_lengths(lengths, manifest, split, "pair"))
    sizes, steps = _sizes(lengths, batch_tokens, batch_size, statistics["splits"][split])
    plan = TranslationPlan(
        files=files,
        output_format=manifest.output_format,
        steps=steps,
        lengths=lengths,
        sizes=sizes,
        in_order=batch_size is not None,
        pool_size=pool,
        seed=seed,
        first_epoch=first_epoch,
        num_epochs=num_epochs,
    )
    batches = TranslationBatches(plan)
    return batches if manifest.output_format == "parquet" else batches.dataset()


def _sizes(lengths, batch_tokens, batch_size, statistics):
    """Rows of a batch of each length, and the number of batches of an epoch."""
    if batch_size is not None:
        return np.full(len(lengths), batch_size), -(-statistics["pairs"] // batch_size)
    if batch_tokens < lengths[-1]:
        raise ValueError(
            f"`batch_tokens` must be at least {lengths[-1]}, the last of the padded lengths. "
            f"Received: batch_tokens={batch_tokens}"
        )
    sizes = batch_tokens // lengths
    return sizes, bucket_steps(lengths, sizes, statistics["lengths"]["histogram"])


class TranslationBatches(BucketedBatches):
    """Batches of NumPy arrays, made anew each time it is iterated.

    `translation_batches` makes it.

        batches = translation_batches(folder, "train", 4096, seed=0, num_epochs=None)
        model.fit(iter(batches), steps_per_epoch=500)  # JAX
        model.fit(batches.dataset(), steps_per_epoch=500)  # TensorFlow

    Args:
        plan: `TranslationPlan`.
    """

    columns = _COLUMNS

    def row_lengths(self, table):
        """The length that holds both sides of each pair, with start or end."""
        source, target = (table.columns[name].lengths for name in _COLUMNS)
        return np.maximum(source, target + 1)

    def signature(self):
        """The `tf.TensorSpec`s of a batch, see `ArrayBatches`."""
        import tensorflow as tf

        size = int(self.plan.sizes[0]) if len(set(self.plan.sizes.tolist())) == 1 else None
        ids, weight = tf.TensorSpec((size, None), tf.int32), tf.TensorSpec((size,), tf.float32)
        return dict.fromkeys(_COLUMNS, ids), ids, weight

    def batch(self, rows, bucket):
        """The rows of a table, padded to the length and the size of a bucket."""
        size, length = self.plan.sizes[bucket], self.plan.lengths[bucket]
        places = np.arange(length)

        def padded(column, begin=0):
            lengths = np.zeros(size, int)
            lengths[: len(rows)] = column.lengths
            return dense(column.values, (places >= begin) & (places < lengths[:, None] + begin))

        source, target = (rows.columns[name] for name in _COLUMNS)
        target_ids, labels = padded(target, begin=1), padded(target)
        real = np.arange(len(rows))
        target_ids[real, 0] = START_ID
        labels[real, target.lengths] = END_ID
        weight = (np.arange(size) < len(rows)).astype("float32")
        return {"source_ids": padded(source), "target_ids": target_ids}, labels, weight
