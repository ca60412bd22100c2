"""Word vectors from characters by convolution."""

import keras
from keras import ops

from seqnlp.layers.gating import Highway
from seqnlp.layers.pooling import MaxPooling

_KIM = {"char_units": 15, "activation": "tanh", "dropout": 0.0}

KIM_SMALL = {
    **_KIM,
    "filters": tuple(25 * width for width in range(1, 7)),
    "width": tuple(range(1, 7)),
    "num_highways": 1,
}
"""Sizes of `CharCNN` in https://arxiv.org/abs/1508.06615, table 2, the small model."""

KIM_LARGE = {
    **_KIM,
    "filters": tuple(min(200, 50 * width) for width in range(1, 8)),
    "width": tuple(range(1, 8)),
    "num_highways": 2,
}
"""The large model of the same table."""


@keras.saving.register_keras_serializable(package="seqnlp")
class CharCNN(keras.layers.Layer):
    """Spells each word with convolutions over its characters, the largest value of each filter.

    The defaults are those of Ma & Hovy: one width, nothing behind it. `CharCNN(n, **KIM_SMALL)`
    and `CharCNN(n, **KIM_LARGE)` are the encoders of Kim et al.: filters of several widths, a
    tanh, and highway layers, which mix what the filters found. The edges of a word read as
    zeros, so that a filter also fits a word shorter than itself.

    Args:
        vocabulary_size: Number of character ids; 0 is padding.
        char_units: Width of a character's vector.
        filters: Number of filters, or a sequence of numbers, one for each width.
        width: Characters that a filter sees, or a sequence of them.
        dropout: Share of the character vectors that is dropped.
        activation: Name of a function that never falls, such as "tanh", or None.
        num_highways: Number of `Highway` layers behind the filters.

    Call arguments:
        char_ids: Int tensor `(batch, time, chars)`.

    Returns:
        `(batch, time, units)`, as wide as there are filters; zeros for words without characters.

    Raises:
        ValueError: `filters` or `width` is below 1, there is not one of `filters` for each width,
            or `num_highways` is negative.

    Reference: https://arxiv.org/abs/1603.01354, section 2.1;
    https://arxiv.org/abs/1508.06615, sections 2.2 and 2.3
    """

    def __init__(
        self,
        vocabulary_size,
        char_units=30,
        filters=30,
        width=3,
        dropout=0.5,
        activation=None,
        num_highways=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        numbers, widths = _as_list("filters", filters), _as_list("width", width)
        if len(numbers) != len(widths):
            raise ValueError(
                "`filters` must have a number for each width. "
                f"Received: filters={filters}, width={width}"
            )
        if num_highways < 0:
            raise ValueError(
                f"`num_highways` must not be negative. Received: num_highways={num_highways}"
            )
        self.vocabulary_size = vocabulary_size
        self.char_units = char_units
        self.filters = filters if isinstance(filters, int) else numbers
        self.width = width if isinstance(width, int) else widths
        self.dropout = dropout
        self.activation = activation
        self.num_highways = num_highways
        self.units = sum(numbers)
        policy = {"dtype": self.dtype_policy}
        self.embedding = keras.layers.Embedding(vocabulary_size, char_units, **policy)
        self.char_dropout = keras.layers.Dropout(dropout, **policy)
        self.convolutions = [
            keras.layers.Conv1D(number, width, padding="same", **policy)
            for number, width in zip(numbers, widths, strict=True)
        ]
        self.pooling = MaxPooling(**policy)
        self.activate = keras.activations.get(activation)
        self.highways = [Highway(**policy) for _ in range(num_highways)]

    def build(self, char_ids_shape):
        chars = char_ids_shape[-1]
        self.embedding.build((None, chars))
        for convolution in self.convolutions:
            convolution.build((None, chars, self.char_units))
        for highway in self.highways:
            highway.build((None, self.units))

    def call(self, char_ids, training=None):
        batch, time, chars = ops.shape(char_ids)
        words = ops.reshape(char_ids, (-1, chars))  # (batch * time, chars)
        mask = words != 0
        vectors = self.char_dropout(self.embedding(words), training=training)
        vectors = ops.where(mask[..., None], vectors, 0)  # the edges of a word read as zeros
        found = [self.pooling(convolve(vectors), mask=mask) for convolve in self.convolutions]
        spelled = found[0] if len(found) == 1 else ops.concatenate(found, axis=-1)
        spelled = self.activate(spelled)  # the largest value's is the largest one
        for highway in self.highways:
            spelled = highway(spelled)
        spelled = ops.where(ops.any(mask, axis=1)[:, None], spelled, 0)
        return ops.reshape(spelled, (batch, time, self.units))

    def compute_output_shape(self, char_ids_shape):
        return *char_ids_shape[:2], self.units

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "char_units": self.char_units,
            "filters": self.filters,
            "width": self.width,
            "dropout": self.dropout,
            "activation": self.activation,
            "num_highways": self.num_highways,
        }


def _as_list(name, sizes):
    found = [sizes] if isinstance(sizes, int) else list(sizes)
    if not found or min(found) < 1:
        raise ValueError(f"`{name}` must be at least 1. Received: {name}={sizes}")
    return found
