"""Convolutions over time with gates."""

import keras
from keras import ops

from seqnlp.layers.gating import gated_linear_unit
from seqnlp.layers.masking import places_without_padding, take_places
from seqnlp.layers.weight_normalization import WeightNormalized

HALF = 0.5**0.5  # keeps the variance of a sum of two


@keras.saving.register_keras_serializable(package="seqnlp")
class GatedConv(WeightNormalized):
    """A gated convolution over time, added to its input:

        a, b = x[t - left] W[0] + ... + x[t + right] W[kernel_size - 1] + bias
        y[t] = sqrt(1/2) (x[t] + a * sigmoid(b))

    Before the first and behind the last real token stand zeros, and padding between tokens is
    passed over. Weights are normalised. The initial ones keep the variance: that of a linear
    unit with its gate is a quarter of its input's.

    Args:
        units: Width of the outputs.
        kernel_size: Number of tokens that a unit sees.
        causal: Whether they end with the token itself; if not, it is in their middle.
        dropout: Share of the inputs of the convolution that is dropped.
        residual: Whether the input is added; its width must be `units` then.

    Call arguments:
        inputs: Float tensor `(batch, time, features)`.
        mask: Bool tensor `(batch, time)`, True at real tokens. Without one nothing is moved: if
            all padding is at the end and zero already, that gives the same and is faster.

    Returns:
        Tensor `(batch, time, units)`; with a mask, zeros at padding.

    Raises:
        ValueError: A size is below 1, `dropout` not in [0, 1), or the input cannot be added to
            the output.

    Reference: https://arxiv.org/abs/1612.08083, section 2; https://arxiv.org/abs/1705.03122,
    sections 3.2, 3.4 and 3.5
    """

    def __init__(self, units, kernel_size=3, causal=False, dropout=0.0, residual=True, **kwargs):
        super().__init__(**kwargs)
        for name, size in (("units", units), ("kernel_size", kernel_size)):
            if size < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}")
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout}")
        self.units = units
        self.kernel_size = kernel_size
        self.causal = causal
        self.dropout = dropout
        self.residual = residual
        self.input_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, inputs_shape, mask_shape=None):
        features = inputs_shape[-1]
        if self.residual and features != self.units:
            raise ValueError(
                f"`inputs` must be {self.units} wide, as `units` says, to be added to the "
                f"outputs. Received: inputs.shape={tuple(inputs_shape)}"
            )
        self.features = features
        shape = (self.kernel_size, features, 2 * self.units)
        self.add_weights(shape, 4 * (1 - self.dropout))

    def call(self, inputs, mask=None, training=None):
        if mask is None:
            return self._convolve(inputs, training)
        mask = ops.cast(mask, "bool")
        places, origins = places_without_padding(mask)
        values = take_places(ops.where(mask[..., None], inputs, 0), origins)
        return ops.where(mask[..., None], take_places(self._convolve(values, training), places), 0)

    def _convolve(self, inputs, training):
        values = self.input_dropout(inputs, training=training)
        left = self.kernel_size - 1 if self.causal else (self.kernel_size - 1) // 2
        values = ops.pad(values, [[0, 0], [left, self.kernel_size - 1 - left], [0, 0]])
        products = ops.conv(
            values, self.direction(), padding="valid", data_format="channels_last"
        )  # (batch, time, 2 * units)
        return self._gated(inputs, products)

    def initial_buffer(self, rows):
        """What `step` has seen before the first token: zeros."""
        return ops.zeros((rows, self.kernel_size - 1, self.features), dtype=self.compute_dtype)

    def step(self, inputs, buffer):
        """The next token of a causal convolution, without dropout.

        Args:
            inputs: Float tensor `(rows, features)`.
            buffer: The inputs before it `(rows, kernel_size - 1, features)`.

        Returns:
            Outputs `(rows, units)`, and the buffer for the next token.

        Raises:
            ValueError: The layer is not causal.
        """
        if not self.causal:
            raise ValueError(f"`causal` must be True to go by steps. Received: causal={False}")
        window = ops.concatenate([buffer, inputs[:, None]], axis=1)
        flat = ops.reshape(window, (-1, self.kernel_size * self.features))
        kernel = ops.reshape(self.direction(), (-1, 2 * self.units))
        return self._gated(inputs, ops.matmul(flat, kernel)), window[:, 1:]

    def _gated(self, inputs, products):
        outputs = gated_linear_unit(self.finish(products))
        return (outputs + inputs) * HALF if self.residual else outputs

    def compute_output_shape(self, inputs_shape, mask_shape=None):
        return *inputs_shape[:-1], self.units

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_size": self.kernel_size,
            "causal": self.causal,
            "dropout": self.dropout,
            "residual": self.residual,
        }
