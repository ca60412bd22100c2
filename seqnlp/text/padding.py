"""Ragged ids as a model takes them."""

import tensorflow as tf


def padded(ids):
    """Ragged ids to a Tensor, padded with 0, where every ragged axis has at least size 1."""
    dense = ids.to_tensor()
    missing = tf.maximum(1 - tf.shape(dense)[1:], 0)
    after = tf.concat([[0], missing], axis=0)
    return tf.pad(dense, tf.stack([tf.zeros_like(after), after], axis=1))
