"""Perplexity of sequences."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqnlp")
class Perplexity(keras.metrics.Mean):
    """The exponential of the mean cross entropy of a token, whatever the lengths of sentences.

    Labels are int `(batch, time)`, 0 at padding, which does not count; predictions are logits
    `(batch, time, vocabulary)`; a sentence's `sample_weight` `(batch,)` is that of its tokens.
    """

    def __init__(self, name="perplexity", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.cast(y_true, "int32")
        losses = keras.losses.sparse_categorical_crossentropy(
            y_true, ops.cast(y_pred, "float32"), from_logits=True
        )
        counts = ops.cast(y_true != 0, "float32")
        if sample_weight is not None:
            counts = counts * ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
        return super().update_state(losses, sample_weight=counts)

    def result(self):
        return ops.exp(super().result())
