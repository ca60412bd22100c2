"""Multiplicative attention, and Luong's other scores."""

import keras
from keras import ops

from seqnlp.layers.attention import Attention
from seqnlp.layers.bahdanau_attention import additive_scores

WITH_UNITS = ("concat", "projected")
SAME_WIDTH = ("dot", "scaled")
SCORES = ("dot", "general", "concat", "scaled", "projected")


@keras.saving.register_keras_serializable(package="seqnlp")
class LuongAttention(Attention):
    """Multiplicative attention of Luong et al., and "concat", their additive one.

    | `score` | score[t, s] |
    |---|---|
    | "dot" | `query[t] . value[s]` |
    | "general" | `query[t] . W value[s]` |
    | "concat" | `v . tanh(W [query[t]; value[s]])` |
    | "scaled" | `query[t] . value[s] / sqrt(query_units)`, of Vaswani et al. |
    | "projected" | `<W1 value[s], W2 query[t]>`: both sides have a projection to `units` |

    Arguments of the alignment, calls and results are those of `Attention`.

    Args:
        score: The score's name in the table; "dot" and "scaled" need queries and values of one
            width.
        units: Width of "concat" and "projected"; None is that of the queries.
        learn_scale: Whether the score is multiplied by a weight, 1 at first.

    Raises:
        ValueError: `score` is unknown, `units` is below 1 or not for this score, queries and
            values differ in width where they may not, or as for `Attention`.

    Reference: https://arxiv.org/abs/1508.04025, section 3.1; "scaled" is
    https://arxiv.org/abs/1706.03762, section 3.2.1
    """

    def __init__(self, score="general", units=None, learn_scale=False, **kwargs):
        super().__init__(**kwargs)
        if score not in SCORES:
            raise ValueError(f"`score` must be one of {SCORES}. Received: score={score!r}")
        if units is not None and score not in WITH_UNITS:
            raise ValueError(f"`units` must be None with score={score!r}. Received: units={units}")
        if units is not None and units < 1:
            raise ValueError(f"`units` must be at least 1. Received: units={units}")
        self.score = score
        self.units = units
        self.learn_scale = learn_scale

    def build_scores(self, query_shape, value_shape):
        if self.score in SAME_WIDTH and value_shape[-1] != query_shape[-1]:
            raise ValueError(
                f"`value` must be as wide as `query`, {query_shape[-1]}, with "
                f"score={self.score!r}. Received: value.shape={value_shape}"
            )
        units = self.units or query_shape[-1]
        policy = {"use_bias": False, "dtype": self.dtype_policy}
        self.query_projection = self.value_projection = self.v = self.g = None
        if self.score not in SAME_WIDTH:
            self.value_projection = keras.layers.Dense(units, name="value_projection", **policy)
            self.value_projection.build(value_shape)
        if self.score in WITH_UNITS:
            self.query_projection = keras.layers.Dense(units, name="query_projection", **policy)
            self.query_projection.build(query_shape)
        if self.score == "concat":
            self.v = self.add_weight(name="v", shape=(units,), initializer="glorot_uniform")
        if self.learn_scale:
            self.g = self.add_weight(name="g", shape=(), initializer="ones")

    def keys(self, value):
        return value if self.value_projection is None else self.value_projection(value)

    def scores(self, query, keys):
        if self.query_projection is not None:
            query = self.query_projection(query)
        if self.score == "scaled":
            query = query * query.shape[-1] ** -0.5
        if self.score == "concat":
            scores = additive_scores(query, keys, self.v)
        else:
            scores = ops.einsum("bqu,bsu->bqs", query, keys)
        return scores if self.g is None else ops.cast(self.g, scores.dtype) * scores

    def get_config(self):
        return {
            **super().get_config(),
            "score": self.score,
            "units": self.units,
            "learn_scale": self.learn_scale,
        }
