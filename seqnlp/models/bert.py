"""BERT: an encoder of texts that reads in both directions, and the heads that pretrain it."""

import keras
from keras import ops

from seqnlp.layers import LearnedPositions, TransformerEncoder
from seqnlp.layers.masking import first_and_last

EPSILON = 1e-12  # of the layer norms

# The smaller sizes are from https://arxiv.org/abs/1908.08962, table 1, the others from
# https://arxiv.org/abs/1810.04805, section 3.
BERT_TINY = {"units": 128, "num_layers": 2, "num_heads": 2, "feed_forward_units": 512}
BERT_MINI = {"units": 256, "num_layers": 4, "num_heads": 4, "feed_forward_units": 1024}
BERT_SMALL = {"units": 512, "num_layers": 4, "num_heads": 8, "feed_forward_units": 2048}
BERT_MEDIUM = {"units": 512, "num_layers": 8, "num_heads": 8, "feed_forward_units": 2048}
BERT_BASE = {"units": 768, "num_layers": 12, "num_heads": 12, "feed_forward_units": 3072}
BERT_LARGE = {"units": 1024, "num_layers": 24, "num_heads": 16, "feed_forward_units": 4096}


@keras.saving.register_keras_serializable(package="seqnlp")
class BERTEncoder(keras.Model):
    """Reads one or two spans of text with self-attention.

        x = norm(token + position + segment)        (batch, time, units)
        tokens = post-norm Transformer layers of x  (batch, time, units)
        pooled = tanh(W tokens[first] + b)          (batch, units)

        encoder = BERTEncoder(30522, **BERT_BASE)

    Args:
        vocabulary_size: Number of token ids; 0 is padding.
        units: Width of the states.
        num_layers: Number of layers.
        num_heads: Number of heads of each.
        feed_forward_units: Width of the hidden layer of the feed-forward networks.
        max_length: Number of positions, the most tokens of an input.
            Padding counts as none of them, wherever it stands.
        num_segments: Number of segment ids.
        dropout: Share of the vectors that enter and of the branches' outputs that is dropped.
        attention_dropout: Share of the attention weights that is dropped.
        activation: Function of the feed-forward networks' hidden layer.

    Call arguments:
        inputs: Dict of `token_ids` int `(batch, time)` and `segment_ids` int `(batch, time)`, 0
            in the first span and 1 in the second.

    Returns:
        Dict of `tokens` `(batch, time, units)` and `pooled` `(batch, units)`.

    Raises:
        ValueError: An argument is out of range, the units are no multiple of `num_heads`, or an
            input is longer than `max_length`.

    Reference: https://arxiv.org/abs/1810.04805, section 3
    """

    def __init__(
        self,
        vocabulary_size,
        units=768,
        num_layers=12,
        num_heads=12,
        feed_forward_units=3072,
        max_length=512,
        num_segments=2,
        dropout=0.1,
        attention_dropout=0.1,
        activation="gelu",
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, size in (
            ("vocabulary_size", vocabulary_size),
            ("units", units),
            ("num_segments", num_segments),
        ):
            if size < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}")
        self.config = {
            "vocabulary_size": vocabulary_size,
            "units": units,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "feed_forward_units": feed_forward_units,
            "max_length": max_length,
            "num_segments": num_segments,
            "dropout": dropout,
            "attention_dropout": attention_dropout,
            "activation": activation,
        }
        policy = {"dtype": self.dtype_policy}
        self.token_embedding = _embedding(vocabulary_size, units, policy)
        self.segment_embedding = _embedding(num_segments, units, policy)
        self.positions = LearnedPositions(max_length, **policy)
        self.embedding_norm = keras.layers.LayerNormalization(epsilon=EPSILON, **policy)
        self.embedding_dropout = keras.layers.Dropout(dropout, **policy)
        self.layers_above = TransformerEncoder(
            num_layers,
            num_heads,
            feed_forward_units,
            activation=activation,
            norm="post",
            dropout=(dropout, attention_dropout, 0.0),
            norm_epsilon=EPSILON,
            kernel_initializer=normal(),
            **policy,
        )
        self.pooler = keras.layers.Dense(
            units, activation="tanh", kernel_initializer=normal(), **policy
        )

    def build(self, inputs_shape):
        shape = inputs_shape["token_ids"]
        states = (*shape, self.config["units"])
        for embedding in (self.token_embedding, self.segment_embedding):
            embedding.build(shape)
        self.positions.build(states)
        self.embedding_norm.build(states)
        self.layers_above.build(states)
        self.pooler.build((shape[0], states[-1]))

    def call(self, inputs, training=None):
        tokens, _ = self._encode(inputs, training=training)
        first, _ = first_and_last(inputs["token_ids"] != 0)
        begin = ops.sum(ops.where(first[..., None], tokens, 0), axis=1)  # (batch, units)
        return {"tokens": tokens, "pooled": self.pooler(begin)}

    def attention_weights(self, inputs):
        """The weights of every head.

        Args:
            inputs: As of a call.

        Returns:
            List of float32 `(batch, heads, time, time)`, one a layer.
        """
        return self._encode(inputs, return_weights=True)[1]

    def layers_from_below(self):
        """List of lists of layers: those of the embeddings, then the one of each layer above."""
        embeddings = [
            self.token_embedding,
            self.segment_embedding,
            self.positions,
            self.embedding_norm,
        ]
        return [embeddings, *([layer] for layer in self.layers_above.layers)]

    def _encode(self, inputs, return_weights=False, training=None):
        mask = inputs["token_ids"] != 0
        vectors = self.token_embedding(inputs["token_ids"])
        vectors = vectors + self.segment_embedding(inputs["segment_ids"])
        states = self.embedding_norm(self.positions(vectors, mask=mask))
        states = self.embedding_dropout(states, training=training)
        found = self.layers_above(
            states, mask=mask, return_weights=return_weights, training=training
        )
        return found if return_weights else (found, None)

    def get_config(self):
        return {**super().get_config(), **self.config}


