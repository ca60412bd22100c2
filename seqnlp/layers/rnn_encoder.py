"""Stacks of recurrent layers, in one or both directions."""

import keras

from seqnlp.layers.rnn import GRU, LSTM, VanillaRNN

CELLS = {"vanilla": VanillaRNN, "gru": GRU, "lstm": LSTM}
KERAS_CELLS = {
    "vanilla": keras.layers.SimpleRNN,
    "gru": keras.layers.GRU,
    "lstm": keras.layers.LSTM,
}
IMPLEMENTATIONS = ("seqnlp", "keras")


@keras.saving.register_keras_serializable(package="seqnlp")
class RNNEncoder(keras.layers.Layer):
    """Reads a sequence with a stack of recurrent layers, in one or both directions.

    Dropout is variational (Gal & Ghahramani): one mask a sequence, the same at every step, on
    the inputs of every layer (`dropout`) and on its recurrent state (`recurrent_dropout`).

    Args:
        units: Width of one direction's state.
        cell: "vanilla", "gru" or "lstm".
        num_layers: Depth of the stack.
        bidirectional: Whether each layer also reads from the end; the outputs of both directions,
            side by side, are what the next layer reads.
        residual: Whether each layer's input is added to its output, from the second layer on.
        dropout: Share of the inputs of each layer that is dropped.
        recurrent_dropout: Share of each layer's state that is dropped.
        start: The initial state of calls that give none: "zeros", "learned" or "carried", see
            `seqnlp.layers.LSTM`.
        implementation: "seqnlp", or "keras" for Keras' own layers, which use cuDNN on a GPU and
            know no other start than zeros. Weights are the same, in the same order.
        reset_after: Of "gru": whether the reset gate acts after the product with the recurrent
            kernel, see `seqnlp.layers.GRU`.

    Call arguments:
        inputs: Float tensor `(batch, time, features)`.
        mask: Bool tensor `(batch, time)`, True at real tokens; the state passes over the rest.
        initial_state: None for zeros, or what another encoder of this shape returned.

    Returns:
        `outputs` `(batch, time, units)`, twice as wide if bidirectional, and `state`: a list
        with the final state tensors `(batch, units)` of every layer: one for "vanilla" and
        "gru", two (hidden, cell) for "lstm"; forward ones first if bidirectional.

    Raises:
        ValueError: An argument is out of range, or `start` does not fit the rest.

    Reference: https://arxiv.org/abs/1512.05287, section 4
    """

    def __init__(
        self,
        units,
        cell="lstm",
        num_layers=1,
        bidirectional=True,
        residual=False,
        dropout=0.0,
        recurrent_dropout=0.0,
        start="zeros",
        implementation="seqnlp",
        reset_after=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(units, cell, num_layers, start, implementation)
        self.units = units
        self.cell = cell
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.residual = residual
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.start = start
        self.implementation = implementation
        self.reset_after = reset_after
        self.supports_masking = True
        make = self._layer if implementation == "seqnlp" else self._keras_layer
        self.layers = [make(f"layer_{depth}") for depth in range(num_layers)]

    def _layer(self, name):
        return CELLS[self.cell](
            self.units,
            "both" if self.bidirectional else "forward",
            self.dropout,
            self.recurrent_dropout,
            self.start,
            **self._form(),
            dtype=self.dtype_policy,
            name=name,
        )

    def _form(self):
        return {"reset_after": self.reset_after} if self.cell == "gru" else {}

    def _keras_layer(self, name):
        layer = KERAS_CELLS[self.cell](
            self.units,
            return_sequences=True,
            return_state=True,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
            **self._form(),
            dtype=self.dtype_policy,
            name=name,
        )
        if self.bidirectional:
            return keras.layers.Bidirectional(layer, dtype=self.dtype_policy, name=layer.name)
        return layer

    def build(self, inputs_shape, mask_shape=None, initial_state_shape=None):
        width = self.units * (2 if self.bidirectional else 1)
        for depth, layer in enumerate(self.layers):
            features = width if depth else inputs_shape[-1]
            layer.build((*inputs_shape[:-1], features))

    def call(self, inputs, mask=None, initial_state=None, training=None):
        outputs, final_state = inputs, []
        for depth, layer in enumerate(self.layers):
            state = None if initial_state is None else list(initial_state[depth])
            result, *layer_state = layer(
                outputs, mask=mask, initial_state=state, training=training
            )
            if self.implementation == "seqnlp":
                (layer_state,) = layer_state
            outputs = result + outputs if self.residual and depth else result
            final_state.append(layer_state)
        return outputs, final_state

    def reset_state(self):
        """Makes an encoder with start="carried" begin anew, with zeros."""
        for layer in self.layers if self.start == "carried" else []:
            layer.reset_state()

    def compute_mask(self, inputs, mask=None, initial_state=None):
        states = len(self.layers) * (2 if self.cell == "lstm" else 1)
        return mask, [None] * states * (2 if self.bidirectional else 1)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "cell": self.cell,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "residual": self.residual,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "start": self.start,
            "implementation": self.implementation,
            "reset_after": self.reset_after,
        }


def _check(units, cell, num_layers, start, implementation):
    """A `ValueError` where they make no encoder; the layers check what else they are given."""
    if cell not in CELLS:
        raise ValueError(
            f"`cell` must be one of {', '.join(map(repr, CELLS))}. Received: cell={cell!r}"
        )
    if implementation not in IMPLEMENTATIONS:
        raise ValueError(
            f"`implementation` must be one of {IMPLEMENTATIONS}. "
            f"Received: implementation={implementation!r}"
        )
    if implementation == "keras" and start != "zeros":
        raise ValueError(
            f"`start` must be 'zeros' with implementation='keras'. Received: start={start!r}"
        )
    for name, value in (("units", units), ("num_layers", num_layers)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
