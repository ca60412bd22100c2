"""From prepared pairs of spans to batches for `fit`, tokens hidden anew in each epoch."""

from typing import NamedTuple

import numpy as np

from seqnlp.records.array_batches import ArrayBatches, pools
from seqnlp.records.batches import check_least
from seqnlp.records.columns import task_columns
from seqnlp.records.manifest import read_manifest
from seqnlp.records.ragged import concatenate, dense, tables_of
from seqnlp.text.bert_names import MASK, BERTNames
from seqnlp.text.masked_lm import mask_tokens

_ROWS_NAMED = ("first_length", "is_next", "key")


class PretrainingPlan(NamedTuple):
    """The arguments of `pretraining_batches`, checked, with what they come to for one split.

    Fields:
        files: Paths of the split's files.
        output_format: One of `OUTPUT_FORMATS`, that of the files.
        columns: Names of the columns.
        steps: Batches an epoch.
        batch_size: Rows of a batch.
        length: Ids of a row.
        most_predictions: Hidden tokens of a row.
        mask_share: Share of the tokens that are chosen.
        names: `BERTNames`.
        whole_words: Whether tokens are chosen word by word.
        pool_size: Pairs that are shuffled together.
        seed: Seed of the order, or None.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs, or None for ever.
    """

    files: list
    output_format: str
    columns: tuple
    steps: int
    batch_size: int
    length: int
    most_predictions: int
    mask_share: float
    names: BERTNames
    whole_words: bool
    pool_size: int
    seed: int | None
    first_epoch: int
    num_epochs: int | None


