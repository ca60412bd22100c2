"""The recurrent decoder with attention."""

import keras
from keras import ops, tree

from seqnlp.layers.attention import Attention
from seqnlp.layers.decoder_step import Weights, advance
from seqnlp.layers.readout import LEARNED, check_readout, read_out, width_of
from seqnlp.layers.recurrence import Direction, gru, lstm, prepared, vanilla_rnn
from seqnlp.layers.recurrent_weights import add_recurrent_weights
from seqnlp.layers.weighted_scan import weighted_scan

RECURRENCES = {"vanilla": vanilla_rnn, "gru": gru, "lstm": lstm}
ATTEND = ("before", "after")


@keras.saving.register_keras_serializable(package="seqnlp")
class RNNDecoder(keras.layers.Layer):
    """Recurrent layers that attend to a memory and write one vector a step.

    With `attend="before"` the state before the step asks, and what it finds enters the cell
    (Bahdanau et al.); with "after" the new state asks (Luong et al.):

        before: c[t] = attention(s[t-1]);   s[t] = cell([x[t]; c[t]], s[t-1])
        after:  s[t] = cell(x[t], s[t-1]);  c[t] = attention(s[t])

    | `readout` | output |
    |---|---|
    | "state" | `s` |
    | "context" | `c` |
    | "linear" | `W [c; s]` |
    | "tanh" | `tanh(W [c; s] + b)` |
    | "maxout" | the larger of `a` and `b`, the two halves of `W [s; x; c] + b` |

    Args:
        units: Width of a layer's state.
        cell: "vanilla", "gru" or "lstm".
        num_layers: Depth; attention asks with the state of the last layer, and enters the first.
        attention: A `seqnlp.layers.Attention`, or None: the memory then counts only by the
            initial state.
        attend: "before" or "after".
        input_feeding: Whether the output of a step enters the first layer at the next one (Luong
            et al., section 3.3), which is for attend="after" with a readout "context", "linear"
            or "tanh"; or the name of that which enters in place of the output.
        readout: A name of the table; None is "state" without attention, "maxout" with
            attend="before", else "tanh".
        readout_units: Width of what is read out with weights; None is `units`.
        dropout: Share dropped of the inputs of each layer, the same at every step.
        reset_after: Of "gru": whether the reset gate acts after the product with the recurrent
            kernel, see `seqnlp.layers.GRU`; the papers print it before.

    Call arguments:
        inputs: Float tensor `(batch, target, features)`, the vectors of the tokens so far.
        initial_state: List with the state tensors `(batch, units)` of every layer: one for
            "vanilla" and "gru", two (hidden, cell) for "lstm". None for zeros.
        value: Float tensor `(batch, source, value_units)`, the memory, for attention.
        value_mask: Bool tensor `(batch, source)`, True at real tokens.
        inputs_mask: Bool tensor `(batch, target)`, True at real tokens; the state passes over the
            rest. None where padding stands at the end alone, and so comes after all that counts.

    Returns:
        `outputs` `(batch, target, output_units)`, and `weights` float32
        `(batch, target, source)`, None without attention.

    Raises:
        ValueError: An argument is out of range, or they do not fit each other.

    Reference: https://arxiv.org/abs/1409.0473, sections A.1 and A.2;
    https://arxiv.org/abs/1508.04025, section 3
    """

    def __init__(
        self,
        units,
        cell="gru",
        num_layers=1,
        attention=None,
        attend="before",
        input_feeding=False,
        readout=None,
        readout_units=None,
        dropout=0.0,
        reset_after=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if readout is None:
            readout = "maxout" if attend == "before" else "tanh"
            readout = "state" if attention is None else readout
        _check(units, cell, num_layers, attention, attend, dropout)
        check_readout(attention, attend, input_feeding, readout, readout_units)
        self.units = units
        self.cell = cell
        self.num_layers = num_layers
        self.attention = attention
        self.attend = attend
        self.input_feeding = input_feeding
        self.readout = readout
        self.readout_units = readout_units
        self.fed = readout if input_feeding is True else input_feeding or None
        self.learned = next((name for name in (readout, self.fed) if name in LEARNED), None)
        self.dropout = dropout
        self.reset_after = reset_after
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator()

    def build(
        self,
        inputs_shape,
        initial_state_shape=None,
        value_shape=None,
        value_mask_shape=None,
        inputs_mask_shape=None,
    ):
        self.features, context = inputs_shape[-1], 0
        if self.attention is not None:
            if value_shape is None:
                raise ValueError("`value` must be given to attend to. Received: value=None")
            context = value_shape[-1]
            if not self.attention.built:  # one that comes from a `.keras` file is
                query_shape = (inputs_shape[0], 1, self.units)
                self.attention.build(query_shape, value_shape)
        self.fed_units = 0 if self.fed is None else self._width(self.fed, context)
        enters = context if self.attend == "before" else self.fed_units
        widths = [self.features + enters, *[self.units] * (self.num_layers - 1)]
        self.cells = [
            add_recurrent_weights(self, self.cell, width, f"{{}}_{depth}", self.reset_after)
            for depth, width in enumerate(widths)
        ]
        if self.learned:
            self._build_readout(context)

    def _build_readout(self, context):
        maxout = self.learned == "maxout"
        width = self.units + context + maxout * self.features
        columns = self._width(self.learned, context) * (1 + maxout)
        self.readout_kernel = self.add_weight(
            name="readout_kernel", shape=(width, columns), initializer="glorot_uniform"
        )
        self.readout_bias = None
        if self.learned != "linear":
            self.readout_bias = self.add_weight(
                name="readout_bias", shape=(columns,), initializer="zeros"
            )

    def _width(self, readout, value_units):
        return width_of(readout, self.units, value_units, self.readout_units or self.units)

    def output_units(self, value_units=None):
        """Width of the output; that of the memory's values counts for readout="context" alone."""
        return self._width(self.readout, value_units)

    def call(
        self,
        inputs,
        initial_state=None,
        value=None,
        value_mask=None,
        inputs_mask=None,
        training=None,
    ):
        mask = inputs_mask
        batch, time = ops.shape(inputs)[:2]
        dropped = self.draw_dropped(batch) if training else {}
        inputs = ops.cast(inputs, self.compute_dtype)
        if mask is not None:
            inputs = ops.where(mask[..., None], inputs, 0)
        if initial_state is None:
            zeros = ops.zeros((batch, self.units))
            initial_state = [[zeros] * (1 + (self.cell == "lstm")) for _ in self.cells]
        read = inputs * dropped["inputs"][:, None] if dropped else inputs
        if self.attention is None or (self.attend == "after" and not self.fed):
            hidden = self._hidden(read, initial_state, mask, dropped)
            if self.attention is None:
                return self._read_out(hidden, None, inputs), None
            context, weights = self.attention(
                hidden, value, value_mask=value_mask, query_mask=mask, training=bool(training)
            )
            return self._read_out(hidden, context, inputs), weights
        memory = self.attention.memory(value, value_mask)
        weights = self._weights()
        constants = {**weights.constants, "dropped": dropped, "memory": memory}
        state = self.initial_state(initial_state, memory)
        xs = {"sums": weights.project(ops.transpose(read, (1, 0, 2)))}
        xs |= self.of_steps(batch, time, mask, memory, training)

        def step(product, state, x, constants):
            return advance(self, weights, product, state, x, constants, bool(training))

        _, found = weighted_scan(step, weights.products, state, xs, constants)
        found = {name: ops.transpose(x, (1, 0, 2)) for name, x in found.items()}
        return self._written(found, inputs), found["weights"]

    def of_steps(self, batch, time, mask=None, memory=None, training=False):
        """What a step is told beside its inputs, of all steps: its number, padding, and noise.

        Args:
            batch: Number of sentences.
            time: Number of steps.
            mask: Bool tensor `(batch, time)`, True at real tokens; None if all are.
            memory: As of `initial_state`.
            training: Whether this is training, where attention may draw noise.

        Returns:
            Dict of tensors whose first axis is `time`: `position` float32 `(time, batch)`; with a
            mask, bool `mask` `(time, batch, 1)`; with `sigmoid_noise`, in training, `noise`
            float32 `(time, batch, 1, source)`.
        """
        if mask is None:
            found = {"position": ops.repeat(ops.arange(time)[:, None], batch, axis=1)}
        else:
            mask = ops.transpose(mask)
            position = ops.maximum(ops.cumsum(ops.cast(mask, "int32"), axis=0) - 1, 0)
            found = {"position": position, "mask": mask[..., None]}
        found["position"] = ops.cast(found["position"], "float32")
        if training and memory is not None and self.attention.sigmoid_noise:
            source = ops.shape(memory["mask"])[1]
            found["noise"] = self.attention.draw_noise((time, batch, 1, source))
        return found

    def _hidden(self, read, initial_state, mask, dropped):
        """States of the last layer: the layers one after the other."""
        hidden = read
        mask = None if mask is None else ops.transpose(mask)
        for depth, (cell, state) in enumerate(zip(self.cells, initial_state, strict=True)):
            if depth and dropped:
                hidden = hidden * dropped[f"hidden_{depth}"][:, None]
            cell = tuple(ops.cast(weight, self.compute_dtype) for weight in cell)
            state = [ops.cast(tensor, self.compute_dtype) for tensor in state]
            direction = Direction(ops.transpose(hidden, (1, 0, 2)), cell, state)
            ((hidden, _),) = RECURRENCES[self.cell]([direction], mask)
            hidden = ops.transpose(hidden, (1, 0, 2))
        return hidden

    def _written(self, found, inputs):
        """Outputs of what `advance` found, of one step or of all."""
        if self.fed == self.readout:
            return ops.cast(found["fed"], self.compute_dtype)
        return self._read_out(found["hidden"], found.get("context"), inputs)

    def _read_out(self, hidden, context, inputs):
        """Outputs from states, contexts and inputs, of one step or of all."""

        def multiply(parts):
            return ops.matmul(parts, ops.cast(self.readout_kernel, self.compute_dtype))

        bias = self._readout_bias(self.compute_dtype)
        parts = hidden, context, inputs
        parts = [x if x is None else ops.cast(x, self.compute_dtype) for x in parts]
        return read_out(self.readout, *parts, multiply, bias)

    def _readout_bias(self, dtype):
        has_one = self.learned not in (None, "linear")
        return ops.cast(self.readout_bias, dtype) if has_one else None

    def initial_state(self, initial_state, memory=None):
        """What `step` carries, before the first.

        Args:
            initial_state: As of a call.
            memory: What `attention.memory` gave, or None without attention.

        Returns:
            Dict of float32 tensors: `layers`, with attention `alignment` `(batch, source)`, with
            input feeding what is `fed`.
        """
        layers = [[ops.cast(x, "float32") for x in state] for state in initial_state]
        state = {"layers": layers}
        if self.attention is not None:
            state["alignment"] = ops.zeros_like(ops.cast(memory["mask"], "float32"))
        if self.fed:
            state["fed"] = ops.zeros((ops.shape(layers[0][0])[0], self.fed_units))
        return state

    def step(
        self,
        inputs,
        state,
        memory=None,
        position=0,
        mask=None,
        noise=None,
        dropped=None,
        training=False,
    ):
        """One step of decoding, or of training where each step's input is known only then.

        Args:
            inputs: Float tensor `(rows, features)`; rows may be several a sentence.
            state: As `initial_state` gives it, or as a step returned it.
            memory: As of `initial_state`, a row a sentence.
            position: Number of the step, from 0, a scalar or `(rows,)`.
            mask: Bool tensor `(rows, 1)`, True at real tokens; the state passes over the rest.
                None if all are.
            noise: What `of_steps` has of this step; needed in training with `sigmoid_noise`.
            dropped: What `draw_dropped` gave, for all steps; None to drop nothing.
            training: Whether this is training: monotonic alignments differ.

        Returns:
            `outputs` `(rows, output_units)` and the state.
        """
        inputs = ops.cast(inputs, self.compute_dtype)
        weights, dropped = self._weights(), dropped or {}
        constants = {**weights.constants, "dropped": dropped, "memory": memory}
        position = ops.broadcast_to(ops.cast(position, "float32"), ops.shape(inputs)[:1])
        told = {"mask": mask, "noise": noise}
        x = {name: tensor for name, tensor in told.items() if tensor is not None}
        if mask is not None:
            inputs = ops.where(mask, inputs, 0)
        read = inputs * dropped["inputs"] if dropped else inputs
        x |= {"sums": weights.project(read), "position": position}
        state, found = advance(self, weights, weights.product, state, x, constants, training)
        return self._written(found, inputs), state

    def _weights(self):
        dtype = self.compute_dtype
        cells = [
            prepared(self.cell, *(ops.cast(weight, dtype) for weight in cell))
            for cell in self.cells
        ]
        readout = None
        if self.fed in LEARNED:
            readout = ops.cast(self.readout_kernel, dtype), self._readout_bias("float32")
        return Weights(cells, self.features, readout, self.attention)

    def draw_dropped(self, batch):
        """The dropout of a sequence: a factor `(batch, width)` for each input that it is for.

        A dict, empty without dropout. The random state may not change inside a loop.
        """
        if not self.dropout:
            return {}
        widths = {"inputs": self.features}
        widths |= {f"hidden_{depth}": self.units for depth in range(1, self.num_layers)}
        entering = self.cells[0][0].shape[0] - self.features
        if entering:
            widths["entering"] = entering
        ones = {name: ops.ones((batch, width)) for name, width in widths.items()}
        seed = self.seed_generator
        kept = {name: keras.random.dropout(x, self.dropout, seed=seed) for name, x in ones.items()}
        return tree.map_structure(lambda x: ops.cast(x, self.compute_dtype), kept)

    def compute_mask(self, inputs, mask=None):
        return mask, None

    def get_config(self):
        attention = self.attention and keras.saving.serialize_keras_object(self.attention)
        return {
            **super().get_config(),
            "units": self.units,
            "cell": self.cell,
            "num_layers": self.num_layers,
            "attention": attention,
            "attend": self.attend,
            "input_feeding": self.input_feeding,
            "readout": self.readout,
            "readout_units": self.readout_units,
            "dropout": self.dropout,
            "reset_after": self.reset_after,
        }

    @classmethod
    def from_config(cls, config):
        attention = config["attention"]
        attention = attention and keras.saving.deserialize_keras_object(attention)
        return cls(**{**config, "attention": attention})


def _check(units, cell, num_layers, attention, attend, dropout):
    """A `ValueError` where they make no decoder."""
    for name, value, choices in (
        ("cell", cell, tuple(RECURRENCES)),
        ("attend", attend, ATTEND),
    ):
        if value not in choices:
            raise ValueError(f"`{name}` must be one of {choices}. Received: {name}={value!r}")
    for name, value in (("units", units), ("num_layers", num_layers)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout}")
    if attention is not None and not isinstance(attention, Attention):
        raise ValueError(
            "`attention` must be None or an attention layer such as BahdanauAttention. "
            f"Received: attention={attention!r}"
        )
