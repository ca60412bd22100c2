"""Models on a BERT that answer a question about a text or a pair of texts."""

import keras
from keras import ops

from seqnlp.layers.masking import HIDDEN, first_and_last
from seqnlp.models.bert import OnBERT, normal


class FineTuned(OnBERT):
    """What all models that are fine-tuned share: dropout of what the encoder says.

    Args:
        encoder: A `BERTEncoder`.
        dropout: Share dropped of the vectors that the head reads.
    """

    def __init__(self, encoder, dropout=0.1, **kwargs):
        super().__init__(encoder, **kwargs)
        self.rate = dropout
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def get_config(self):
        return {**super().get_config(), "dropout": self.rate}


@keras.saving.register_keras_serializable(package="seqnlp")
class BERTClassifier(FineTuned):
    """Tells the class of a text, or of a pair of texts.

        logits = W dropout(pooled) + b

        model = BERTClassifier(encoder, num_classes=2)
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    Args:
        encoder: A `BERTEncoder`.
        num_classes: Number of classes.
        dropout: Share dropped of the vector of a text.

    Call arguments:
        inputs: Dict of `token_ids` and `segment_ids` int `(batch, time)`.

    Returns:
        Logits float32 `(batch, classes)`.

    Raises:
        ValueError: `encoder` is none, or there are fewer than 2 classes.

    Reference: https://arxiv.org/abs/1810.04805, section 4.1
    """

    def __init__(self, encoder, num_classes, dropout=0.1, **kwargs):
        super().__init__(encoder, dropout, **kwargs)
        if num_classes < 2:
            raise ValueError(
                f"`num_classes` must be at least 2. Received: num_classes={num_classes}"
            )
        self.num_classes = num_classes
        self.dense = keras.layers.Dense(
            num_classes, kernel_initializer=normal(), dtype=self.dtype_policy
        )

    def build(self, inputs_shape):
        self._build_encoder(inputs_shape)
        self.dense.build((None, self.encoder.config["units"]))

    def call(self, inputs, training=None):
        pooled = self._encode(inputs, training)["pooled"]
        return ops.cast(self.dense(self.dropout(pooled, training=training)), "float32")

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package="seqnlp")
class BERTRegressor(FineTuned):
    """Tells a number of a text or of a pair of texts, such as how similar the two are.

        value = w . dropout(pooled) + b

    Args:
        encoder: A `BERTEncoder`.
        dropout: Share dropped of the vector of a text.

    Call arguments:
        inputs: Dict of `token_ids` and `segment_ids` int `(batch, time)`.

    Returns:
        Float32 `(batch,)`.

    Raises:
        ValueError: `encoder` is none.

    Reference: https://arxiv.org/abs/1810.04805, section 4.1 (STS-B)
    """

    def __init__(self, encoder, dropout=0.1, **kwargs):
        super().__init__(encoder, dropout, **kwargs)
        self.dense = keras.layers.Dense(1, kernel_initializer=normal(), dtype=self.dtype_policy)

    def build(self, inputs_shape):
        self._build_encoder(inputs_shape)
        self.dense.build((None, self.encoder.config["units"]))

    def call(self, inputs, training=None):
        pooled = self._encode(inputs, training)["pooled"]
        value = self.dense(self.dropout(pooled, training=training))
        return ops.cast(ops.squeeze(value, axis=-1), "float32")


@keras.saving.register_keras_serializable(package="seqnlp")
class BERTSpanExtractor(FineTuned):
    """Finds the answer to a question in a text: scores where it starts and where it ends.

        start[t] = s . dropout(tokens[t]) + b;  end[t] = e . dropout(tokens[t]) + c

    The first token stands for no answer; it and the second span alone can be chosen.

        model = BERTSpanExtractor(encoder)
        model.compile("adam", span_losses(), loss_weights={"start": 0.5, "end": 0.5})

    The encoder's pooler is not trained any more, since nothing reads what it says.

    Args:
        encoder: A `BERTEncoder`.
        dropout: Share dropped of the vectors of tokens.

    Call arguments:
        inputs: Dict of `token_ids` and `segment_ids` int `(batch, time)`: the question, then the
            text and a special.

    Returns:
        Dict of `start` and `end`, logits float32 `(batch, time)`, next to minus infinity where
        nothing may be chosen.

    Raises:
        ValueError: `encoder` is none.

    Reference: https://arxiv.org/abs/1810.04805, sections 4.2 and 4.3
    """

    def __init__(self, encoder, dropout=0.1, **kwargs):
        super().__init__(encoder, dropout, **kwargs)
        encoder.pooler.trainable = False
        self.dense = keras.layers.Dense(2, kernel_initializer=normal(), dtype=self.dtype_policy)

    def build(self, inputs_shape):
        self._build_encoder(inputs_shape)
        self.dense.build((None, None, self.encoder.config["units"]))

    def call(self, inputs, training=None):
        states = self._encode(inputs, training)["tokens"]
        logits = self.dense(self.dropout(states, training=training))  # (batch, time, 2)
        first, last = first_and_last(inputs["token_ids"] != 0)
        second = ops.logical_and(inputs["segment_ids"] == 1, inputs["token_ids"] != 0)
        allowed = ops.logical_or(first, ops.logical_and(second, ops.logical_not(last)))
        logits = ops.where(allowed[..., None], ops.cast(logits, "float32"), HIDDEN)
        return {"start": logits[..., 0], "end": logits[..., 1]}


def span_losses():
    """The losses of `BERTSpanExtractor` for `compile`, whose mean is that of the paper."""
    return {
        name: keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )
        for name in ("start", "end")
    }
