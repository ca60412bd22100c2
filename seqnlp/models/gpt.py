"""GPT: a language model of Transformer layers that see what stands before them."""

import keras
from keras import ops

from seqnlp.layers import LearnedPositions, TransformerEncoder
from seqnlp.models.bert import normal

# Radford et al. 2018, section 4.1, and Radford et al. 2019, Language models are unsupervised
# multitask learners, table 2.
GPT1 = {"units": 768, "num_layers": 12, "num_heads": 12, "feed_forward_units": 3072}
_GPT2 = {"max_length": 1024, "norm": "pre"}
GPT2_SMALL = {**GPT1, **_GPT2}
GPT2_MEDIUM = {
    "units": 1024,
    "num_layers": 24,
    "num_heads": 16,
    "feed_forward_units": 4096,
    **_GPT2,
}


@keras.saving.register_keras_serializable(package="seqnlp")
class GPT(keras.Model):
    """Reads a text from its beginning and scores at each token which one follows.

        x = dropout(token + position)             (batch, time, units)
        h = causal Transformer layers of x        (batch, time, units)
        logits = h embeddings^T                   (batch, time, vocabulary)

        model = GPT(8000, units=128, num_layers=2, num_heads=2, feed_forward_units=512)
        model.compile("adam", SequenceCrossEntropy(), metrics=[Perplexity()])
        model.fit({"token_ids": ids[:, :-1]}, ids[:, 1:])
        greedy(model.step, model.initial_state(rows, 50), start_ids, end_id, 50)

    Args:
        vocabulary_size: Number of token ids; 0 is padding.
        units: Width of the states.
        num_layers: Number of layers.
        num_heads: Number of heads of each.
        feed_forward_units: Width of the hidden layer of the feed-forward networks.
        max_length: Number of positions, the most tokens of an input.
        norm: "post" to normalize the sums of branches, as the first GPT; "pre" to normalize what
            enters a branch, and the outputs, as those that followed.
        dropout: Share of the vectors that enter and of the branches' outputs that is dropped.
        attention_dropout: Share of the attention weights that is dropped.
        activation: Function of the feed-forward networks' hidden layer.

    Call arguments:
        inputs: Dict of `token_ids` int `(batch, time)`.

    Returns:
        Logits float32 `(batch, time, vocabulary)`, at each token those of the one behind it.

    Raises:
        ValueError: An argument is out of range, the units are no multiple of `num_heads`, or an
            input is longer than `max_length`.

    Reference: Radford et al. 2018, Improving language understanding by generative pre-training,
    section 3.1
    """

    def __init__(
        self,
        vocabulary_size,
        units=768,
        num_layers=12,
        num_heads=12,
        feed_forward_units=3072,
        max_length=512,
        norm="post",
        dropout=0.1,
        attention_dropout=0.1,
        activation="gelu",
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, size in (("vocabulary_size", vocabulary_size), ("units", units)):
            if size < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}")
        self.config = {
            "vocabulary_size": vocabulary_size,
            "units": units,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "feed_forward_units": feed_forward_units,
            "max_length": max_length,
            "norm": norm,
            "dropout": dropout,
            "attention_dropout": attention_dropout,
            "activation": activation,
        }
        policy = {"dtype": self.dtype_policy}
        self.token_embedding = keras.layers.Embedding(vocabulary_size, units, normal(), **policy)
        self.positions = LearnedPositions(max_length, **policy)
        self.embedding_dropout = keras.layers.Dropout(dropout, **policy)
        self.layers_above = TransformerEncoder(
            num_layers,
            num_heads,
            feed_forward_units,
            activation=activation,
            norm=norm,
            dropout=(dropout, attention_dropout, 0.0),
            causal=True,
            norm_epsilon=1e-5,
            kernel_initializer=normal(),
            **policy,
        )

    def build(self, inputs_shape):
        states = (*inputs_shape["token_ids"], self.config["units"])
        self.token_embedding.build(inputs_shape["token_ids"])
        self.positions.build(states)
        self.layers_above.build(states)

    def call(self, inputs, training=None):
        mask = inputs["token_ids"] != 0
        vectors = self.positions(self.token_embedding(inputs["token_ids"]), mask=mask)
        vectors = self.embedding_dropout(vectors, training=training)
        return self._logits(self.layers_above(vectors, mask=mask, training=training))

    def _logits(self, states):
        table = ops.cast(self.token_embedding.embeddings, states.dtype)
        return ops.cast(ops.matmul(states, ops.transpose(table)), "float32")

    def initial_state(self, rows, max_length):
        """What `step` knows before the first token.

        Args:
            rows: Number of rows, an int.
            max_length: Largest number of steps, a Python int.

        Returns:
            Dict of `position`, an int scalar, and `cache`, the keys and values of the tokens so
            far.

        Raises:
            ValueError: `max_length` is below 1, or above the number of positions.
        """
        most = self.config["max_length"]
        if not 1 <= max_length <= most:
            raise ValueError(
                f"`max_length` must be from 1 to {most}, the number of positions. "
                f"Received: max_length={max_length}"
            )
        cache = self.layers_above.initial_cache(rows, max_length)
        return {"position": ops.zeros((), dtype="int32"), "cache": cache}

    def step(self, token_ids, state):
        """Scores the token that follows.

        Args:
            token_ids: Int tensor `(rows,)`, the last token of each row.
            state: What `initial_state` or the last step gave.

        Returns:
            Logits, float32 `(rows, vocabulary)`, and the new state.
        """
        position = state["position"]
        vectors = self.token_embedding(token_ids) + self.positions.at(position)  # (rows, units)
        states, cache = self.layers_above.step(vectors, state["cache"], position)
        return self._logits(states), {"position": position + 1, "cache": cache}

    def get_config(self):
        return {**super().get_config(), **self.config}
