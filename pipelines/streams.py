"""Endless streams of batches for `fit`, which go on where an interrupted run stopped."""

import itertools

import keras

from seqnlp.records.array_batches import ArrayBatches


def needs_tensorflow(manifest):
    """Whether training on these examples reads or computes with TensorFlow."""
    return keras.backend.backend() == "tensorflow" or manifest.output_format == "tfrecord"


def steps_of(batches):
    """Number of the batches of an epoch of the data."""
    return batches.plan.steps if isinstance(batches, ArrayBatches) else len(batches)


def endless(make, first_batch, manifest):
    """The batches of all epochs of the data from number `first_batch` on, as `fit` takes them.

    Args:
        make: Function of `first_epoch` and `num_epochs` that gives batches of `seqnlp.records`.
        first_batch: Number of batches that an interrupted run took before.
        manifest: `Manifest` of the examples.

    Returns:
        A generator of NumPy arrays where JAX trains on Parquet, else a `tf.data.Dataset`.
    """
    passes, skipped = divmod(first_batch, steps_of(make(first_epoch=0, num_epochs=1)))
    batches = make(first_epoch=passes, num_epochs=None)
    if isinstance(batches, ArrayBatches):
        if not needs_tensorflow(manifest):
            # Keras takes generators, and no other iterators.
            return (batch for batch in itertools.islice(batches, skipped, None))
        batches = batches.dataset()
    return batches.skip(skipped).prefetch(4)


def held_out(batches, manifest, most=None):
    """The batches of one epoch, at most `most` of them, as `fit` takes them for validation."""
    if isinstance(batches, ArrayBatches):
        if not needs_tensorflow(manifest):
            return Listed(list(itertools.islice(batches, most)))
        batches = batches.dataset()
    return batches if most is None else batches.take(most)


class Listed(keras.utils.PyDataset):
    """A list of batches as `fit` and `evaluate` take them without TensorFlow."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]
