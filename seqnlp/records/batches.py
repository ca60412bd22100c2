"""From prepared examples to batches for `fit`."""

import numpy as np

from seqnlp.records.batch_plan import BatchPlan
from seqnlp.records.bert_tagging_batches import BERTTaggingBatches
from seqnlp.records.manifest import SPLITS, read_manifest
from seqnlp.records.parquet_batches import ParquetBatches
from seqnlp.records.tfrecord_batches import tfrecord_batches


def bucket_lengths(statistics, count=8, splits=SPLITS, name="lengths"):
    """The padded lengths, at most `count`, that waste the least padding.

    Args:
        statistics: Dict, as statistics.json holds it.
        count: Most lengths to choose: each is one compilation under XLA.
        splits: The splits whose sentences are to be padded.
        name: Name of the lengths in the statistics: "part_lengths" for those of the parts that a
            tagger on BERT reads.

    Returns:
        Sorted list of `int`; the last is the length of the longest sentence of these splits.

    Raises:
        ValueError: `count` is less than 1.
    """
    if count < 1:
        raise ValueError(f"`count` must be at least 1. Received: count={count}")
    histogram = {}
    for split in splits:
        for length, sentences in statistics["splits"][split][name]["histogram"]:
            histogram[length] = histogram.get(length, 0) + sentences
    lengths = np.array(sorted(histogram))
    below = np.cumsum([0] + [histogram[length] for length in lengths])
    # cost[i]: least padded tokens of the sentences up to lengths[i - 1], with k lengths.
    cost, cuts = np.where(np.arange(len(lengths) + 1) == 0, 0, np.inf), []
    for _ in range(min(count, len(lengths))):
        # option[i, j]: sentences from lengths[j] to lengths[i] are padded to lengths[i].
        option = cost[None, :-1] + lengths[:, None] * (below[1:, None] - below[None, :-1])
        option = np.where(np.tri(len(lengths), dtype=bool), option, np.inf)
        cuts.append(np.argmin(option, axis=1))
        cost = np.concatenate([[0], np.min(option, axis=1)])
    chosen, end = [], len(lengths)
    for cut in reversed(cuts):
        if end:
            chosen.append(int(lengths[end - 1]))
            end = cut[end - 1]
    return chosen[::-1]


def tagging_batches(
    folder,
    split,
    batch_size,
    *,
    seed=None,
    first_epoch=0,
    num_epochs=1,
    lengths=None,
    characters=True,
    pool=64,
):
    """Batches for `fit`, `evaluate` and `predict`.

    With a seed, `pool * batch_size` sentences at a time are sorted by length, so that batches
    hold little padding, and the batches of a pool are shuffled. The order of an epoch depends
    on the seed and the number of the epoch alone: a run resumed at `first_epoch=k` goes on as
    the uninterrupted one would. Without a seed, sentences keep the order of the files.

    Parquet and TFRecord give equal batches without a seed. With one, an epoch of either holds
    the same sentences, grouped by the same rules, in another random order.

    Args:
        folder: Folder that `prepare_tagging` wrote.
        split: One of `SPLITS`.
        batch_size: Sentences a batch.
        seed: Seed of the order, or None to keep the order of the files.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs; None repeats for ever.
        lengths: Padded lengths to choose from (`bucket_lengths`). Shapes are then fixed: the
            last batch is filled up with rows of weight 0. None pads to the longest of a batch.
        characters: Whether the inputs hold `char_ids`.
        pool: Batches sorted together.

    Returns:
        A `tf.data.Dataset` of TFRecord examples; `ParquetBatches`, an iterable of NumPy arrays
        made without TensorFlow, of Parquet examples. Of either an element is
        `(inputs, tags, sample_weight)`: `inputs` a dict of int32 `word_ids` `(batch, time)` and
        `char_ids` `(batch, time, characters)`, int32 `tags` `(batch, time)`, float32
        `sample_weight` `(batch,)`. Padding is 0. Where sentences were prepared with a label,
        the tags are a dict of `tags` and of int32 `label` `(batch,)`.

        Of examples prepared with a `bert`, `inputs` are int32 `token_ids` and `segment_ids`
        `(batch, parts, pieces)` and `word_positions` `(batch, time)`, see `BERTTaggingBatches`,
        and shapes are always fixed: `lengths` are those of parts, None takes 4 `bucket_lengths`.

    Raises:
        ValueError: An argument is out of range, no length fits the longest sentence, or
            the folder was not prepared to its end.
    """
    check_least(batch_size=batch_size, pool=pool, num_epochs=num_epochs)
    manifest = read_manifest(folder, verify=False, task="tagging")
    of_bert = "bert" in manifest.options
    if of_bert and lengths is None:
        lengths = bucket_lengths(manifest.statistics, 4, [split], "part_lengths")
    if lengths is not None:
        name, record = ("part_lengths", "part") if of_bert else ("lengths", "sentence")
        lengths = checked_lengths(lengths, manifest, split, record, name)
    plan = BatchPlan(
        files=manifest.shards(split),
        examples=manifest.records(split),
        batch_size=batch_size,
        pool_size=pool * batch_size,
        seed=seed,
        first_epoch=first_epoch,
        num_epochs=num_epochs,
        lengths=lengths,
        max_word_length=None if lengths is None else manifest.options["max_word_length"],
        characters=characters and manifest.options["characters"],
        label=manifest.label is not None,
    )
    if of_bert:
        batches = BERTTaggingBatches(plan, manifest.output_format)
        return batches if manifest.output_format == "parquet" else batches.dataset()
    return ParquetBatches(plan) if manifest.output_format == "parquet" else tfrecord_batches(plan)


def check_least(**arguments):
    """Raises a ValueError for an argument below 1; None is not."""
    for name, value in arguments.items():
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")


def checked_lengths(lengths, manifest, split, record="sentence", name="lengths"):
    """`lengths` sorted; raises a ValueError where they do not hold the longest of the split."""
    lengths = sorted(lengths)
    longest = manifest.statistics["splits"][split][name]["max"]
    if not lengths or lengths[0] < 1 or lengths[-1] < longest:
        raise ValueError(
            f"`lengths` must hold positive lengths, the last at least {longest}, the longest "
            f"{record} of {split}. Received: lengths={lengths}"
        )
    return lengths
