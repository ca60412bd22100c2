"""Word vectors from characters by convolution."""

import keras
from keras import ops

from seqnlp.layers.pooling import MaxPooling


@keras.saving.register_keras_serializable(package="seqnlp")
class CharCNN(keras.layers.Layer):
    """Spells each word with a convolution over its characters, the largest value of each filter.

    Args:
        vocabulary_size: Number of character ids; 0 is padding.
        char_units: Width of a character's vector.
        filters: Number of filters, the width of the result.
        width: Characters that a filter sees.
        dropout: Share of the character vectors that is dropped.

    Call arguments:
        char_ids: Int tensor `(batch, time, chars)`.

    Returns:
        `(batch, time, filters)`; zeros for words without characters.

    Reference: https://arxiv.org/abs/1603.01354, section 2.1
    """

    def __init__(self, vocabulary_size, char_units=30, filters=30, width=3, dropout=0.5, **kwargs):
        super().__init__(**kwargs)
        for name, value in (("filters", filters), ("width", width)):
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
        self.vocabulary_size = vocabulary_size
        self.char_units = char_units
        self.filters = filters
        self.width = width
        self.dropout = dropout
        policy = {"dtype": self.dtype_policy}
        self.embedding = keras.layers.Embedding(vocabulary_size, char_units, **policy)
        self.char_dropout = keras.layers.Dropout(dropout, **policy)
        self.convolution = keras.layers.Conv1D(filters, width, padding="same", **policy)
        self.pooling = MaxPooling(**policy)

    def build(self, char_ids_shape):
        chars = char_ids_shape[-1]
        self.embedding.build((None, chars))
        self.convolution.build((None, chars, self.char_units))

    def call(self, char_ids, training=None):
        batch, time, chars = ops.shape(char_ids)
        words = ops.reshape(char_ids, (-1, chars))  # (batch * time, chars)
        mask = words != 0
        vectors = self.char_dropout(self.embedding(words), training=training)
        vectors = ops.where(mask[..., None], vectors, 0)  # the edges of a word read as zeros
        spelled = self.pooling(self.convolution(vectors), mask=mask)
        return ops.reshape(spelled, (batch, time, self.filters))

    def compute_output_shape(self, char_ids_shape):
        return *char_ids_shape[:2], self.filters

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "char_units": self.char_units,
            "filters": self.filters,
            "width": self.width,
            "dropout": self.dropout,
        }
