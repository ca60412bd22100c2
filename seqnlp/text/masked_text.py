"""Texts with gaps, as people write them for a model that fills gaps: "Paris is in [MASK]."."""

from typing import NamedTuple

import tensorflow as tf

from seqnlp.text.bert_names import MASK


class MaskedText(NamedTuple):
    """Texts cut at their gaps.

    Fields:
        parts: String RaggedTensor `(batch, (parts))`, what stands between the gaps: one part
            more than there are gaps.
        pieces: int32 RaggedTensor `(batch, (time))`, the pieces of all parts with the id of the
            mask between them.
    """

    parts: tf.RaggedTensor
    pieces: tf.RaggedTensor


def read_masked(text, strings):
    """Cuts texts at "[MASK]", and the parts into pieces.

    Args:
        text: `BERTText`.
        strings: String Tensor `(batch,)`.

    Returns:
        `MaskedText`.
    """
    parts = tf.strings.split(strings, MASK)
    pieces = text.tokenize(parts.flat_values)
    ends = parts.row_splits[1:]  # the last part of a text has no gap behind it
    is_last = tf.scatter_nd(
        (ends - 1)[:, None], tf.ones_like(ends), tf.shape(pieces.row_lengths(), tf.int64)
    )
    gaps = tf.RaggedTensor.from_row_lengths(
        tf.fill([tf.reduce_sum(1 - is_last)], text.names.special_ids[MASK]), 1 - is_last
    )
    together = tf.concat([pieces, gaps], axis=1)
    splits = tf.gather(together.row_splits, parts.row_splits)
    return MaskedText(parts, tf.RaggedTensor.from_row_splits(together.flat_values, splits))


def fill_gaps(parts, fillings):
    """The texts with their gaps filled.

    Args:
        parts: As of `MaskedText`.
        fillings: String RaggedTensor `(batch, (gaps))`; gaps behind them stay masks.

    Returns:
        String Tensor `(batch,)`.
    """
    missing = parts.row_lengths() - 1 - fillings.row_lengths()
    masks = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(missing)], MASK), missing)
    between = tf.concat([fillings, masks, tf.fill([parts.nrows(), 1], "")], axis=1)
    joined = tf.strings.join([parts.flat_values, between.flat_values])
    rows = tf.RaggedTensor.from_row_splits(joined, parts.row_splits)
    return tf.strings.reduce_join(rows, axis=1)
