"""Additive attention."""

import keras
from keras import ops

from seqnlp.layers.attention import Attention


def additive_scores(query, keys, v):
    """`v . tanh(query + key)` of each pair: `(batch, queries, source)`.

    `query` is `(batch, queries, units)`, `keys` `(batch, source, units)`, `v` `(units,)`.
    """
    v = ops.cast(v, keys.dtype)

    # By hand, in a few passes over all units of all pairs, which are computed again: keeping them
    # for the way back takes longer.
    @ops.custom_gradient
    def run(query, keys, v):
        def pairs():
            return ops.tanh(query[:, :, None] + keys[:, None])  # (batch, queries, source, units)

        # A product, as XLA's sums over the last axis go number by number on a CPU.
        scores = ops.matmul(pairs(), v[:, None])[..., 0]

        def gradient(*upstream):
            (d_scores,) = upstream
            again = pairs()
            slopes = d_scores[..., None] * (1 - again * again)
            flat = ops.reshape(again, (-1, again.shape[-1]))
            d_v = ops.matmul(ops.reshape(d_scores, (1, -1)), flat)[0]
            return v * ops.sum(slopes, axis=2), v * ops.sum(slopes, axis=1), d_v

        return scores, gradient

    return run(query, keys, v)


@keras.saving.register_keras_serializable(package="seqnlp")
class BahdanauAttention(Attention):
    """Additive attention of Bahdanau et al.: a small network scores query and value.

        score[t, s] = v . tanh(W query[t] + U value[s] + b)

    The paper has no `b`. With `normalize`, Salimans & Kingma's weight normalisation keeps the
    length of `v` in a weight of its own:

        score[t, s] = g v / |v| . tanh(W query[t] + U value[s] + b)

    Arguments of the alignment, calls and results are those of `Attention`.

    Args:
        units: Width of the scoring network.
        normalize: Whether `v` is normalised; `g` begins at `1 / sqrt(units)`.
        use_bias: Whether there is a `b`, from zeros on; a normalised score always has it.

    Raises:
        ValueError: `units` is below 1, or as for `Attention`.

    Reference: https://arxiv.org/abs/1409.0473, section A.1.2; weight normalisation is
    https://arxiv.org/abs/1602.07868, section 2
    """

    def __init__(self, units, normalize=False, use_bias=False, **kwargs):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"`units` must be at least 1. Received: units={units}")
        self.units = units
        self.normalize = normalize
        self.use_bias = use_bias

    def build_scores(self, query_shape, value_shape):
        policy = {"use_bias": False, "dtype": self.dtype_policy}
        self.query_projection = keras.layers.Dense(self.units, name="query_projection", **policy)
        self.value_projection = keras.layers.Dense(self.units, name="value_projection", **policy)
        self.query_projection.build(query_shape)
        self.value_projection.build(value_shape)
        self.v = self.add_weight(name="v", shape=(self.units,), initializer="glorot_uniform")
        self.b = self.g = None
        if self.normalize or self.use_bias:
            self.b = self.add_weight(name="b", shape=(self.units,), initializer="zeros")
        if self.normalize:
            start = keras.initializers.Constant(self.units**-0.5)
            self.g = self.add_weight(name="g", shape=(), initializer=start)

    def keys(self, value):
        keys = self.value_projection(value)
        return keys if self.b is None else keys + ops.cast(self.b, keys.dtype)

    def scores(self, query, keys):
        v = self.v if self.g is None else self.g * self.v * ops.rsqrt(ops.sum(self.v**2))
        return additive_scores(self.query_projection(query), keys, v)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "normalize": self.normalize,
            "use_bias": self.use_bias,
        }
