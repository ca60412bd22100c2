"""Batches of Parquet examples, with NumPy and pyarrow alone."""

import itertools

import numpy as np

from seqnlp.records.parquet import example_columns, import_pyarrow, read_parquet


class ParquetBatches:
    """Batches of NumPy arrays, made anew each time it is iterated.

    `tagging_batches` makes it.

        batches = tagging_batches(folder, "train", 32, seed=0, num_epochs=None)
        model.fit(iter(batches), steps_per_epoch=500)  # JAX
        model.fit(batches.dataset(), steps_per_epoch=500)  # TensorFlow

    Args:
        plan: `BatchPlan`.
    """

    def __init__(self, plan):
        self._plan = plan
        names = example_columns(plan.characters, plan.label)
        self._columns = [name for name in names if name != "tokens"]

    def __len__(self):
        """Number of batches.

        Raises:
            TypeError: There is no end of them.
        """
        if self._plan.num_epochs is None:
            raise TypeError("batches for ever (`num_epochs=None`) have no length")
        return self._plan.steps * self._plan.num_epochs

    def __iter__(self):
        """Yields `(inputs, tags, sample_weight)`."""
        seed, first, number = self._plan.seed, self._plan.first_epoch, self._plan.num_epochs
        for epoch in itertools.count(first) if number is None else range(first, first + number):
            random = None if seed is None else np.random.default_rng([seed, epoch])
            for pool in self._pools(random):
                yield from self._batches(pool, random)

    def dataset(self):
        """The same as a `tf.data.Dataset`, for `fit` on TensorFlow: its shapes vary."""
        import tensorflow as tf

        size, time, letters = None, None, None
        if self._plan.lengths is not None:
            size, letters = self._plan.batch_size, self._plan.max_word_length
        shapes = {"word_ids": (size, time), "char_ids": (size, time, letters)}
        if "char_ids" not in self._columns:
            del shapes["char_ids"]
        inputs = {name: tf.TensorSpec(shape, tf.int32) for name, shape in shapes.items()}
        tags, weight = tf.TensorSpec((size, time), tf.int32), tf.TensorSpec((size,), tf.float32)
        if "label_id" in self._columns:
            tags = {"tags": tags, "label": tf.TensorSpec((size,), tf.int32)}
        dataset = tf.data.Dataset.from_generator(
            lambda: iter(self), output_signature=(inputs, tags, weight)
        )
        steps = tf.data.INFINITE_CARDINALITY if self._plan.num_epochs is None else len(self)
        return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)

    def _pools(self, random):
        """Tables of `pool_size` rows; with `random`, drawn from twice as many."""
        arrow, _ = import_pyarrow()
        files, size = self._plan.files, self._plan.pool_size
        held, least = None, size
        if random is not None:
            files, least = random.permutation(files).tolist(), 2 * size
        for file in files:
            for table in read_parquet(file, self._columns):
                held = table if held is None else arrow.concat_tables([held, table])
                while len(held) >= least:
                    pool, held = _split(held, size, random)
                    yield pool
        while held is not None and len(held):
            pool, held = _split(held, size, random)
            yield pool

    def _batches(self, pool, random):
        """The batches of a table: by length where there is `random`, else in its order."""
        starts = np.arange(0, len(pool), self._plan.batch_size)
        if random is not None:
            lengths = _Ragged(pool, "word_ids").lengths
            # Those of nearly the same length come in random order.
            pool = pool.take(np.argsort(lengths + random.uniform(0, 1.5, len(lengths))))
            random.shuffle(starts)
        columns = {name: _Ragged(pool, name) for name in self._columns}
        for start in starts.tolist():
            yield self._batch(columns, start, min(start + self._plan.batch_size, len(pool)))

    def _batch(self, columns, start, end):
        """Rows `start` to `end` of the columns, padded with 0."""
        words, lengths = columns["word_ids"].rows(start, end)
        time, size = lengths.max(), end - start
        if self._plan.lengths is not None:
            time = self._plan.lengths[np.searchsorted(self._plan.lengths, time)]
            size = self._plan.batch_size
        real = np.zeros((size, time), bool)
        real[: len(lengths)] = np.arange(time) < lengths[:, None]
        inputs = {"word_ids": _dense(words, real)}
        if "char_ids" in columns:
            letters, _ = columns["char_ids"].rows(start, end)
            counts, _ = columns["char_counts"].rows(start, end)
            width = self._plan.max_word_length or counts.max()
            spelled = _dense(letters, np.arange(width) < counts[:, None])  # (tokens, characters)
            inputs["char_ids"] = _dense(spelled, real)
        weight = (np.arange(size) < len(lengths)).astype("float32")
        tags = _dense(columns["tag_ids"].rows(start, end)[0], real)
        if "label_id" in columns:
            labels, _ = columns["label_id"].rows(start, end)
            tags = {"tags": tags, "label": _dense(labels, weight > 0)}
        return inputs, tags, weight


class _Ragged:
    """A column of lists as arrays: its values one after the other, and where each row begins."""

    def __init__(self, table, name):
        column = table[name].combine_chunks()
        self.values = column.flatten().to_numpy()
        self.lengths = column.value_lengths().to_numpy()
        self._limits = np.concatenate([[0], np.cumsum(self.lengths)])

    def rows(self, start, end):
        """Values and lengths of the rows from `start` to `end`."""
        return self.values[self._limits[start] : self._limits[end]], self.lengths[start:end]


def _split(table, size, random):
    """The first `size` rows, of all in random order where there is `random`; and the rest."""
    if random is None:
        return table[:size], table[size:]
    order = random.permutation(len(table))
    return table.take(order[:size]), table.take(order[size:])


def _dense(values, real):
    """`values` at the places where `real` is True, zeros elsewhere."""
    dense = np.zeros((*real.shape, *values.shape[1:]), "int32")
    dense[real] = values
    return dense
