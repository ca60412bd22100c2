"""Recurrent layers: vanilla, GRU and LSTM."""

import keras
from keras import ops

from seqnlp.layers import recurrence
from seqnlp.layers.recurrent_layer import RecurrentLayer


@keras.saving.register_keras_serializable(package="seqnlp")
class VanillaRNN(RecurrentLayer):
    """The recurrence of Elman: `h[t] = tanh(x[t] kernel + h[t-1] recurrent_kernel + bias)`.

    Arguments and results are those of `RecurrentLayer`; one state, `h`. Weights are those of
    `keras.layers.SimpleRNN`.

    Reference: https://doi.org/10.1207/s15516709cog1402_1
    """

    def recur(self, inputs, weights, *rest):
        kernel, recurrent_kernel, bias = weights
        return recurrence.vanilla_rnn(ops.matmul(inputs, kernel) + bias, recurrent_kernel, *rest)


@keras.saving.register_keras_serializable(package="seqnlp")
class GRU(RecurrentLayer):
    """Gated recurrent unit, see `seqnlp.layers.recurrence.gru`.

    Arguments and results are those of `RecurrentLayer`, and `reset_after`; one state, `h`.
    Weights are those of `keras.layers.GRU`.

    Args:
        reset_after: Whether the reset gate acts after the product with the recurrent kernel, as
            in cuDNN and Keras, or before it, as Cho et al. print it.

    Reference: https://arxiv.org/abs/1406.1078, section 2.3
    """

    gates = 3

    def __init__(self, units, *args, reset_after=True, **kwargs):
        super().__init__(units, *args, **kwargs)
        self.reset_after = reset_after

    def bias_shape(self):
        width = self.gates * self.units
        return (2, width) if self.reset_after else (width,)

    def recur(self, inputs, weights, *rest):
        kernel, recurrent_kernel, bias = weights
        candidate = None
        if self.reset_after:  # what the gates add needs no second bias, and the candidate does
            gates, candidate = ops.split(bias[1], [2 * self.units])
            bias = bias[0] + ops.pad(gates, [[0, self.units]])
        projected = ops.matmul(inputs, kernel) + bias
        return recurrence.gru(projected, recurrent_kernel, *rest, bias=candidate)

    def get_config(self):
        return {**super().get_config(), "reset_after": self.reset_after}


@keras.saving.register_keras_serializable(package="seqnlp")
class LSTM(RecurrentLayer):
    """Long short-term memory, see `seqnlp.layers.recurrence.lstm`.

    Arguments and results are those of `RecurrentLayer`; two states, hidden and cell. Weights
    are those of `keras.layers.LSTM`; the forget gate's bias starts at one.

    Reference: https://doi.org/10.1162/089976600300015015
    """

    gates, states = 4, 2

    def initial_bias(self, shape, dtype=None):
        zeros, ones = (make((self.units,), dtype=dtype) for make in (ops.zeros, ops.ones))
        return ops.concatenate([zeros, ones, zeros, zeros])

    def recur(self, inputs, weights, *rest):
        kernel, recurrent_kernel, bias = map(_candidate_last, weights)
        return recurrence.lstm(ops.matmul(inputs, kernel) + bias, recurrent_kernel, *rest)


def _candidate_last(weight):
    """From Keras' order (input, forget, candidate, output) to that of `recurrence.lstm`."""
    enter, forget, candidate, leave = ops.split(weight, 4, axis=-1)
    return ops.concatenate([enter, forget, leave, candidate], axis=-1)