def pretraining_batches(
    folder,
    split,
    batch_size=32,
    *,
    most_predictions=20,
    mask_share=0.15,
    whole_words=False,
    seed=None,
    first_epoch=0,
    num_epochs=1,
    pool=32_768,
):
    """Batches for `fit` and `evaluate` of a `seqnlp.models.BERTPretrainer`.

    All have one shape; the last one is filled up with rows of padding of weight 0. The order of
    an epoch and what it hides depend on the seed and the number of the epoch alone: a run
    resumed at `first_epoch=k` goes on as the uninterrupted one would. Without a seed every
    epoch is the same. Parquet and TFRecord give equal batches. Of examples prepared with a
    `dupe_factor`, what is hidden is settled already.

    Args:
        folder: Folder that `prepare_pretraining` wrote.
        split: One of `SPLITS`.
        batch_size: Pairs of a batch.
        most_predictions: Most tokens of a pair that are chosen.
        mask_share: Share of a pair's tokens that is chosen, above 0 and below 1.
        whole_words: Whether they are chosen word by word.
        seed: Seed of the order and of what is hidden, or None to take pairs as they come.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs; None repeats for ever.
        pool: Pairs shuffled together.

    Returns:
        A `tf.data.Dataset` of TFRecord examples; `PretrainingBatches`, an iterable of NumPy
        arrays made without TensorFlow, of Parquet examples. Of either an element is `(inputs,
        labels, sample_weight)`: `inputs` a dict of int32 `token_ids` and `segment_ids` `(batch,
        length)` and `positions` `(batch, most_predictions)`; `labels` a dict of int32
        `masked_lm`, of the shape of the positions, and `next_sentence` `(batch,)`, 0 where the
        second span follows; `sample_weight` a dict of float32, of the shapes of the labels.

    Raises:
        ValueError: An argument is out of range, or the folder was not prepared to its end.
    """
    check_least(
        batch_size=batch_size, most_predictions=most_predictions, pool=pool, num_epochs=num_epochs
    )
    manifest = read_manifest(folder, verify=False, task="pretraining")
    options = manifest.options
    if options["dupe_factor"] is not None:
        most_predictions = options["most_predictions"]
    plan = PretrainingPlan(
        files=manifest.shards(split),
        output_format=manifest.output_format,
        columns=task_columns("pretraining", options),
        steps=-(-manifest.records(split) // batch_size),
        batch_size=batch_size,
        length=options["max_length"],
        most_predictions=most_predictions,
        mask_share=mask_share,
        names=BERTNames.load(folder),
        whole_words=whole_words,
        pool_size=pool,
        seed=seed,
        first_epoch=first_epoch,
        num_epochs=num_epochs,
    )
    batches = PretrainingBatches(plan)
    return batches if manifest.output_format == "parquet" else batches.dataset()


class PretrainingBatches(ArrayBatches):
    """Batches of NumPy arrays, made anew each time it is iterated.

    `pretraining_batches` makes it.

    Args:
        plan: `PretrainingPlan`.
    """

    def __init__(self, plan):
        super().__init__(plan)
        self._special_ids = plan.names.special_ids

    def epoch(self, random):
        """Yields `(inputs, labels, sample_weight)`, see `ArrayBatches`."""
        plan = self.plan
        # What is hidden follows from the epoch, which the order's generator alone knows.
        epoch = 0 if random is None else int(random.integers(2**31))
        tables = (
            table
            for file in self.files(random)
            for table in tables_of(file, plan.output_format, plan.columns)
        )
        rest = None
        for pool in pools(tables, plan.pool_size, random, concatenate):
            rows = pool if rest is None else concatenate([rest, pool])
            whole = len(rows) // plan.batch_size * plan.batch_size
            for start in range(0, whole, plan.batch_size):
                yield self._batch(rows[start : start + plan.batch_size], epoch)
            rest = rows[whole:]
        if rest is not None and len(rest):
            yield self._batch(rest, epoch)

    def signature(self):
        """The `tf.TensorSpec`s of a batch, see `ArrayBatches`."""
        import tensorflow as tf

        size, most = self.plan.batch_size, self.plan.most_predictions
        ids = tf.TensorSpec((size, self.plan.length), tf.int32)
        chosen, pair = (tf.TensorSpec(shape, tf.int32) for shape in ((size, most), (size,)))
        labels = {"masked_lm": chosen, "next_sentence": pair}
        weights = {name: tf.TensorSpec(spec.shape, tf.float32) for name, spec in labels.items()}
        return {"token_ids": ids, "segment_ids": ids, "positions": chosen}, labels, weights

    def _batch(self, rows, epoch):
        plan, number = self.plan, len(rows)
        size, places = plan.batch_size, np.arange(plan.length)
        first_length, is_next, key = (self._filled(rows.columns[n].values) for n in _ROWS_NAMED)
        token_ids = self._padded(rows.columns["token_ids"], plan.length)
        if "positions" in plan.columns:
            positions, labels = (
                self._padded(rows.columns[name], plan.most_predictions)
                for name in ("positions", "labels")
            )
            weights = (labels != 0).astype("float32")
        else:
            token_ids, positions, labels, weights = mask_tokens(
                token_ids,
                key,
                self._special_ids[MASK],
                self._special_ids.values(),
                len(plan.names.pieces),
                most=plan.most_predictions,
                share=plan.mask_share,
                word_starts=plan.names.begins_word[token_ids] if plan.whole_words else None,
                seed=plan.seed or 0,
                epoch=epoch,
            )
        segment_ids = (places >= first_length[:, None]) & (token_ids != 0)
        inputs = {
            "token_ids": token_ids,
            "segment_ids": segment_ids.astype("int32"),
            "positions": positions,
        }
        real = (np.arange(size) < number).astype("float32")
        return (
            inputs,
            {"masked_lm": labels, "next_sentence": 1 - is_next},
            {"masked_lm": weights, "next_sentence": real},
        )

    def _filled(self, values):
        return np.pad(np.asarray(values, "int32"), (0, self.plan.batch_size - len(values)))

    def _padded(self, column, length):
        lengths = self._filled(column.lengths)
        return dense(column.values, np.arange(length) < lengths[:, None])
