"""What the train stage of `pipelines.tagging` feeds to `fit`: an endless stream of batches."""

import itertools

import numpy as np

from pipelines.streams import needs_tensorflow
from seqnlp.records import ParquetBatches, distinct_spellings, tagging_batches
from seqnlp.text.names import UNKNOWN_ID


def training_batches(options, manifest, num_words, steps, first_epoch, settings):
    """A stream whose order depends on the seed alone, from `first_epoch` on.

    Words are forgotten at random, rare ones most: they are read as unknown. Where shapes may
    vary, a batch holds each of its spellings once.

    Args:
        options: Options of the pipeline.
        manifest: `Manifest` of the examples.
        num_words: Number of word ids.
        steps: Batches an epoch of `fit`.
        first_epoch: Epochs of `fit` that an interrupted run did before.
        settings: Dict of further arguments of `tagging_batches`.

    Returns:
        A generator of NumPy arrays where JAX trains on Parquet, else a `tf.data.Dataset`.
    """
    whole = -(-manifest.records("train") // options.batch_size)
    passes, skipped = divmod(first_epoch * steps, whole)
    batches = tagging_batches(
        manifest.folder,
        "train",
        options.batch_size,
        seed=options.seed,
        first_epoch=passes,
        num_epochs=None,
        **settings,
    )
    rates = forget_rates(_word_counts(manifest, num_words), options.word_dropout)
    if not needs_tensorflow(manifest):
        random = np.random.default_rng([options.seed, first_epoch])
        return forgetful(itertools.islice(batches, skipped, None), rates, random)
    if isinstance(batches, ParquetBatches):
        batches = batches.dataset()
    batches = _forgetful_dataset(batches.skip(skipped), rates, options.seed + first_epoch)
    if settings.get("lengths") is None and "char_ids" in batches.element_spec[0]:
        batches = batches.map(lambda inputs, *rest: (distinct_spellings(inputs), *rest))
    return batches.prefetch(4)


def forget_rates(counts, strength):
    """How often each word is read as unknown, `strength / (strength + count)`; never padding."""
    rates = (strength / (strength + np.maximum(counts, 1))).astype("float32")
    rates[0] = 0
    return rates


def forgetful(batches, rates, random):
    """Yields batches of NumPy arrays whose words are forgotten at their rates."""
    for inputs, tags, weight in batches:
        words = inputs["word_ids"]
        forgotten = random.random(words.shape, "float32") < rates[words]
        yield {**inputs, "word_ids": np.where(forgotten, UNKNOWN_ID, words)}, tags, weight


def _forgetful_dataset(batches, rates, seed):
    import tensorflow as tf

    rates, generator = tf.constant(rates), tf.random.Generator.from_seed(seed)

    def forget(inputs, tags, weight):
        words = inputs["word_ids"]
        forgotten = generator.uniform(tf.shape(words)) < tf.gather(rates, words)
        return {**inputs, "word_ids": tf.where(forgotten, UNKNOWN_ID, words)}, tags, weight

    return batches.map(forget)


def _word_counts(manifest, num_words):
    """How often each word id occurs in the training split, `(words,)`."""
    counts = np.zeros(num_words, dtype="int64")
    for inputs, _, _ in tagging_batches(manifest.folder, "train", 256, characters=False):
        counts += np.bincount(np.asarray(inputs["word_ids"]).ravel(), minlength=num_words)
    return counts