@keras.saving.register_keras_serializable(package="seqnlp")
class MaskedLMHead(keras.layers.Layer):
    """Scores which tokens stood at the chosen places, and at those alone.

        h = norm(gelu(W states[positions] + c));  logits = h embeddings^T + b

    Args:
        vocabulary_size: Number of token ids.
        activation: The function in the place of gelu.

    Call arguments:
        states: Float tensor `(batch, time, units)`.
        positions: Int tensor `(batch, most)`.
        embeddings: Float tensor `(vocabulary, units)`, the table of the encoder's tokens.

    Returns:
        Logits float32 `(batch, most, vocabulary)`.

    Reference: https://arxiv.org/abs/1810.04805, section 3.1
    """

    def __init__(self, vocabulary_size, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.activation = activation
        self.supports_masking = True

    def build(self, states_shape, positions_shape=None, embeddings_shape=None):
        units, policy = states_shape[-1], {"dtype": self.dtype_policy}
        self.dense = keras.layers.Dense(
            units, self.activation, kernel_initializer=normal(), **policy
        )
        self.norm = keras.layers.LayerNormalization(epsilon=EPSILON, **policy)
        self.dense.build(states_shape)
        self.norm.build(states_shape)
        self.bias = self.add_weight(
            name="bias", shape=(self.vocabulary_size,), initializer="zeros"
        )

    def call(self, states, positions, embeddings):
        chosen = ops.take_along_axis(states, positions[..., None], axis=1)  # (batch, most, units)
        hidden = self.norm(self.dense(chosen))
        embeddings = ops.cast(embeddings, self.compute_dtype)
        logits = ops.matmul(hidden, ops.transpose(embeddings))
        return ops.cast(logits, "float32") + ops.cast(self.bias, "float32")

    def compute_mask(self, *inputs, **_):
        return None  # the chosen places are others

    def compute_output_spec(self, states, positions, embeddings):
        return keras.KerasTensor((*positions.shape, self.vocabulary_size), dtype="float32")

    def get_config(self):
        sizes = {"vocabulary_size": self.vocabulary_size, "activation": self.activation}
        return {**super().get_config(), **sizes}


@keras.saving.register_keras_serializable(package="seqnlp")
class NextSentenceHead(keras.layers.Layer):
    """Scores whether the second span follows the first one.

    Call arguments:
        pooled: Float tensor `(batch, units)`.

    Returns:
        Logits float32 `(batch, 2)`, first that it follows, then that it does not.

    Reference: https://arxiv.org/abs/1810.04805, section 3.1
    """

    def build(self, pooled_shape):
        self.dense = keras.layers.Dense(2, kernel_initializer=normal(), dtype=self.dtype_policy)
        self.dense.build(pooled_shape)

    def call(self, pooled):
        return ops.cast(self.dense(pooled), "float32")


class OnBERT(keras.Model):
    """What all models on a BERT share: an encoder, which a file holds too.

    Args:
        encoder: A `BERTEncoder`.

    Raises:
        ValueError: `encoder` is none.

    Attributes:
        saved_layers: Names of the arguments that are layers, of a child too.
    """

    saved_layers = ("encoder",)

    def __init__(self, encoder, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(encoder, BERTEncoder):
            raise ValueError(
                f"`encoder` must be a seqnlp.models.BERTEncoder. Received: encoder={encoder!r}"
            )
        self.encoder = encoder

    def _build_encoder(self, inputs_shape):
        if not self.encoder.built:  # one that comes from a `.keras` file is
            self.encoder.build(inputs_shape)

    def _encode(self, inputs, training=None):
        read = {name: inputs[name] for name in ("token_ids", "segment_ids")}
        return self.encoder(read, training=training)

    def get_config(self):
        layers = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in self.saved_layers
        }
        return {**super().get_config(), **layers}

    @classmethod
    def from_config(cls, config):
        layers = {
            name: keras.saving.deserialize_keras_object(config[name]) for name in cls.saved_layers
        }
        return cls(**{**config, **layers})


@keras.saving.register_keras_serializable(package="seqnlp")
class BERTPretrainer(OnBERT):
    """An encoder with the two heads that it is pretrained with.

        model = BERTPretrainer(BERTEncoder(30522, **BERT_BASE))
        model.compile("adam", pretraining_losses())
        model.fit(inputs, labels, sample_weight={"masked_lm": weights, "next_sentence": ...})

    Args:
        encoder: A `BERTEncoder`.

    Call arguments:
        inputs: Dict of `token_ids` and `segment_ids` int `(batch, time)`, see `BERTEncoder`, and
            `positions` int `(batch, most)`, the places whose tokens are asked for.

    Returns:
        Dict of float32 logits: `masked_lm` `(batch, most, vocabulary)`, of `MaskedLMHead`, and
        `next_sentence` `(batch, 2)`, of `NextSentenceHead`.

    Raises:
        ValueError: `encoder` is none.

    Reference: https://arxiv.org/abs/1810.04805, section 3.1
    """

    def __init__(self, encoder, **kwargs):
        super().__init__(encoder, **kwargs)
        policy = {"dtype": self.dtype_policy}
        sizes = [encoder.config[name] for name in ("vocabulary_size", "activation")]
        self.masked_lm = MaskedLMHead(*sizes, **policy)
        self.next_sentence = NextSentenceHead(**policy)

    def build(self, inputs_shape):
        self._build_encoder(inputs_shape)
        batch, time = inputs_shape["token_ids"]
        sizes = self.encoder.config
        states = (batch, time, sizes["units"])
        table = (sizes["vocabulary_size"], sizes["units"])
        self.masked_lm.build(states, inputs_shape.get("positions"), table)
        self.next_sentence.build((batch, sizes["units"]))

    def call(self, inputs, training=None):
        states = self._encode(inputs, training)
        embeddings = ops.convert_to_tensor(self.encoder.token_embedding.embeddings)
        return {
            "masked_lm": self.masked_lm(states["tokens"], inputs["positions"], embeddings),
            "next_sentence": self.next_sentence(states["pooled"]),
        }


def pretraining_losses():
    """The losses of `BERTPretrainer` for `compile`: means over the chosen tokens and the pairs."""
    return {
        name: keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )
        for name in ("masked_lm", "next_sentence")
    }


def pretraining_flops(encoder, length, predictions):
    """Floating-point operations that training takes for a pair, products of matrices alone.

    Backward takes twice as many as forward; a multiplication and an addition are two.

    Args:
        encoder: `BERTEncoder`.
        length: Ids of a row, padding counted.
        predictions: Hidden tokens of a row.
    """
    sizes = encoder.config
    units, hidden = sizes["units"], sizes["feed_forward_units"]
    token = 4 * units**2 + 2 * units * hidden  # projections of attention, feed-forward network
    layers = sizes["num_layers"] * length * (token + 2 * length * units)
    heads = units**2 + predictions * (units**2 + units * sizes["vocabulary_size"])
    return 3 * 2 * (layers + heads)


def normal():
    """The initializer of all of BERT's kernels and embeddings."""
    return keras.initializers.TruncatedNormal(stddev=0.02)


def _embedding(size, units, policy):
    return keras.layers.Embedding(size, units, normal(), **policy)
