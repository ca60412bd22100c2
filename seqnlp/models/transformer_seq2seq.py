"""The Transformer from one sequence to another."""

import math

import keras
from keras import ops

from seqnlp.layers.cache import with_origin
from seqnlp.layers.position import LearnedPositions, SinePositions
from seqnlp.layers.transformer import TransformerDecoder, TransformerEncoder, dropout_rates

TRANSFORMER_BASE = {
    "units": 512,
    "num_heads": 8,
    "feed_forward_units": 2048,
    "num_layers": 6,
    "dropout": 0.1,
    "norm": "post",
}
"""Sizes of `TransformerSeq2Seq` in https://arxiv.org/abs/1706.03762, table 3, "base"."""

TRANSFORMER_BIG = {
    "units": 1024,
    "num_heads": 16,
    "feed_forward_units": 4096,
    "num_layers": 6,
    "dropout": 0.3,
    "norm": "post",
}
"""The model "big" of the same table."""


@keras.saving.register_keras_serializable(package="seqnlp")
class TransformerSeq2Seq(keras.Model):
    """Translates with attention alone; or encodes a sequence so that it can be made again.

        model = TransformerSeq2Seq(8000, 8000, share_embeddings=True, **TRANSFORMER_BASE)
        model.compile("adam", SequenceCrossEntropy())
        model.fit({"source_ids": ..., "target_ids": ...}, labels)

    The vectors of the target tokens are also what scores the next token. To make sequences, give
    `step` and `initial_state` to a decoder.

    Args:
        source_vocabulary_size: Number of source ids; 0 is padding.
        target_vocabulary_size: Number of target ids; 0 is padding.
        units: Width of the states.
        num_heads: Number of heads of each attention.
        feed_forward_units: Width of the hidden layer of the feed-forward networks.
        num_layers: Number of layers of the encoder and of the decoder, or a pair of them.
        dropout: Share of the embeddings and of the branches' outputs that is dropped, or three
            shares, see `seqnlp.layers.TransformerEncoder`.
        positions: "sine"; a number, for as many learned ones, which no sequence may exceed; or
            None, then the encoder does not know the order of its tokens.
        norm: "pre", or "post" as the paper has it; that one needs a warm-up of its learning rate.
        share_embeddings: Whether source and target tokens have the same vectors.

    Call arguments:
        inputs: Dict of `source_ids` int `(batch, source)`, and `target_ids` int `(batch,
            target)`: the start and the tokens before each place.

    Returns:
        Logits of the target token at each place, float32 `(batch, target, vocabulary)`.

    Raises:
        ValueError: An argument is out of range, the units are no multiple of `num_heads`, or
            embeddings of two vocabulary sizes are to be shared.

    Reference: https://arxiv.org/abs/1706.03762, section 3
    """

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        units=512,
        num_heads=8,
        feed_forward_units=2048,
        num_layers=6,
        dropout=0.1,
        positions="sine",
        norm="pre",
        share_embeddings=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        sizes = {
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "units": units,
        }
        _check(sizes, num_heads, positions, share_embeddings)
        depths = _pair(num_layers)
        self.config = {
            **sizes,
            "num_heads": num_heads,
            "feed_forward_units": feed_forward_units,
            "num_layers": num_layers if isinstance(num_layers, int) else depths,
            "dropout": dropout if isinstance(dropout, int | float) else list(dropout),
            "positions": positions,
            "norm": norm,
            "share_embeddings": share_embeddings,
        }
        policy = {"dtype": self.dtype_policy}
        self.units = units
        self.target_embedding = _embedding(target_vocabulary_size, units, policy)
        self.source_embedding = self.target_embedding
        if not share_embeddings:
            self.source_embedding = _embedding(source_vocabulary_size, units, policy)
        self.source_positions = _positions(positions, policy)
        self.target_positions = _positions(positions, policy)
        self.embedding_dropout = keras.layers.Dropout(dropout_rates(dropout)[0], **policy)
        shared = {"norm": norm, "dropout": dropout, **policy}
        heads = (num_heads, feed_forward_units)
        self.encoder = TransformerEncoder(depths[0], *heads, **shared)
        self.decoder = TransformerDecoder(depths[1], *heads, **shared)
        self.alignment_layer = max(depths[1] - 2, 0)

    def build(self, inputs_shape):
        source, target = inputs_shape["source_ids"], inputs_shape["target_ids"]
        vectors = (*target, self.units)
        for embedding in (self.source_embedding, self.target_embedding):
            if not embedding.built:
                embedding.build()
        for positions in (self.source_positions, self.target_positions):
            if positions is not None:
                positions.build(vectors)
        self.encoder.build((*source, self.units))
        self.decoder.build(vectors, (*source, self.units))

    def call(self, inputs, training=None):
        source_ids, target_ids = inputs["source_ids"], inputs["target_ids"]
        source_mask, target_mask = source_ids != 0, target_ids != 0
        source = self.encoder(
            self._source_vectors(source_ids, training), mask=source_mask, training=training
        )
        states = self.decoder(
            self._target_vectors(target_ids, training),
            source,
            target_mask=target_mask,
            source_mask=source_mask,
            training=training,
        )
        return self._logits(states)

    def _source_vectors(self, ids, training=None):
        return self._vectors(ids, self.source_embedding, self.source_positions, training)

    def _target_vectors(self, ids, training=None):
        return self._vectors(ids, self.target_embedding, self.target_positions, training)

    def _vectors(self, ids, embedding, positions, training):
        vectors = embedding(ids) * math.sqrt(self.units)  # (batch, time, units)
        if positions is not None:
            vectors = positions(vectors, mask=ids != 0)
        return self.embedding_dropout(vectors, training=training)

    def _logits(self, states):
        table = ops.cast(self.target_embedding.embeddings, states.dtype)
        return ops.cast(ops.matmul(states, ops.transpose(table)), "float32")

    def initial_state(self, source_ids, max_length):
        """What `step` knows before the first token.

        Args:
            source_ids: Int tensor `(batch, source)`.
            max_length: Largest number of steps, a Python int.

        Returns:
            Dict of `position`, an int scalar; `slots`, the keys and values of the tokens so far,
            and `origins`, int32 `(batch, max_length)`, which rows of them a hypothesis goes on
            from; `memory`, those of the source; and `alignment`, float32 `(batch, source)`.

        Raises:
            ValueError: `max_length` is below 1, or above the number of learned positions.
        """
        if max_length < 1:
            raise ValueError(f"`max_length` must be at least 1. Received: max_length={max_length}")
        learned = self.config["positions"]
        if isinstance(learned, int) and max_length > learned:
            raise ValueError(
                f"`max_length` must be at most {learned}, the number of learned positions. "
                f"Received: max_length={max_length}"
            )
        source_mask = source_ids != 0
        source = self.encoder(self._source_vectors(source_ids), mask=source_mask)
        return {
            "position": ops.zeros((), dtype="int32"),
            "slots": self.decoder.initial_cache(ops.shape(source_ids)[0], max_length),
            "origins": ops.zeros((ops.shape(source_ids)[0], max_length), dtype="int32"),
            "memory": self.decoder.memory(source, source_mask),
            "alignment": ops.zeros(ops.shape(source_ids), dtype="float32"),
        }

    def step(self, token_ids, state):
        """Scores the token that follows.

        Args:
            token_ids: Int tensor `(rows,)`, the last token of each row. Rows are those of the
                sentences in turn, as many for each.
            state: What `initial_state` or the last step gave.

        Returns:
            Logits, float32 `(rows, vocabulary)`, and the new state. Its `alignment` is the mean
            of the heads of the decoder's last layer but one.
        """
        position, memory = state["position"], state["memory"]
        batch = ops.shape(memory[0]["mask"])[0]
        origins, reads = with_origin(state["origins"], batch, position)
        vectors = self.target_embedding(token_ids) * math.sqrt(self.units)  # (rows, units)
        if self.target_positions is not None:
            vectors = vectors + self.target_positions.at(position)
        states, cache, weights = self.decoder.step(
            vectors, state["slots"], memory, position, reads
        )
        alignment = ops.mean(weights[self.alignment_layer], axis=1)  # (batch, beams, source)
        new = {
            "position": position + 1,
            "slots": cache,
            "origins": origins,
            "memory": memory,
            "alignment": ops.reshape(alignment, ops.shape(state["alignment"])),
        }
        return self._logits(states), new

    def attention(self, inputs):
        """Which source tokens each place looks at, float32 `(batch, target, source)`.

        The mean of the heads of the decoder's last layer but one, whose weights are the nearest
        to an alignment of words (https://arxiv.org/abs/1909.02074). `inputs` is as of a call.
        """
        return ops.mean(
            self.attention_weights(inputs)[f"decoder_{self.alignment_layer}_source"], axis=1
        )

    def attention_weights(self, inputs):
        """The weights of every head.

        Args:
            inputs: As of a call.

        Returns:
            Dict of float32 `(batch, heads, target, source)`, by the name of the layer and, in
            the decoder, of what it attends to: "encoder_0", "decoder_0_target",
            "decoder_0_source", "encoder_1" ...
        """
        source_ids, target_ids = inputs["source_ids"], inputs["target_ids"]
        source_mask = source_ids != 0
        source, in_encoder = self.encoder(
            self._source_vectors(source_ids), mask=source_mask, return_weights=True
        )
        _, in_decoder = self.decoder(
            self._target_vectors(target_ids),
            source,
            target_mask=target_ids != 0,
            source_mask=source_mask,
            return_weights=True,
        )
        found = {f"encoder_{at}": weights for at, weights in enumerate(in_encoder)}
        for at, (of_target, of_source) in enumerate(in_decoder):
            found[f"decoder_{at}_target"] = of_target
            found[f"decoder_{at}_source"] = of_source
        return found

    def get_config(self):
        return {**super().get_config(), **self.config}


