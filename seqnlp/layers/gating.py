"""Layers whose gates choose, unit by unit, what goes through."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqnlp")
class Highway(keras.layers.Layer):
    """A layer that a gate can skip, of the width of its input:

        gate = sigmoid(x W_gate + b_gate)
        y = gate * activation(x W + b) + (1 - gate) * x

    Args:
        activation: Name of the activation.
        gate_bias: Where the gate's bias begins; below zero, most of the input is carried over
            at first.

    Call arguments:
        inputs: Float tensor `(..., units)`.

    Returns:
        Tensor of the shape of `inputs`.

    Reference: https://arxiv.org/abs/1505.00387, section 2; the defaults are those of
    https://arxiv.org/abs/1508.06615, sections 2.3 and 3.3
    """

    def __init__(self, activation="relu", gate_bias=-2.0, **kwargs):
        super().__init__(**kwargs)
        self.activation = activation
        self.gate_bias = gate_bias
        self.activate = keras.activations.get(activation)
        self.supports_masking = True

    def build(self, inputs_shape):
        units = inputs_shape[-1]
        bias = keras.initializers.Constant(self.gate_bias)
        policy = {"dtype": self.dtype_policy}
        self.projection = keras.layers.Dense(units, name="projection", **policy)
        self.gate = keras.layers.Dense(units, bias_initializer=bias, name="gate", **policy)
        self.projection.build(inputs_shape)
        self.gate.build(inputs_shape)

    def call(self, inputs):
        gate = ops.sigmoid(self.gate(inputs))  # (..., units)
        return gate * self.activate(self.projection(inputs)) + (1 - gate) * inputs

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "activation": self.activation,
            "gate_bias": self.gate_bias,
        }


def gated_linear_unit(values):
    """The first half of the units, gated by the second: `(..., 2 * units)` -> `(..., units)`.

    Reference: https://arxiv.org/abs/1612.08083, section 2
    """
    linear, gate = ops.split(values, 2, axis=-1)
    return linear * ops.sigmoid(gate)


@keras.saving.register_keras_serializable(package="seqnlp")
class GatedLinearUnit(keras.layers.Layer):
    """Lets half of its input through the gates that the other half opens:

        y = a * sigmoid(b), where a, b are the two halves of x

    What is linear in `a` gives the gradient a way that no gate narrows twice. It has no weights:
    they are in the dense layer or the convolution before it.

    Call arguments:
        inputs: Float tensor `(..., 2 * units)`.

    Returns:
        Tensor `(..., units)`.

    Raises:
        ValueError: The width of `inputs` is odd.

    Reference: https://arxiv.org/abs/1612.08083, section 2
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, inputs_shape):
        if inputs_shape[-1] % 2:
            raise ValueError(
                "`inputs` must have an even width, values and gates. "
                f"Received: inputs.shape={tuple(inputs_shape)}"
            )

    def call(self, inputs):
        return gated_linear_unit(inputs)

    def compute_output_shape(self, inputs_shape):
        return *inputs_shape[:-1], inputs_shape[-1] // 2

    def get_config(self):  # the one that Keras guesses fails where `dtype` is a policy
        return super().get_config()
