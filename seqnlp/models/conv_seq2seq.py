"""Sequences to sequences by convolution alone."""

import keras
from keras import ops

from seqnlp.layers.conv import HALF, GatedConv
from seqnlp.layers.masking import places_without_padding, real_tokens_first, take_places
from seqnlp.layers.multi_step_attention import MultiStepAttention, multi_step_memory
from seqnlp.layers.weight_normalization import WeightNormalizedDense

GEHRING_WMT16 = {
    "units": 512,
    "num_layers": 20,
    "kernel_size": 3,
    "embedding_units": 512,
    "dropout": 0.1,
}
"""Sizes of `ConvSeq2Seq` for WMT 2016 English-Romanian, https://arxiv.org/abs/1705.03122, 5.1."""


@keras.saving.register_keras_serializable(package="seqnlp")
class ConvSeq2Seq(keras.Model):
    """Reads and writes with gated convolutions; every layer that writes attends to what was read.

        e = words(source) + positions          g = words(target) + positions
        z = stack of GatedConv over e          h = causal stack over g, with
        key, value = z, sqrt(1/2) (z + e)          MultiStepAttention in each layer
        logits = W h + b

    Nothing waits for the token before, so all of a sentence trains at once; a unit sees
    `num_layers * (kernel_size - 1) + 1` tokens. Each attention sends a gradient to the encoder,
    so that its convolutions get the mean of them instead of the sum.

    Args:
        source_vocabulary_size: Number of source ids; 0 is padding.
        target_vocabulary_size: Number of target ids; 0 is padding.
        units: Width of the convolutions.
        num_layers: Number of layers of the encoder.
        kernel_size: Number of tokens that a convolution sees.
        embedding_units: Width of the embeddings, and of what is attended with and to.
        dropout: Share dropped of the embeddings, of the inputs of every convolution and of what
            the logits are made of.
        share_embeddings: Whether source, target and the weights of the logits are one table.
        num_decoder_layers: Number of layers of the decoder; None for as many.
        num_positions: Number of positions that have an embedding; tokens further on share the
            last one's.

    Call arguments:
        inputs: Dict of `source_ids` int `(batch, source)` and `target_ids` int
            `(batch, target)`, the tokens before those to tell; 0 is padding in both.

    Returns:
        Logits float32 `(batch, target, target_vocabulary_size)`.

    Raises:
        ValueError: A size is below 1, `dropout` not in [0, 1), or one table is to serve two
            vocabularies of different size.

    Reference: https://arxiv.org/abs/1705.03122, section 3
    """

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        units=256,
        num_layers=4,
        kernel_size=3,
        embedding_units=256,
        dropout=0.1,
        share_embeddings=False,
        num_decoder_layers=None,
        num_positions=1024,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.config = {
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "units": units,
            "num_layers": num_layers,
            "kernel_size": kernel_size,
            "embedding_units": embedding_units,
            "dropout": dropout,
            "share_embeddings": share_embeddings,
            "num_decoder_layers": num_decoder_layers,
            "num_positions": num_positions,
        }
        _check(self.config)
        self.num_positions = num_positions
        self.share_embeddings = share_embeddings
        self._make_embeddings(**self.config)
        self._make_stacks(**self.config)

    def _make_embeddings(
        self, source_vocabulary_size, target_vocabulary_size, embedding_units, dropout, **others
    ):
        def embedding(size):
            start = keras.initializers.RandomNormal(stddev=0.1)
            return keras.layers.Embedding(size, embedding_units, start, dtype=self.dtype_policy)

        self.source_embedding = embedding(source_vocabulary_size)
        self.source_positions = embedding(self.num_positions)
        self.target_embedding = (
            self.source_embedding if self.share_embeddings else embedding(target_vocabulary_size)
        )
        self.target_positions = embedding(self.num_positions)
        self.embedding_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def _make_stacks(
        self,
        target_vocabulary_size,
        units,
        num_layers,
        kernel_size,
        embedding_units,
        dropout,
        num_decoder_layers,
        **others,
    ):
        depth = num_layers if num_decoder_layers is None else num_decoder_layers
        policy = {"dtype": self.dtype_policy}
        conv = {"kernel_size": kernel_size, "dropout": dropout, **policy}
        self.encoder_entry = WeightNormalizedDense(units, dropout, **policy)
        self.encoder = [GatedConv(units, **conv) for _ in range(num_layers)]
        self.encoder_exit = WeightNormalizedDense(embedding_units, **policy)
        self.decoder_entry = WeightNormalizedDense(units, dropout, **policy)
        self.decoder = [
            GatedConv(units, causal=True, residual=False, **conv) for _ in range(depth)
        ]
        self.attentions = [MultiStepAttention(**policy) for _ in range(depth)]
        self.decoder_exit = WeightNormalizedDense(embedding_units, **policy)
        self.exit_dropout = keras.layers.Dropout(dropout, **policy)
        if not self.share_embeddings:
            self.logits = WeightNormalizedDense(target_vocabulary_size, dropout, **policy)

    def build(self, inputs_shape):
        source, target = inputs_shape["source_ids"], inputs_shape["target_ids"]
        for layer, shape in (
            (self.source_embedding, source),
            (self.source_positions, source[1:]),
            (self.target_embedding, target),
            (self.target_positions, target[1:]),
        ):
            if not layer.built:
                layer.build(shape)
        units, embedded = self.config["units"], self.config["embedding_units"]
        source, target = (*source, units), (*target, units)
        self.encoder_entry.build((*source[:2], embedded))
        self.encoder_exit.build(source)
        for conv in self.encoder:
            conv.build(source)
        read, written = (*source[:2], embedded), (*target[:2], embedded)
        self.decoder_entry.build(written)
        self.decoder_exit.build(target)
        for conv, attention in zip(self.decoder, self.attentions, strict=True):
            conv.build(target)
            attention.build(target, written, read, read)
        if self.share_embeddings:
            size = (self.config["target_vocabulary_size"],)
            self.logits_bias = self.add_weight(size, initializer="zeros", name="logits_bias")
        else:
            self.logits.build(written)

    def call(self, inputs, training=None):
        memory = self._encode(inputs["source_ids"], training)
        outputs, _ = self._decode(inputs["target_ids"], memory, training)
        return self._logits(outputs)

    def attention_weights(self, inputs):
        """What each layer attends to.

        Args:
            inputs: As of a call.

        Returns:
            Dict of float32 `(batch, target, source)`, "decoder_0" and so on; padding has zeros.
        """
        memory = self._memory_in_place(inputs["source_ids"])
        mask = inputs["target_ids"] != 0
        _, weights = self._decode(inputs["target_ids"], memory, training=False)
        places, _ = places_without_padding(mask)
        return {
            f"decoder_{depth}": ops.where(mask[..., None], take_places(found, places), 0)
            for depth, found in enumerate(weights)
        }

    def attention(self, inputs):
        """The mean of `attention_weights` `(batch, target, source)`; `inputs` as of a call."""
        weights = self.attention_weights(inputs)
        return sum(weights.values()) / len(weights)

    def initial_state(self, source_ids, max_length=None):
        """The state before the first target token, for `step`.

        Args:
            source_ids: Int tensor `(batch, source)`, 0 at padding.
            max_length: Number of steps; whatever it is, the state has the same size.

        Returns:
            Dict of `memory`, `buffers` with the last inputs of each convolution, `position` and
            `alignment`, the mean of what the layers attended to.
        """
        batch, source = ops.shape(source_ids)
        return {
            "memory": self._memory_in_place(source_ids),
            "buffers": [conv.initial_buffer(batch) for conv in self.decoder],
            "position": ops.zeros((), dtype="int32"),
            "alignment": ops.zeros((batch, source), dtype="float32"),
        }

    def step(self, token_ids, state):
        """One target token further.

        Args:
            token_ids: Int tensor `(rows,)`, as many rows a sentence as there are hypotheses.
            state: What `initial_state` or the step before gave.

        Returns:
            Logits float32 `(rows, target_vocabulary_size)`, and the new state.
        """
        memory, position = state["memory"], state["position"]
        rows, (batch, source) = ops.shape(token_ids)[0], ops.shape(memory["mask"])
        by_sentence = (batch, rows // batch, -1)
        place = ops.minimum(position, self.num_positions - 1)
        target = self.target_embedding(token_ids) + self.target_positions(place)
        outputs = self.decoder_entry(target)  # (rows, units)
        target = ops.reshape(target, by_sentence)
        buffers, alignment = [], 0.0
        for conv, attention, buffer in zip(
            self.decoder, self.attentions, state["buffers"], strict=True
        ):
            found, buffer = conv.step(outputs, buffer)
            found, weights = attention.attend(ops.reshape(found, by_sentence), target, memory)
            outputs = (outputs + ops.reshape(found, (rows, -1))) * HALF
            buffers.append(buffer)
            alignment = alignment + ops.reshape(weights, (rows, source))
        return self._logits(self.decoder_exit(outputs)), {
            "memory": memory,
            "buffers": buffers,
            "position": position + 1,
            "alignment": alignment / len(self.decoder),
        }

    def _embed(self, ids, words, positions, training):
        """Vectors `(batch, time, embedding_units)` of the real tokens, moved to the front.

        Behind them stand zeros; also says where the tokens are, bool `(batch, time)`.
        """
        ids = real_tokens_first(ids, ids != 0)
        mask = ids != 0
        place = ops.minimum(ops.arange(ops.shape(ids)[1], dtype="int32"), self.num_positions - 1)
        vectors = self.embedding_dropout(words(ids) + positions(place), training=training)
        return ops.where(mask[..., None], vectors, 0), mask

    def _encode(self, source_ids, training):
        """The memory of the real tokens, moved to the front."""
        embedded, mask = self._embed(
            source_ids, self.source_embedding, self.source_positions, training
        )
        outputs = self.encoder_entry(embedded)  # (batch, source, units)
        for conv in self.encoder:
            outputs = conv(ops.where(mask[..., None], outputs, 0), training=training)
        outputs = _scaled_gradient(self.encoder_exit(outputs), 1 / len(self.decoder))
        return multi_step_memory(outputs, (outputs + embedded) * HALF, mask)

    def _memory_in_place(self, source_ids):
        """The memory with every token where it stands in `source_ids`, for its weights."""
        memory = self._encode(source_ids, training=False)
        mask = source_ids != 0
        places, _ = places_without_padding(mask)
        moved = {name: take_places(memory[name], places) for name in ("key", "value")}
        return {name: ops.where(mask[..., None], x, 0) for name, x in moved.items()} | {
            "mask": mask
        }

    def _decode(self, target_ids, memory, training):
        """Outputs `(batch, target, embedding_units)`; weights by layer, padding at the end."""
        target, _ = self._embed(target_ids, self.target_embedding, self.target_positions, training)
        outputs, weights = self.decoder_entry(target), []
        for conv, attention in zip(self.decoder, self.attentions, strict=True):
            found = conv(outputs, training=training)
            found, layer_weights = attention.attend(found, target, memory)
            outputs = (outputs + found) * HALF
            weights.append(layer_weights)
        outputs = self.exit_dropout(self.decoder_exit(outputs), training=training)
        places, _ = places_without_padding(target_ids != 0)
        return take_places(outputs, places), weights

    def _logits(self, outputs):
        if not self.share_embeddings:
            return ops.cast(self.logits(outputs), "float32")
        table = ops.cast(self.target_embedding.embeddings, self.compute_dtype)
        logits = ops.matmul(outputs, ops.transpose(table))
        return ops.cast(logits, "float32") + ops.cast(self.logits_bias, "float32")

    def get_config(self):
        return {**super().get_config(), **self.config}


def _scaled_gradient(values, scale):
    """`values` as they are, with their gradient times `scale`."""
    constant = ops.stop_gradient(values)
    return constant + scale * (values - constant)


def _check(config):
    """A `ValueError` where the configuration makes no model."""
    for name, size in config.items():
        if name in ("dropout", "share_embeddings") or size is None:
            continue
        if size < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}")
    if not 0 <= config["dropout"] < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={config['dropout']}")
    sizes = config["source_vocabulary_size"], config["target_vocabulary_size"]
    if config["share_embeddings"] and sizes[0] != sizes[1]:
        raise ValueError(
            "`share_embeddings` must be False where the vocabularies differ in size. Received: "
            f"share_embeddings=True, source_vocabulary_size={sizes[0]}, "
            f"target_vocabulary_size={sizes[1]}"
        )
