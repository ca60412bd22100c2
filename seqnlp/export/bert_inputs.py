"""Strings to what a BERT in a graph reads."""

import tensorflow as tf


def dense(read):
    """The inputs of a `BERTEncoder`.

    Args:
        read: What `BERTText.encode` or `frame` gives.

    Returns:
        Dict of `token_ids` and `segment_ids` int32 `(rows, time)`. No texts become one row of
        padding, as a model may not know how to read none: slice what comes back to the batch.
    """
    empty = tf.cast(read["token_ids"].nrows() == 0, tf.int32)
    return {
        name: tf.pad(read[name].to_tensor(), [[0, empty], [0, empty]])
        for name in ("token_ids", "segment_ids")
    }


def vectors(encoder, inputs, batch):
    """What a text comes to.

    Args:
        encoder: `BERTEncoder`.
        inputs: As `dense` gives them.
        batch: Number of texts.

    Returns:
        Dict of `pooled` and `mean`, of the tokens' states, specials among them, float32
        `(batch, units)`.
    """
    states = encoder(inputs, training=False)
    real = tf.cast(inputs["token_ids"] != 0, tf.float32)[..., None]
    total = tf.reduce_sum(tf.cast(states["tokens"], tf.float32) * real, axis=1)
    mean = total / tf.maximum(tf.reduce_sum(real, axis=1), 1.0)
    return {"pooled": tf.cast(states["pooled"], tf.float32)[:batch], "mean": mean[:batch]}
