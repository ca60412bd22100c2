"""Batches of Parquet examples, with NumPy and pyarrow alone."""

import numpy as np

from seqnlp.records.array_batches import ArrayBatches, pools
from seqnlp.records.columns import TEXT_COLUMNS, example_columns
from seqnlp.records.parquet import import_pyarrow, read_parquet
from seqnlp.records.ragged import Ragged, dense


class ParquetBatches(ArrayBatches):
    """Batches of NumPy arrays, made anew each time it is iterated.

    `tagging_batches` makes it.

        batches = tagging_batches(folder, "train", 32, seed=0, num_epochs=None)
        model.fit(iter(batches), steps_per_epoch=500)  # JAX
        model.fit(batches.dataset(), steps_per_epoch=500)  # TensorFlow

    Args:
        plan: `BatchPlan`.
    """

    def __init__(self, plan):
        super().__init__(plan)
        names = example_columns(plan.characters, plan.label)
        self._columns = [name for name in names if name not in TEXT_COLUMNS]

    def epoch(self, random):
        """Yields `(inputs, tags, sample_weight)`, see `ArrayBatches`."""
        arrow, _ = import_pyarrow()
        tables = (
            table for file in self.files(random) for table in read_parquet(file, self._columns)
        )
        for pool in pools(tables, self.plan.pool_size, random, arrow.concat_tables):
            yield from self._batches(pool, random)

    def signature(self):
        """The `tf.TensorSpec`s of a batch, see `ArrayBatches`."""
        import tensorflow as tf

        size, time, letters = None, None, None
        if self.plan.lengths is not None:
            size, letters = self.plan.batch_size, self.plan.max_word_length
        shapes = {"word_ids": (size, time), "char_ids": (size, time, letters)}
        if "char_ids" not in self._columns:
            del shapes["char_ids"]
        inputs = {name: tf.TensorSpec(shape, tf.int32) for name, shape in shapes.items()}
        tags, weight = tf.TensorSpec((size, time), tf.int32), tf.TensorSpec((size,), tf.float32)
        if "label_id" in self._columns:
            tags = {"tags": tags, "label": tf.TensorSpec((size,), tf.int32)}
        return inputs, tags, weight

    def _batches(self, pool, random):
        """The batches of a table: by length where there is `random`, else in its order."""
        starts = np.arange(0, len(pool), self.plan.batch_size)
        if random is not None:
            lengths = Ragged.of(pool, "word_ids").lengths
            # Those of nearly the same length come in random order.
            pool = pool.take(np.argsort(lengths + random.uniform(0, 1.5, len(lengths))))
            random.shuffle(starts)
        columns = {name: Ragged.of(pool, name) for name in self._columns}
        for start in starts.tolist():
            yield self._batch(columns, start, min(start + self.plan.batch_size, len(pool)))

    def _batch(self, columns, start, end):
        """Rows `start` to `end` of the columns, padded with 0."""
        words, lengths = columns["word_ids"].rows(start, end)
        time, size = lengths.max(), end - start
        if self.plan.lengths is not None:
            time = self.plan.lengths[np.searchsorted(self.plan.lengths, time)]
            size = self.plan.batch_size
        real = np.zeros((size, time), bool)
        real[: len(lengths)] = np.arange(time) < lengths[:, None]
        inputs = {"word_ids": dense(words, real)}
        if "char_ids" in columns:
            letters, _ = columns["char_ids"].rows(start, end)
            counts, _ = columns["char_counts"].rows(start, end)
            width = self.plan.max_word_length or counts.max()
            spelled = dense(letters, np.arange(width) < counts[:, None])  # (tokens, characters)
            inputs["char_ids"] = dense(spelled, real)
        weight = (np.arange(size) < len(lengths)).astype("float32")
        tags = dense(columns["tag_ids"].rows(start, end)[0], real)
        if "label_id" in columns:
            labels, _ = columns["label_id"].rows(start, end)
            tags = {"tags": tags, "label": dense(labels, weight > 0)}
        return inputs, tags, weight
