"""Word vectors from characters by recurrence."""

import keras
from keras import ops

from seqnlp.layers.rnn_encoder import RNNEncoder


@keras.saving.register_keras_serializable(package="seqnlp")
class CharLSTM(keras.layers.Layer):
    """Spells each word with an LSTM from either end; their final states side by side.

    Args:
        vocabulary_size: Number of character ids; 0 is padding.
        char_units: Width of a character's vector.
        units: Width of one direction's state, half the width of the result.
        dropout: Share of the character vectors that is dropped.

    Call arguments:
        char_ids: Int tensor `(batch, time, chars)`.

    Returns:
        `(batch, time, 2 * units)`; zeros for words without characters.

    Raises:
        ValueError: `units` or `dropout` is out of range.

    Reference: https://arxiv.org/abs/1603.01360, section 4.1
    """

    def __init__(self, vocabulary_size, char_units=25, units=25, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.char_units = char_units
        self.units = units
        self.dropout = dropout
        policy = {"dtype": self.dtype_policy}
        self.embedding = keras.layers.Embedding(vocabulary_size, char_units, **policy)
        self.encoder = RNNEncoder(units, dropout=dropout, **policy)

    def build(self, char_ids_shape):
        chars = char_ids_shape[-1]
        self.embedding.build((None, chars))
        self.encoder.build((None, chars, self.char_units))

    def call(self, char_ids, training=None):
        batch, time, chars = ops.shape(char_ids)
        words = ops.reshape(char_ids, (-1, chars))  # (batch * time, chars)
        _, [state] = self.encoder(self.embedding(words), mask=words != 0, training=training)
        forward, _, backward, _ = state  # hidden and cell state of each direction
        spelled = ops.concatenate([forward, backward], axis=-1)
        return ops.reshape(spelled, (batch, time, 2 * self.units))

    def compute_output_shape(self, char_ids_shape):
        return *char_ids_shape[:2], 2 * self.units

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "char_units": self.char_units,
            "units": self.units,
            "dropout": self.dropout,
        }
