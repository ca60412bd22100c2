"""What tells an attention layer the order of the tokens: a vector for each position."""

import math

import keras
from keras import ops

from seqnlp.layers.masking import positions_of


def sine_positions(positions, units):
    """Sines and cosines of wavelengths from 2 pi to 20000 pi.

        vector[p, 2i]     = sin(p / 10000^(2i / units))
        vector[p, 2i + 1] = cos(p / 10000^(2i / units))

    Args:
        positions: Int tensor `(...)`.
        units: Width of a vector.

    Returns:
        Float32 tensor `(..., units)`.

    Reference: https://arxiv.org/abs/1706.03762, section 3.5
    """
    pairs = ops.arange((units + 1) // 2, dtype="float32")
    frequency = ops.exp(pairs * (-2 * math.log(10000) / units))
    angle = ops.cast(positions, "float32")[..., None] * frequency  # (..., pairs)
    both = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)  # (..., pairs, 2)
    both = ops.reshape(both, (*ops.shape(positions), 2 * ((units + 1) // 2)))
    return both[..., :units]


class _Positions(keras.layers.Layer):
    """Adds to the vector of each token that of its position.

    Positions count real tokens: padding, wherever it stands, moves none of them. A child gives
    `table`.

    Call arguments:
        inputs: Float tensor `(batch, time, units)`.
        mask: Bool tensor `(batch, time)`, True at real tokens.

    Returns:
        `(batch, time, units)`.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, inputs_shape, mask_shape=None):
        self.units = inputs_shape[-1]

    def table(self, time):
        """Vectors of the positions below `time`, `(time, units)`."""
        raise NotImplementedError

    def at(self, position):
        """Vector of one position, an int scalar tensor: `(units,)`."""
        raise NotImplementedError

    def call(self, inputs, mask=None):
        table = ops.cast(self.table(ops.shape(inputs)[1]), inputs.dtype)
        if mask is None:
            return inputs + table
        return inputs + ops.take(table, positions_of(mask), axis=0)

    def compute_output_shape(self, inputs_shape, mask_shape=None):
        return inputs_shape

    def get_config(self):  # the one that Keras guesses fails where `dtype` is a policy
        return super().get_config()


@keras.saving.register_keras_serializable(package="seqnlp")
class SinePositions(_Positions):
    """Adds to the vector of each token sines of its position, see `sine_positions`.

    Positions count real tokens: padding, wherever it stands, moves none of them.

    Call arguments:
        inputs: Float tensor `(batch, time, units)`.
        mask: Bool tensor `(batch, time)`, True at real tokens.

    Returns:
        `(batch, time, units)`.

    Reference: https://arxiv.org/abs/1706.03762, section 3.5
    """

    def table(self, time):
        return sine_positions(ops.arange(time, dtype="int32"), self.units)

    def at(self, position):
        return ops.cast(sine_positions(position, self.units), self.compute_dtype)


@keras.saving.register_keras_serializable(package="seqnlp")
class LearnedPositions(_Positions):
    """Adds to the vector of each token a learned one of its position.

    Positions count real tokens: padding, wherever it stands, moves none of them.

    Args:
        max_length: Number of positions.

    Call arguments:
        inputs: Float tensor `(batch, time, units)`, `time` at most `max_length`; where it is not
            known beforehand, the tokens beyond share the last vector.
        mask: Bool tensor `(batch, time)`, True at real tokens.

    Returns:
        `(batch, time, units)`.

    Raises:
        ValueError: `max_length` is below 1, or the inputs are longer.

    Reference: https://arxiv.org/abs/1705.03122, section 3.1
    """

    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        if max_length < 1:
            raise ValueError(f"`max_length` must be at least 1. Received: max_length={max_length}")
        self.max_length = max_length

    def build(self, inputs_shape, mask_shape=None):
        super().build(inputs_shape)
        self.vectors = self.add_weight(
            name="vectors",
            shape=(self.max_length, self.units),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def table(self, time):
        self.check_length(time)
        places = ops.minimum(ops.arange(time, dtype="int32"), self.max_length - 1)
        return ops.take(self.vectors, places, axis=0)

    def at(self, position):
        place = ops.minimum(position, self.max_length - 1)
        return ops.cast(ops.take(self.vectors, place, axis=0), self.compute_dtype)

    def check_length(self, time):
        """A `ValueError` where `time`, as far as it is known, is above `max_length`."""
        if isinstance(time, int) and time > self.max_length:
            raise ValueError(
                f"`inputs` must have at most `max_length`={self.max_length} tokens. "
                f"Received: inputs with {time} tokens"
            )

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}
