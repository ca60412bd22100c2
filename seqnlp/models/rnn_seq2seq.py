"""Recurrent sequence-to-sequence models, with and without attention."""

import keras
from keras import ops

from seqnlp.layers import FinalState, RNNDecoder, RNNEncoder
from seqnlp.scan import scan

BRIDGES = ("state", "tanh", "backward")
TIED = ("none", "target", "all")


@keras.saving.register_keras_serializable(package="seqnlp")
class RNNSeq2Seq(keras.Model):
    """Reads a sequence with one recurrent network and writes another with a second one.

    The papers' models differ in their parts:

    | paper | encoder | decoder | bridge |
    |---|---|---|---|
    | Sutskever et al. | LSTM, one direction, `reverse_source=True` | LSTM | "state" |
    | Cho et al. | GRU, one direction | `attention=FinalState()` | "tanh" |
    | Bahdanau et al. | GRU, both directions | `BahdanauAttention` | "backward" |
    | Luong et al. | LSTM, one direction | `LuongAttention`, `attend="after"` | "state" |
    | a plain encoder and decoder | vanilla, one direction | vanilla | "state" |

    The GRUs of Cho et al. and Bahdanau et al. have `reset_after=False`. The summary that Cho et
    al. make of a source has a layer with tanh of its own; here it is the final state itself.

        encoder = RNNEncoder(500, "gru")
        decoder = RNNDecoder(1000, "gru", attention=BahdanauAttention(500))
        model = RNNSeq2Seq(8000, 8000, encoder, decoder, bridge="backward")

    Train it with `compile(optimizer, SequenceCrossEntropy())` and `fit(inputs, labels)`; decode
    it with `seqnlp.decoding`. With one vocabulary on both sides and the source as target it is a
    sequence autoencoder.

    Args:
        source_vocabulary_size: Number of source ids; 0 is padding.
        target_vocabulary_size: Number of target ids; 0 is padding.
        encoder: A `seqnlp.layers.RNNEncoder`.
        decoder: A `seqnlp.layers.RNNDecoder`.
        embedding_units: Width of a token's vector.
        bridge: How the decoder's initial state is made: of the encoder's final state as it is
            ("state"; directions side by side), of `tanh(W state + b)` of all of it ("tanh"), or
            of its backward direction alone ("backward").
        tied: Whose vectors are shared: "none", "target" (what scores the next token is the
            table of target vectors), or "all" (so is the table of source vectors).
        reverse_source: Whether the encoder reads the source from its end.
        dropout: Share dropped of the decoder's outputs, and of the embeddings that a layer reads
            which has no dropout of its own.
        scheduled_sampling: Probability that the decoder reads its own sample in training where
            it would read the true token (Bengio et al. 2015).

    Call arguments:
        inputs: Dict of `source_ids` int `(batch, source)` and `target_ids` int
            `(batch, target)`, the start and the tokens so far; 0 is padding.

    Returns:
        Logits of the next token, float32 `(batch, target, target_vocabulary_size)`.

    Raises:
        ValueError: An argument is out of range, or the parts do not fit each other.

    Reference: https://arxiv.org/abs/1409.3215, section 2; https://arxiv.org/abs/1406.1078,
    section 2.2; https://arxiv.org/abs/1409.0473, section 3; https://arxiv.org/abs/1508.04025,
    section 3; scheduled sampling is https://arxiv.org/abs/1506.03099, section 2.4
    """

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        encoder,
        decoder,
        embedding_units=256,
        bridge="tanh",
        tied="none",
        reverse_source=False,
        dropout=0.0,
        scheduled_sampling=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        config = {
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "embedding_units": embedding_units,
            "bridge": bridge,
            "tied": tied,
            "reverse_source": reverse_source,
            "dropout": dropout,
            "scheduled_sampling": scheduled_sampling,
        }
        _check(encoder, decoder, config)
        self.config = config
        self.encoder = encoder
        self.decoder = decoder
        policy = {"dtype": self.dtype_policy}
        self.target_embedding = keras.layers.Embedding(
            target_vocabulary_size, embedding_units, **policy
        )
        self.source_embedding = self.target_embedding
        if tied != "all":
            self.source_embedding = keras.layers.Embedding(
                source_vocabulary_size, embedding_units, **policy
            )
        self.bridges = []
        if bridge != "state":
            states = decoder.num_layers * (2 if decoder.cell == "lstm" else 1)
            self.bridges = [
                keras.layers.Dense(decoder.units, activation="tanh", **policy)
                for _ in range(states)
            ]
        self.output_dropout = keras.layers.Dropout(dropout, **policy)
        self.source_dropout = keras.layers.Dropout(0.0 if encoder.dropout else dropout, **policy)
        self.target_dropout = keras.layers.Dropout(0.0 if decoder.dropout else dropout, **policy)
        self.value_units = encoder.units * (2 if encoder.bidirectional else 1)
        self.read_units = decoder.output_units(self.value_units)
        self.to_embedding = None
        if tied != "none" and self.read_units != embedding_units:
            self.to_embedding = keras.layers.Dense(embedding_units, use_bias=False, **policy)
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, inputs_shape):
        batch, source = inputs_shape["source_ids"]
        target = inputs_shape["target_ids"][1]
        units, vectors = self.config["embedding_units"], (batch, target)
        self.target_embedding.build(vectors)
        if self.source_embedding is not self.target_embedding:
            self.source_embedding.build((batch, source))
        self._build_encoder((batch, source, units))
        if not self.decoder.built:
            value = None if self.decoder.attention is None else (batch, source, self.value_units)
            self.decoder.build((batch, target, units), value_shape=value)
        for bridge in self.bridges:
            bridge.build((batch, self._bridged_width()))
        if self.to_embedding is not None:
            self.to_embedding.build((batch, target, self.read_units))
        size = self.config["target_vocabulary_size"]
        if self.config["tied"] == "none":
            self.output_kernel = self.add_weight(
                name="output_kernel", shape=(self.read_units, size)
            )
        self.output_bias = self.add_weight(name="output_bias", shape=(size,), initializer="zeros")

    def _build_encoder(self, shape):
        if not self.encoder.built:  # one that comes from a `.keras` file is
            self.encoder.build(shape)

    def _bridged_width(self):
        """Width of what a bridge reads: a state of the last layer, of all directions or of one."""
        both = self.encoder.bidirectional and self.config["bridge"] == "tanh"
        return self.encoder.units * (2 if both else 1)

    def call(self, inputs, training=None):
        state, values, mask = self.encode(inputs["source_ids"], training)
        if training and self.config["scheduled_sampling"]:
            return self._sampled(inputs["target_ids"], state, values, mask)
        outputs, _ = self._decode(inputs["target_ids"], state, values, mask, training)
        return self._logits(outputs, training)

    def encode(self, source_ids, training=None):
        """Reads the source.

        Args:
            source_ids: Int tensor `(batch, source)`, 0 at padding.
            training: Whether dropout is at work.

        Returns:
            The decoder's initial state, a list a layer; the encoder's outputs
            `(batch, source, units)`; and the bool mask `(batch, source)` of real tokens.
        """
        ids = ops.flip(source_ids, axis=1) if self.config["reverse_source"] else source_ids
        vectors = self.source_dropout(self.source_embedding(ids), training=training)
        values, final = self.encoder(vectors, mask=ids != 0, training=training)
        if self.config["reverse_source"]:
            values = ops.flip(values, axis=1)
        return self._bridge(final), values, source_ids != 0

    def _bridge(self, final):
        """The decoder's initial state from the encoder's final one, a list a layer."""
        states = 2 if self.decoder.cell == "lstm" else 1
        if not self.bridges:
            if not self.encoder.bidirectional:
                return final
            return [
                [ops.concatenate([layer[at], layer[at + states]], axis=-1) for at in range(states)]
                for layer in final
            ]
        last = final[-1]
        each = len(last) // (2 if self.encoder.bidirectional else 1)
        read = last[::each] if self.config["bridge"] == "tanh" else last[-each:][:1]
        read = ops.concatenate(read, axis=-1)
        made = [bridge(read) for bridge in self.bridges]
        return [made[at : at + states] for at in range(0, len(made), states)]

    def _decode(self, target_ids, state, values, mask, training=None):
        vectors = self.target_dropout(self.target_embedding(target_ids), training=training)
        return self.decoder(
            vectors, state, values, value_mask=mask, inputs_mask=target_ids != 0, training=training
        )

    def _sampled(self, target_ids, state, values, mask):
        """Logits, where the decoder reads its own samples at random.

        Dropout is the same at every step, as it is drawn before the loop. The first real token of
        a sentence is always the true one, and padding hands the last sample on.
        """
        memory = None
        if self.decoder.attention is not None:
            memory = self.decoder.attention.memory(values, mask)
        state = self.decoder.initial_state(state, memory)
        batch, time = ops.shape(target_ids)
        widths = self.config["embedding_units"], self.read_units
        kept = [
            dropout(ops.ones((batch, width)), training=True)
            for dropout, width in zip(
                (self.target_dropout, self.output_dropout), widths, strict=True
            )
        ]
        dropped = self.decoder.draw_dropped(batch)
        uniform = [keras.random.uniform((time, batch), seed=self.seed_generator) for _ in range(2)]
        own = uniform[0] < self.config["scheduled_sampling"]
        told = self.decoder.of_steps(batch, time, target_ids != 0, memory, training=True)
        xs = {
            "truth": ops.transpose(ops.cast(target_ids, "int32")),
            "own": ops.logical_and(own, told["position"] > 0),
            "uniform": uniform[1],
            "told": told,
        }

        def step(carried, x):
            state, sample = carried
            ids = ops.where(x["own"], sample, x["truth"])
            vectors = self.target_embedding(ids)
            vectors = vectors * ops.cast(kept[0], vectors.dtype)
            outputs, state = self.decoder.step(
                vectors, state, memory, **x["told"], dropped=dropped, training=True
            )
            logits = self._logits(outputs * ops.cast(kept[1], outputs.dtype))
            below = ops.cumsum(ops.softmax(logits), axis=-1) < x["uniform"][:, None]
            drawn = ops.sum(ops.cast(below, "int32"), axis=-1)
            drawn = ops.minimum(drawn, logits.shape[-1] - 1)
            return (state, ops.where(x["told"]["mask"][:, 0], drawn, sample)), logits

        _, logits = scan(step, (state, ops.zeros((batch,), dtype="int32")), xs)
        return ops.transpose(logits, (1, 0, 2))

    def _logits(self, outputs, training=None):
        """Decoder outputs `(..., units)` -> float32 `(..., target_vocabulary_size)`."""
        outputs = self.output_dropout(outputs, training=training)
        if self.to_embedding is not None:
            outputs = self.to_embedding(outputs)
        if self.config["tied"] == "none":
            kernel = ops.convert_to_tensor(self.output_kernel)
        else:
            kernel = ops.transpose(ops.convert_to_tensor(self.target_embedding.embeddings))
        logits = ops.matmul(outputs, ops.cast(kernel, outputs.dtype))
        return ops.cast(logits, "float32") + ops.cast(self.output_bias, "float32")

    def attention(self, inputs):
        """Weights of the source tokens at each target token.

        Args:
            inputs: As of a call.

        Returns:
            Float32 tensor `(batch, target, source)`.

        Raises:
            ValueError: The decoder has no attention.
        """
        if self.decoder.attention is None:
            raise ValueError("`decoder` must have attention to look at. Received: attention=None")
        return self._decode(inputs["target_ids"], *self.encode(inputs["source_ids"]))[1]

    def initial_state(self, source_ids, max_length=None):
        """What decoding begins with.

        Args:
            source_ids: Int tensor `(batch, source)`, 0 at padding.
            max_length: Not used: the state of a recurrent decoder does not grow.

        Returns:
            A dict, as `step` takes it.
        """
        state, values, mask = self.encode(source_ids)
        memory = None
        if self.decoder.attention is not None:
            memory = self.decoder.attention.memory(values, mask)
        state = self.decoder.initial_state(state, memory)
        if memory is not None:
            state["memory"] = memory
        return {**state, "position": ops.zeros((), dtype="int32")}

    def step(self, token_ids, state):
        """The logits of the token after `token_ids`.

        Args:
            token_ids: Int tensor `(rows,)`; rows may be several a sentence, one after the other.
            state: Of `initial_state` or of a step before.

        Returns:
            Logits, float32 `(rows, target_vocabulary_size)`, and the state.
        """
        carried = {k: x for k, x in state.items() if k not in ("memory", "position")}
        outputs, carried = self.decoder.step(
            self.target_embedding(token_ids), carried, state.get("memory"), state["position"]
        )
        state = {**state, **carried, "position": state["position"] + 1}
        return self._logits(outputs), state

    def get_config(self):
        parts = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("encoder", "decoder")
        }
        return {**super().get_config(), **self.config, **parts}

    @classmethod
    def from_config(cls, config):
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("encoder", "decoder")
        }
        return cls(**{**config, **parts})


