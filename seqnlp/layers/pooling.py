"""From a sequence to one vector: its last, largest or mean values over the real tokens."""

import keras
from keras import ops

from seqnlp.layers.masking import first_and_last


class _Pooling(keras.layers.Layer):
    """Pools `values (batch, time, units)` over the tokens that `mask (batch, time)` marks.

    Rows without a real token give zeros.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, values_shape, mask_shape=None):
        self.built = True

    def call(self, values, mask=None):
        if mask is None:
            mask = ops.ones_like(values[..., 0], dtype="bool")
        return self.pool(values, ops.cast(mask, "bool"))

    def compute_mask(self, values, mask=None):
        return None

    def compute_output_shape(self, values_shape, mask_shape=None):
        return values_shape[0], values_shape[2]

    def get_config(self):  # the one that Keras guesses fails where `dtype` is a policy
        return super().get_config()


@keras.saving.register_keras_serializable(package="seqnlp")
class LastPooling(_Pooling):
    """The values at the last real token: `(batch, time, units)` -> `(batch, units)`."""

    def pool(self, values, mask):
        _, last = first_and_last(mask)
        return ops.sum(ops.where(last[..., None], values, 0), axis=1)


@keras.saving.register_keras_serializable(package="seqnlp")
class MaxPooling(_Pooling):
    """The largest value of each unit: `(batch, time, units)` -> `(batch, units)`."""

    def pool(self, values, mask):
        lowest = -1e30 if values.dtype != "float16" else -6e4
        largest = ops.max(ops.where(mask[..., None], values, lowest), axis=1)
        return ops.where(ops.any(mask, axis=1)[:, None], largest, 0)


@keras.saving.register_keras_serializable(package="seqnlp")
class MeanPooling(_Pooling):
    """The mean of each unit: `(batch, time, units)` -> `(batch, units)`."""

    def pool(self, values, mask):
        total = ops.sum(ops.where(mask[..., None], values, 0), axis=1)
        number = ops.sum(ops.cast(mask, values.dtype), axis=1)[:, None]
        return total / ops.maximum(number, 1)
