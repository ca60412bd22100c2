"""Recurrent layers: vanilla, GRU and LSTM."""

import keras

from seqnlp.layers.recurrence import gru, lstm, vanilla_rnn
from seqnlp.layers.recurrent_layer import RecurrentLayer


@keras.saving.register_keras_serializable(package="seqnlp")
class VanillaRNN(RecurrentLayer):
    """The recurrence of Elman: `h[t] = tanh(x[t] kernel + h[t-1] recurrent_kernel + bias)`.

    Arguments and results are those of `RecurrentLayer`; one state, `h`. Weights are those of
    `keras.layers.SimpleRNN`.

    Reference: https://doi.org/10.1207/s15516709cog1402_1
    """

    recurrence = staticmethod(vanilla_rnn)


@keras.saving.register_keras_serializable(package="seqnlp")
class GRU(RecurrentLayer):
    """Gated recurrent unit, see `seqnlp.layers.recurrence.gru`.

    Arguments and results are those of `RecurrentLayer`, and `reset_after`; one state, `h`.
    Weights are those of `keras.layers.GRU`.

    Args:
        units: Width of one direction's state.
        reset_after: Whether the reset gate acts after the product with the recurrent kernel, as
            in cuDNN and Keras, or before it, as Cho et al. print it.

    Reference: https://arxiv.org/abs/1406.1078, section 2.3
    """

    recurrence = staticmethod(gru)
    cell = "gru"

    def __init__(self, units, *args, reset_after=True, **kwargs):
        super().__init__(units, *args, **kwargs)
        self.reset_after = reset_after

    def get_config(self):
        return {**super().get_config(), "reset_after": self.reset_after}


@keras.saving.register_keras_serializable(package="seqnlp")
class LSTM(RecurrentLayer):
    """Long short-term memory, see `seqnlp.layers.recurrence.lstm`.

    Arguments and results are those of `RecurrentLayer`; two states, hidden and cell. Weights
    are those of `keras.layers.LSTM`; the forget gate's bias starts at one.

    Reference: https://doi.org/10.1162/089976600300015015
    """

    recurrence = staticmethod(lstm)
    cell, states = "lstm", 2
