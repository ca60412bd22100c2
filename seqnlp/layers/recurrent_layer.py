"""What the recurrent layers share."""

import keras
from keras import ops

from seqnlp.layers.recurrence import Direction
from seqnlp.layers.recurrent_weights import add_recurrent_weights

DIRECTIONS = ("forward", "backward", "both")
STARTS = ("zeros", "learned", "carried")


class RecurrentLayer(keras.layers.Layer):
    """What the recurrent layers share: a child says what a step computes.

    Weights and their order are those of Keras' layer, of `keras.layers.Bidirectional` with
    `direction="both"`: `set_weights(keras_layer.get_weights())` works, and the other way round.
    Unlike there, the outputs of a layer that reads backward are in the order of its inputs.

    Dropout is variational (Gal & Ghahramani): one mask a sequence, the same at every step.

    Args:
        units: Width of one direction's state.
        direction: "forward", "backward" (reads from the end), or "both".
        dropout: Share of the inputs that is dropped.
        recurrent_dropout: Share of the state that is dropped where it enters a step's products;
            all gates share the mask.
        start: The initial state of calls that give none: "zeros"; "learned", a weight; or
            "carried", where row i of a batch goes on where row i of the last batch ended, in
            training and in inference, until `reset_state()`; calls that give a state leave it
            alone. It needs a fixed batch size, and "forward"; no gradient flows from one batch
            into the one before.

    A language model of a long text carries its state: cut the text into as many strands as a
    batch has rows, give `fit` a piece of each strand at a time with `shuffle=False`, and call
    `reset_state()` where the strands begin anew, between epochs say.

    Call arguments:
        inputs: Float tensor `(batch, time, features)`.
        mask: Bool tensor `(batch, time)`, True at real tokens; the state passes over the rest.
        initial_state: None, or what another layer of this kind returned as state.

    Returns:
        `outputs` `(batch, time, units)`, twice as wide with "both", and `state`: a list of the
        final state tensors `(batch, units)`, those of the forward direction first. At padding
        the outputs repeat the state.

    Raises:
        ValueError: An argument is out of range, `start` does not fit the `direction`, or the
            inputs or `initial_state` have a wrong shape or number.

    Reference: https://arxiv.org/abs/1512.05287, section 4
    """

    cell, states, reset_after = "vanilla", 1, True

    def __init__(
        self,
        units,
        direction="forward",
        dropout=0.0,
        recurrent_dropout=0.0,
        start="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"`units` must be at least 1. Received: units={units}")
        if direction not in DIRECTIONS:
            raise ValueError(
                f"`direction` must be one of {DIRECTIONS}. Received: direction={direction!r}"
            )
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"`{name}` must be in [0, 1). Received: {name}={rate}")
        if start not in STARTS:
            raise ValueError(f"`start` must be one of {STARTS}. Received: start={start!r}")
        if start == "carried" and direction != "forward":
            raise ValueError(
                "`start` must not be 'carried' where a layer reads from the end. "
                f"Received: start={start!r} with direction={direction!r}"
            )
        self.units = units
        self.direction = direction
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.start = start
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator()
        self.reversals = {"forward": [False], "backward": [True], "both": [False, True]}[direction]

    def build(self, inputs_shape, mask_shape=None, initial_state_shape=None):
        if len(inputs_shape) != 3:
            raise ValueError(
                "`inputs` must have shape (batch, time, features). "
                f"Received: inputs.shape={tuple(inputs_shape)}"
            )
        self.directions = [self._build_direction(inputs_shape[-1], r) for r in self.reversals]
        number = len(self.reversals) * self.states
        self.initial = []
        if self.start == "learned":
            self.initial = [
                self.add_weight(name=f"initial_{at}", shape=(self.units,), initializer="zeros")
                for at in range(number)
            ]
        elif self.start == "carried":
            if inputs_shape[0] is None:
                raise ValueError(
                    "`inputs` must have a fixed batch size with start='carried'. "
                    f"Received: inputs.shape={tuple(inputs_shape)}"
                )
            shape = (inputs_shape[0], self.units)
            self.initial = [
                self.add_weight(
                    name=f"carried_{at}", shape=shape, initializer="zeros", trainable=False
                )
                for at in range(number)
            ]

    def _build_direction(self, features, reverse):
        name = "backward_{}" if reverse else "{}"
        return add_recurrent_weights(self, self.cell, features, name, self.reset_after)

    def call(self, inputs, mask=None, initial_state=None, training=None):
        given = initial_state is not None
        initial_state = self._initial_state(inputs, initial_state)
        if mask is not None:
            mask = ops.transpose(ops.cast(mask, "bool"))  # (time, batch)
        directions = [
            self._direction(inputs, weights, initial_state[at * self.states :], reverse, training)
            for at, (reverse, weights) in enumerate(
                zip(self.reversals, self.directions, strict=True)
            )
        ]
        outputs, final_state = zip(*self.recurrence(directions, mask), strict=True)
        final_state = [tensor for states in final_state for tensor in states]
        if self.start == "carried" and not given:
            for variable, tensor in zip(self.initial, final_state, strict=True):
                variable.assign(tensor)
        outputs = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=-1)
        return ops.transpose(outputs, (1, 0, 2)), final_state

    def _direction(self, inputs, weights, state, reverse, training):
        state_dropout = None
        if training and self.recurrent_dropout:
            state_dropout = self._kept(ops.shape(inputs)[0], self.units, self.recurrent_dropout)
        if training and self.dropout:
            kept = self._kept(ops.shape(inputs)[0], inputs.shape[-1], self.dropout)
            inputs = inputs * kept[:, None]
        inputs = ops.transpose(inputs, (1, 0, 2))  # (time, batch, features)
        weights = tuple(ops.convert_to_tensor(weight) for weight in weights)
        return Direction(inputs, weights, state[: self.states], state_dropout, reverse)

    def _kept(self, batch, width, rate):
        """Zeros at what is dropped, a little more than one elsewhere, `(batch, width)`."""
        ones = ops.ones((batch, width), dtype=self.compute_dtype)
        return keras.random.dropout(ones, rate, seed=self.seed_generator)

    def _initial_state(self, inputs, given):
        number = len(self.reversals) * self.states
        if given is not None:
            if len(given) != number:
                raise ValueError(
                    f"`initial_state` must hold {number} tensors (batch, units). "
                    f"Received: {len(given)} tensors"
                )
            return [ops.cast(tensor, self.compute_dtype) for tensor in given]
        initial = [ops.cast(tensor, self.compute_dtype) for tensor in self.initial]
        if self.start == "carried":
            return initial
        shape = (ops.shape(inputs)[0], self.units)
        if self.start == "learned":
            return [ops.broadcast_to(tensor, shape) for tensor in initial]
        return [ops.zeros(shape, dtype=self.compute_dtype)] * number

    def reset_state(self):
        """Makes a layer with start="carried" begin anew, with zeros."""
        for variable in self.initial if self.start == "carried" else []:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def compute_mask(self, inputs, mask=None, initial_state=None):
        return mask, [None] * len(self.reversals) * self.states

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "direction": self.direction,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "start": self.start,
        }