def _check(encoder, decoder, config):
    """A `ValueError` where the parts make no model."""
    for name, layer, kind in (
        ("encoder", encoder, RNNEncoder),
        ("decoder", decoder, RNNDecoder),
    ):
        if not isinstance(layer, kind):
            raise ValueError(
                f"`{name}` must be a seqnlp.layers.{kind.__name__}. Received: {name}={layer!r}"
            )
    for name in ("source_vocabulary_size", "target_vocabulary_size", "embedding_units"):
        if config[name] < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={config[name]}")
    for name in ("dropout", "scheduled_sampling"):
        if not 0 <= config[name] < 1:
            raise ValueError(f"`{name}` must be in [0, 1). Received: {name}={config[name]}")
    for name, choices in (("bridge", BRIDGES), ("tied", TIED)):
        if config[name] not in choices:
            received = f"{name}={config[name]!r}"
            raise ValueError(f"`{name}` must be one of {choices}. Received: {received}")
    sizes = config["source_vocabulary_size"], config["target_vocabulary_size"]
    if config["tied"] == "all" and sizes[0] != sizes[1]:
        raise ValueError(
            "`tied` must not be 'all' with two vocabularies. Received: tied='all' with "
            f"source_vocabulary_size={sizes[0]}, target_vocabulary_size={sizes[1]}"
        )
    one_way = isinstance(decoder.attention, FinalState) and not encoder.bidirectional
    if config["reverse_source"] and one_way:  # the last token is what it reads first
        raise ValueError(
            "`reverse_source` must be False where the decoder attends to the FinalState of an "
            "encoder of one direction. Received: reverse_source=True"
        )
    _check_bridge(encoder, decoder, config["bridge"])


def _check_bridge(encoder, decoder, bridge):
    if bridge == "backward" and not encoder.bidirectional:
        raise ValueError(
            "`bridge` must not be 'backward' with an encoder of one direction. "
            "Received: bridge='backward'"
        )
    width = encoder.units * (2 if encoder.bidirectional else 1)
    parts = [(e.cell, e.num_layers) for e in (encoder, decoder)]
    if bridge == "state" and (parts[0] != parts[1] or width != decoder.units):
        raise ValueError(
            "`bridge` must not be 'state' where the encoder's state, "
            f"{parts[0][1]} x {width} ({parts[0][0]}), does not fit the decoder, "
            f"{parts[1][1]} x {decoder.units} ({parts[1][0]}). Received: bridge='state'"
        )
