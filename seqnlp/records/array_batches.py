"""Streams of batches of NumPy arrays, whatever they hold."""

import itertools

import numpy as np


class ArrayBatches:
    """Batches of NumPy arrays, made anew each time it is iterated. A child makes an epoch.

    Args:
        plan: Named tuple with `files`, `steps` (batches an epoch), `seed`, `first_epoch` and
            `num_epochs`, and what the child needs.
    """

    def __init__(self, plan):
        self.plan = plan

    def epoch(self, random):
        """Yields the batches of an epoch; `random` is a Generator, or None without a seed."""
        raise NotImplementedError

    def signature(self):
        """The `tf.TensorSpec`s of a batch."""
        raise NotImplementedError

    def files(self, random):
        """The files in the order of an epoch."""
        return self.plan.files if random is None else random.permutation(self.plan.files).tolist()

    def __len__(self):
        """Number of batches.

        Raises:
            TypeError: There is no end of them.
        """
        if self.plan.num_epochs is None:
            raise TypeError("batches for ever (`num_epochs=None`) have no length")
        return self.plan.steps * self.plan.num_epochs

    def __iter__(self):
        """Yields the batches of every epoch."""
        seed, first, number = self.plan.seed, self.plan.first_epoch, self.plan.num_epochs
        for epoch in itertools.count(first) if number is None else range(first, first + number):
            yield from self.epoch(None if seed is None else np.random.default_rng([seed, epoch]))

    def dataset(self):
        """The same as a `tf.data.Dataset`, for `fit` on TensorFlow: its shapes vary."""
        import tensorflow as tf

        dataset = tf.data.Dataset.from_generator(
            lambda: iter(self), output_signature=self.signature()
        )
        steps = tf.data.INFINITE_CARDINALITY if self.plan.num_epochs is None else len(self)
        return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)


def pools(tables, size, random, concatenate):
    """Tables of `size` rows; with `random`, drawn from twice as many.

    Args:
        tables: Iterable of tables, with a length, slices and `take(order)`.
        size: Rows of a pool; the last may have fewer.
        random: A Generator, or None to keep the order.
        concatenate: Function from a list of tables to one.
    """
    held, least = None, size if random is None else 2 * size
    for table in tables:
        held = table if held is None else concatenate([held, table])
        while len(held) >= least:
            pool, held = _split(held, size, random)
            yield pool
    while held is not None and len(held):
        pool, held = _split(held, size, random)
        yield pool


def _split(table, size, random):
    """The first `size` rows, of all in random order where there is `random`; and the rest."""
    if random is None:
        return table[:size], table[size:]
    order = random.permutation(len(table))
    return table.take(order[:size]), table.take(order[size:])
