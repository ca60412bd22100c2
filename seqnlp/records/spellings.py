"""The distinct spellings of a batch, so that a character encoder reads each of them once."""

from seqnlp.records.tfrecord import import_tensorflow


def distinct_spellings(inputs):
    """`char_ids` of a batch -> its distinct spellings and where they stand: for `Dataset.map`.

    Spellings are sorted by length and parted in two where the least padding is left. Shapes vary
    from batch to batch, and XLA would compile each anew.

    Args:
        inputs: Dict that holds `char_ids`, int tensor `(batch, time, characters)`.

    Returns:
        The dict with two things in place of `char_ids`: `spellings`, a pair of
        `(words, characters)`, short ones and long ones, padded with 0; and `spelling_ids`, int32
        `(batch, time)`, rows of both, one after the other. `seqnlp.models.Tagger` takes either.
    """
    tf = import_tensorflow()
    inputs = dict(inputs)
    char_ids = inputs.pop("char_ids")
    words = tf.reshape(char_ids, (-1, tf.shape(char_ids)[2]))
    distinct, rows = tf.raw_ops.UniqueV2(x=words, axis=[0])
    lengths = tf.reduce_sum(tf.cast(distinct != 0, tf.int32), axis=1)
    order = tf.argsort(lengths, stable=True)
    lengths, distinct = tf.gather(lengths, order), tf.gather(distinct, order)
    rows = tf.gather(tf.argsort(order), rows)
    cut, width = _least_padding(lengths, tf)
    spellings = distinct[:cut, :width], distinct[tf.minimum(cut, tf.size(lengths) - 1) :]
    rows = tf.reshape(rows, tf.shape(char_ids)[:2])
    return {**inputs, "spellings": spellings, "spelling_ids": rows}


def _least_padding(lengths, tf):
    """How many of the spellings, sorted by length, are short ones, and the longest of them.

    Both at least 1: a lone spelling is among the short ones and the long ones.
    """
    number = tf.range(1, tf.maximum(tf.size(lengths), 2))
    size = number * lengths[: tf.size(number)] + (tf.size(lengths) - number) * lengths[-1]
    cut = 1 + tf.argmin(size, output_type=tf.int32)
    return cut, tf.maximum(lengths[cut - 1], 1)
