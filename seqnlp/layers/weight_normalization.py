"""Weight normalisation: the weights into a unit as a direction and a length."""

import keras
from keras import ops

SMALLEST = 1e-24  # of the squared lengths that have a gradient


def kernel_lengths(kernel):
    """Length of the weights into each unit: `(..., units)` -> float32 `(units,)`."""
    squares = ops.square(ops.cast(kernel, "float32"))
    squares = ops.sum(squares, axis=tuple(range(len(kernel.shape) - 1)))
    return ops.sqrt(ops.maximum(squares, SMALLEST))


class WeightNormalized(keras.layers.Layer):
    """Parent of the layers whose weights are `gain * kernel / length(kernel)`, for each unit.

    What the gain does to the kernel is done to the products instead, which gives the same sums
    without a second kernel.
    """

    def add_weights(self, shape, variance):
        """Makes kernel, gain and bias; a kernel begins normal, its gain as its length.

        Args:
            shape: Shape of the kernel `(..., units)`.
            variance: That of an output for independent inputs of mean square one.
        """
        normal = keras.initializers.VarianceScaling(variance, "fan_in", "untruncated_normal")

        def length_at_first(_, dtype=None):  # the same initializer draws the same numbers
            return ops.cast(kernel_lengths(normal(shape, dtype="float32")), dtype or "float32")

        self.kernel = self.add_weight(shape, initializer=normal, name="kernel")
        self.gain = self.add_weight(shape[-1:], initializer=length_at_first, name="gain")
        self.bias = self.add_weight(shape[-1:], initializer="zeros", name="bias")

    def direction(self):
        """The kernel as it is stored, in the dtype of the computation.

        Said in full, because outside of `call` Keras does not cast.
        """
        return ops.cast(self.kernel, self.compute_dtype)

    def finish(self, products):
        """Outputs `(..., units)` from what inputs and `direction()` gave."""
        scale = ops.cast(self.gain, "float32") / kernel_lengths(self.direction())
        dtype = self.compute_dtype
        return products * ops.cast(scale, dtype) + ops.cast(self.bias, dtype)

    def normalized_kernel(self):
        """The weights that the layer stands for, float32, of the shape of the kernel."""
        kernel = ops.cast(self.kernel, "float32")
        return kernel * (ops.cast(self.gain, "float32") / kernel_lengths(kernel))


@keras.saving.register_keras_serializable(package="seqnlp")
class WeightNormalizedDense(WeightNormalized):
    """A dense layer under weight normalisation:

        y[j] = gain[j] * (x . kernel[:, j]) / |kernel[:, j]| + bias[j]

    It keeps the mean square of its inputs at first, also if part of them was dropped.

    Args:
        units: Width of the outputs.
        dropped: Share of the inputs that a dropout before this layer drops.

    Call arguments:
        inputs: Float tensor `(..., features)`.

    Returns:
        Tensor `(..., units)`.

    Raises:
        ValueError: `units` is below 1, or `dropped` not in [0, 1).

    Reference: https://arxiv.org/abs/1602.07868, section 2; the initial values are those of
    https://arxiv.org/abs/1705.03122, section 3.5
    """

    def __init__(self, units, dropped=0.0, **kwargs):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"`units` must be at least 1. Received: units={units}")
        if not 0 <= dropped < 1:
            raise ValueError(f"`dropped` must be in [0, 1). Received: dropped={dropped}")
        self.units = units
        self.dropped = dropped
        self.supports_masking = True

    def build(self, inputs_shape):
        self.add_weights((inputs_shape[-1], self.units), 1 - self.dropped)

    def call(self, inputs):
        return self.finish(ops.matmul(inputs, self.direction()))

    def compute_output_shape(self, inputs_shape):
        return *inputs_shape[:-1], self.units

    def get_config(self):
        return {**super().get_config(), "units": self.units, "dropped": self.dropped}
