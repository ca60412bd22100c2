"""From prepared windows of questions to batches for `fit`."""

from typing import NamedTuple

import numpy as np

from seqnlp.records.batches import bucket_lengths, check_least, checked_lengths
from seqnlp.records.bucketed_batches import BucketedBatches, bucket_steps
from seqnlp.records.columns import WINDOW_COLUMNS
from seqnlp.records.manifest import read_manifest
from seqnlp.records.ragged import dense


class QuestionPlan(NamedTuple):
    """The arguments of `question_batches`, checked, with what they come to for one split.

    Fields:
        files: Paths of the split's files.
        output_format: One of `OUTPUT_FORMATS`, that of the files.
        steps: Batches an epoch.
        lengths: Sorted array of the lengths that windows are padded to.
        sizes: Array of the rows of a batch of each length.
        in_order: Whether windows keep their order, whatever their lengths.
        pool_size: Windows that are shuffled together.
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


def question_batches(
    folder,
    split,
    batch_size=32,
    *,
    seed=None,
    first_epoch=0,
    num_epochs=1,
    lengths=None,
    pool=32_768,
):
    """Batches for `fit`, `evaluate` and `predict` of a `seqnlp.models.BERTSpanExtractor`.

    With a seed, a batch has windows of about the same length. The order of an epoch depends on
    the seed and the number of the epoch alone: a run resumed at `first_epoch=k` goes on as the
    uninterrupted one would. Without a seed, windows keep the order of the files, which is that of
    `read_questions`. All are padded to one of few lengths; a batch that has fewer rows is filled
    up with rows of padding of weight 0. Parquet and TFRecord give equal batches.

    Args:
        folder: Folder that `prepare_question_answering` wrote.
        split: One of `SPLITS`.
        batch_size: Windows of a batch.
        seed: Seed of the order, or None to keep the order of the files.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs; None repeats for ever.
        lengths: Padded lengths to choose from; None takes `bucket_lengths` of the split, 4.
        pool: Windows shuffled together.

    Returns:
        A `tf.data.Dataset` of TFRecord examples; `QuestionBatches`, an iterable of NumPy arrays
        made without TensorFlow, of Parquet examples. Of either an element is `(inputs, labels,
        sample_weight)`: `inputs` a dict of int32 `token_ids` and `segment_ids` `(batch, length)`;
        `labels` a dict of int32 `start` and `end` `(batch,)`, the places of the first and the
        last token of the answer, 0 where the window holds none; `sample_weight` a dict of the
        same names, float32 `(batch,)`. Padding is 0.

    Raises:
        ValueError: An argument is out of range, no length fits the longest window, or the folder
            was not prepared to its end.
    """
    check_least(batch_size=batch_size, pool=pool, num_epochs=num_epochs)
    manifest = read_manifest(folder, verify=False, task="question_answering")
    statistics = manifest.statistics
    if lengths is None:
        lengths = bucket_lengths(statistics, 4, [split])
    lengths = np.array(checked_lengths(lengths, manifest, split, "window"))
    sizes, steps = np.full(len(lengths), batch_size), -(-manifest.records(split) // batch_size)
    if seed is not None:
        histogram = statistics["splits"][split]["lengths"]["histogram"]
        steps = bucket_steps(lengths, sizes, histogram)
    plan = QuestionPlan(
        files=manifest.shards(split),
        output_format=manifest.output_format,
        steps=steps,
        lengths=lengths,
        sizes=sizes,
        in_order=seed is None,
        pool_size=pool,
        seed=seed,
        first_epoch=first_epoch,
        num_epochs=num_epochs,
    )
    batches = QuestionBatches(plan)
    return batches if manifest.output_format == "parquet" else batches.dataset()


class QuestionBatches(BucketedBatches):
    """Batches of NumPy arrays, made anew each time it is iterated.

    `question_batches` makes it.

    Args:
        plan: `QuestionPlan`.
    """

    columns = WINDOW_COLUMNS

    def row_lengths(self, table):
        """Ids of each window."""
        return table.columns["token_ids"].lengths

    def batch(self, rows, bucket):
        """The rows of a table, padded to the length and the size of a bucket."""
        size, places = self.plan.sizes[bucket], np.arange(self.plan.lengths[bucket])

        def filled(values):
            return np.pad(np.asarray(values, "int32"), (0, size - len(values)))

        first_length, start, end = (filled(rows.columns[n].values) for n in self.columns[1:])
        ids = rows.columns["token_ids"]
        token_ids = dense(ids.values, places < filled(ids.lengths)[:, None])
        segment_ids = (places >= first_length[:, None]) & (token_ids != 0)
        inputs = {"token_ids": token_ids, "segment_ids": segment_ids.astype("int32")}
        weight = (np.arange(size) < len(rows)).astype("float32")
        return inputs, {"start": start, "end": end}, {"start": weight, "end": weight}

    def signature(self):
        """The `tf.TensorSpec`s of a batch, see `ArrayBatches`."""
        import tensorflow as tf

        size = int(self.plan.sizes[0])
        ids = tf.TensorSpec((size, None), tf.int32)
        inputs = {"token_ids": ids, "segment_ids": ids}
        labels, weights = (
            dict.fromkeys(("start", "end"), tf.TensorSpec((size,), dtype))
            for dtype in (tf.int32, tf.float32)
        )
        return inputs, labels, weights
