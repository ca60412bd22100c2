"""Batches of examples for a tagger on BERT, with NumPy alone where they are Parquet."""

import numpy as np

from seqnlp.records.array_batches import ArrayBatches, pools
from seqnlp.records.columns import PART_COLUMNS
from seqnlp.records.ragged import concatenate, dense, tables_of


class BERTTaggingBatches(ArrayBatches):
    """Batches of NumPy arrays, made anew each time it is iterated. `tagging_batches` makes it.

    They come in few shapes: as many parts as the sentence of most has, or the next power of two;
    pieces of one of the plan's lengths, the last one where there are several parts; and as many
    words as these can hold. The last batch is filled up with rows of padding of weight 0.

    Args:
        plan: `BatchPlan`, whose `lengths` are those of parts.
        output_format: One of `OUTPUT_FORMATS`, that of the files.
    """

    def __init__(self, plan, output_format):
        super().__init__(plan)
        self._format = output_format
        self._columns = ["tag_ids", *PART_COLUMNS, *(["label_id"] if plan.label else [])]

    def epoch(self, random):
        """Yields `(inputs, tags, sample_weight)`, see `ArrayBatches`."""
        tables = (
            table
            for file in self.files(random)
            for table in tables_of(file, self._format, self._columns)
        )
        for pool in pools(tables, self.plan.pool_size, random, concatenate):
            starts = np.arange(0, len(pool), self.plan.batch_size)
            if random is not None:
                lengths = pool.columns["token_ids"].lengths
                # Those of nearly the same length come in random order.
                pool = pool.take(np.argsort(lengths + random.uniform(0, 1.5, len(pool))))
                random.shuffle(starts)
            for start in starts.tolist():
                yield self._batch(pool[start : start + self.plan.batch_size])

    def signature(self):
        """The `tf.TensorSpec`s of a batch, see `ArrayBatches`."""
        import tensorflow as tf

        size = self.plan.batch_size
        ids, words = (tf.TensorSpec((size, *axes), tf.int32) for axes in ((None, None), (None,)))
        inputs = {"token_ids": ids, "segment_ids": ids, "word_positions": words}
        tags, weight = words, tf.TensorSpec((size,), tf.float32)
        if self.plan.label:
            tags = {"tags": tags, "label": tf.TensorSpec((size,), tf.int32)}
        return inputs, tags, weight

    def _batch(self, rows):
        """The rows of a table, padded with 0."""
        part_lengths = self._filled(rows.columns["part_lengths"])  # (batch, parts)
        shape = self._shape(part_lengths)
        real = np.arange(shape[-1]) < part_lengths[..., None]
        token_ids, starts = (
            dense(rows.columns[name].values, real) for name in ("token_ids", "word_starts")
        )
        weight = (np.arange(self.plan.batch_size) < len(rows)).astype("float32")
        is_word, tag_ids = self._words(rows, shape)
        _, places = np.nonzero(starts.reshape(len(starts), -1))
        inputs = {
            "token_ids": token_ids,
            "segment_ids": np.zeros_like(token_ids),
            "word_positions": dense(places, is_word),
        }
        if self.plan.label:
            label = dense(rows.columns["label_id"].values, weight > 0)
            return inputs, {"tags": tag_ids, "label": label}, weight
        return inputs, tag_ids, weight

    def _words(self, rows, shape):
        """Where words are, bool `(batch, words)`, and their tags."""
        tags = rows.columns["tag_ids"]
        lengths = np.pad(tags.lengths, (0, self.plan.batch_size - len(rows)))
        is_word = np.arange(shape[1] * (shape[2] - 2)) < lengths[:, None]
        return is_word, dense(tags.values, is_word)

    def _filled(self, column):
        """Lengths of the parts, `(batch, parts)`; 0 where there is none."""
        numbers = np.pad(column.lengths, (0, self.plan.batch_size - len(column.lengths)))
        parts = 1 << int(numbers.max() - 1).bit_length()
        return dense(column.values, np.arange(parts) < numbers[:, None])

    def _shape(self, part_lengths):
        """Rows, parts and pieces of a batch."""
        lengths = self.plan.lengths
        longest = lengths[np.searchsorted(lengths, part_lengths.max())]
        return *part_lengths.shape, longest if part_lengths.shape[1] == 1 else lengths[-1]