def _embedding(vocabulary_size, units, policy):
    """Vectors of length near 1, as they also score tokens."""
    initializer = keras.initializers.RandomNormal(stddev=units**-0.5)
    return keras.layers.Embedding(vocabulary_size, units, initializer, **policy)


def _positions(positions, policy):
    if positions is None:
        return None
    return (
        SinePositions(**policy) if positions == "sine" else LearnedPositions(positions, **policy)
    )


def _pair(num_layers):
    pair = [num_layers] * 2 if isinstance(num_layers, int) else list(num_layers)
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(
            "`num_layers` must be a number, or a pair of them, of at least 1. "
            f"Received: num_layers={num_layers}"
        )
    return pair


def _check(sizes, num_heads, positions, share_embeddings):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}")
    units = sizes["units"]
    if num_heads < 1 or units % num_heads:
        raise ValueError(
            f"`num_heads` must be at least 1 and divide `units`={units}. "
            f"Received: num_heads={num_heads}"
        )
    if not (positions in ("sine", None) or (isinstance(positions, int) and positions > 0)):
        raise ValueError(
            "`positions` must be 'sine', a number of learned ones, or None. "
            f"Received: positions={positions!r}"
        )
    source, target = sizes["source_vocabulary_size"], sizes["target_vocabulary_size"]
    if share_embeddings and source != target:
        raise ValueError(
            "`share_embeddings` must be False where the vocabularies differ in size "
            f"({source} and {target}). Received: share_embeddings={share_embeddings}"
        )
