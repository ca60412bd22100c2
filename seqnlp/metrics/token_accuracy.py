import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqnlp")
class TokenAccuracy(keras.metrics.Mean):
    """Share of tokens with the right tag.

    `y_true` and `y_pred` are int `(batch, time)`; tokens whose `y_true` is negative do not
    count. The models of seqnlp hand padding to their metrics as -1.
    """

    def __init__(self, name="token_accuracy", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds one batch; `sample_weight` is `(batch,)`, one a sentence, or `(batch, time)`."""
        y_true, y_pred = ops.cast(y_true, "int32"), ops.cast(y_pred, "int32")
        weight = ops.cast(y_true >= 0, "float32")
        if sample_weight is not None:
            sample_weight = ops.cast(sample_weight, "float32")
            if len(sample_weight.shape) == 1:
                sample_weight = sample_weight[:, None]
            weight = weight * sample_weight
        super().update_state(ops.cast(y_true == y_pred, "float32"), sample_weight=weight)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}
