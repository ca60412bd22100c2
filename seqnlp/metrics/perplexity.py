"""Perplexity of sequences."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqnlp")
class Perplexity(keras.metrics.Mean):
    """The exponential of the mean cross entropy of a token, whatever the lengths of sentences.

    Labels are int `(batch, time)`, 0 at padding, which does not count; predictions are logits
    `(batch, time, vocabulary)`. The result is a float32 scalar.

    Args:
        name: Of the metric, in logs.
    """

    def __init__(self, name="perplexity", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds one batch; `sample_weight` is `(batch,)`, one a sentence, or `(batch, time)`."""
        y_true = ops.cast(y_true, "int32")
        losses = keras.losses.sparse_categorical_crossentropy(
            y_true, ops.cast(y_pred, "float32"), from_logits=True
        )
        counts = ops.cast(y_true != 0, "float32")
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
            if len(sample_weight.shape) == 1:
                sample_weight = sample_weight[:, None]
            counts = counts * sample_weight
        return super().update_state(losses, sample_weight=counts)

    def result(self):
        return ops.exp(super().result())
