"""Batches of rows of about the same length, padded to one of few: each is compiled once."""

import numpy as np

from seqnlp.records.array_batches import ArrayBatches, pools
from seqnlp.records.ragged import concatenate, tables_of


class BucketedBatches(ArrayBatches):
    """Batches of NumPy arrays, made anew each time it is iterated. A child makes a batch.

    Args:
        plan: Named tuple with what `ArrayBatches` needs and `output_format`, `lengths` (sorted
            array of the lengths to pad to), `sizes` (array of the rows of a batch of each),
            `in_order` (whether rows keep their order, whatever their lengths) and `pool_size`
            (rows that are shuffled together).

    Attributes:
        columns: Names of the columns to read.
    """

    columns = ()

    def row_lengths(self, table):
        """Array of the length that each row of a `RaggedTable` needs."""
        raise NotImplementedError

    def batch(self, rows, bucket):
        """The rows of a table, padded to the length and the size of a bucket."""
        raise NotImplementedError

    def epoch(self, random):
        """Yields `(inputs, labels, sample_weight)`, see `ArrayBatches`."""
        tables = (
            table
            for file in self.files(random)
            for table in tables_of(file, self.plan.output_format, self.columns)
        )
        if self.plan.in_order:
            for pool in pools(tables, int(self.plan.sizes[0]), random, concatenate):
                longest = self.row_lengths(pool).max()
                yield self.batch(pool, np.searchsorted(self.plan.lengths, longest))
            return
        rest = {}
        for pool in pools(tables, self.plan.pool_size, random, concatenate):
            buckets = np.searchsorted(self.plan.lengths, self.row_lengths(pool))
            parts = []
            for bucket in np.unique(buckets):
                rows = pool.take(np.flatnonzero(buckets == bucket))
                if bucket in rest:
                    rows = concatenate([rest.pop(bucket), rows])
                size = self.plan.sizes[bucket]
                whole = len(rows) // size * size
                parts += [(rows[start : start + size], bucket) for start in range(0, whole, size)]
                if whole < len(rows):
                    rest[bucket] = rows[whole:]
            yield from self._shuffled(parts, random)
        yield from self._shuffled(
            [(rows, bucket) for bucket, rows in sorted(rest.items())], random
        )

    def _shuffled(self, parts, random):
        order = range(len(parts)) if random is None else random.permutation(len(parts))
        for index in order:
            yield self.batch(*parts[index])


def bucket_steps(lengths, sizes, histogram):
    """Number of the batches of an epoch.

    Args:
        lengths: Sorted array of the lengths to pad to.
        sizes: Array of the rows of a batch of each.
        histogram: Pairs of a length and the number of rows that need it.
    """
    counts = np.zeros(len(lengths), int)
    for length, count in histogram:
        counts[np.searchsorted(lengths, length)] += count
    return int(np.sum(-(-counts // sizes)))
