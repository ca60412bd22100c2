"""Sentences of words as a tagger on BERT reads them, in the TensorFlow graph.

    [CLS] pieces of the first words [SEP]     the first part
    [CLS] pieces of the next words [SEP]      the second part, where one does not hold them all

A part holds whole words, as many as fit.
"""

import tensorflow as tf

from seqnlp.text.bert_names import CLASSIFY, SEPARATE
from seqnlp.text.names import UNKNOWN
from seqnlp.text.padding import padded


def word_pieces(bert, words):
    """The pieces of each word: those of BERT, or unknown in the place of none.

    Args:
        bert: `BERTText`.
        words: String Tensor `(words,)`.

    Returns:
        int32 RaggedTensor `(words, (pieces))`: at least one piece, and no more than a part holds.
    """
    pieces = bert.tokenize(words)[:, : bert.max_length - 2]
    has_none = tf.equal(pieces.row_lengths(), 0)
    unknown = tf.fill([tf.math.count_nonzero(has_none)], bert.names.special_ids[UNKNOWN])
    filling = tf.RaggedTensor.from_row_lengths(unknown, tf.cast(has_none, tf.int64))
    return tf.concat([pieces, filling], axis=1)


def sentence_parts(bert, tokens):
    """Sentences cut into pieces and parts.

    Args:
        bert: `BERTText`, whose `max_length` is the most ids of a part.
        tokens: String RaggedTensor `(batch, (words))`.

    Returns:
        Dict of int32 RaggedTensors `(batch, (parts), (pieces))`: `token_ids`, and `word_starts`,
        1 at the first piece of each word. A sentence without words has a part of two specials.
    """
    pieces = word_pieces(bert, tokens.flat_values)
    sizes = tokens.with_values(pieces.row_lengths()).to_tensor()  # (batch, words)
    part = _part_of_each_word(sizes, bert.max_length - 2)
    numbers = tf.reduce_max(tf.pad(part, [[0, 0], [1, 0]]), axis=1) + 1  # parts of each sentence
    owner = part + tf.cumsum(numbers, exclusive=True)[:, None]
    owner = tf.boolean_mask(owner, tf.sequence_mask(tokens.row_lengths(), tf.shape(sizes)[1]))
    words = tf.math.unsorted_segment_sum(tf.ones_like(owner), owner, tf.reduce_sum(numbers))
    ids = bert.names.special_ids
    starts = tf.cast(tf.equal(tf.ragged.range(pieces.row_lengths()), 0), tf.int32)

    def grouped(ragged, begin, end):
        inner = tf.RaggedTensor.from_row_lengths(ragged, words).merge_dims(1, 2)
        begins, ends = (tf.fill([inner.nrows(), 1], special) for special in (begin, end))
        whole = tf.concat([begins, inner, ends], axis=1)  # (parts of all sentences, (pieces))
        return tf.RaggedTensor.from_row_lengths(whole, numbers)

    return {
        "token_ids": grouped(pieces, ids[CLASSIFY], ids[SEPARATE]),
        "word_starts": grouped(starts, 0, 0),
    }


def part_inputs(parts):
    """What a `seqnlp.models.BERTTagger` is called with.

    Args:
        parts: Dict of RaggedTensors, as `sentence_parts` gives it.

    Returns:
        Dict of dense int32 Tensors, padded with 0: `token_ids` and `segment_ids` `(batch, parts,
        pieces)`, and `word_positions` `(batch, words)`. Every axis but the batch has at least
        size 1.
    """
    token_ids, starts = padded(parts["token_ids"]), padded(parts["word_starts"])
    size = tf.shape(starts)[1] * tf.shape(starts)[2]
    starts = tf.equal(tf.reshape(starts, [tf.shape(starts)[0], size]), 1)
    places = tf.broadcast_to(tf.range(size), tf.shape(starts))
    return {
        "token_ids": token_ids,
        "segment_ids": tf.zeros_like(token_ids),
        "word_positions": padded(tf.ragged.boolean_mask(places, starts)),
    }


def _part_of_each_word(sizes, most):
    """The number of the part that each word comes in, from 0 on.

    Args:
        sizes: int64 Tensor `(batch, words)`: pieces of each word, 0 where there is none.
        most: Most pieces of a part.
    """
    ends = tf.cumsum(sizes, axis=1)

    def unfinished(part, limits):
        return tf.reduce_any(ends > limits[:, None])

    def go_on(part, limits):
        beyond = ends > limits[:, None]
        held = tf.reduce_max(tf.where(beyond, tf.zeros_like(ends), ends), axis=1)
        return part + tf.cast(beyond, tf.int64), held + most

    limits = tf.fill([tf.shape(sizes)[0]], tf.constant(most, tf.int64))
    return tf.while_loop(unfinished, go_on, (tf.zeros_like(sizes), limits))[0]
