"""Multiplicative attention."""

import keras
from keras import ops

from seqnlp.layers.attention import Attention

SCORES = ("dot", "general")


@keras.saving.register_keras_serializable(package="seqnlp")
class LuongAttention(Attention):
    """Multiplicative attention of Luong et al.

    | `score` | score[t, s] |
    |---|---|
    | "dot" | query[t] . value[s] |
    | "general" | query[t] . W value[s] |

    Arguments of the alignment, calls and results are those of `Attention`.

    Args:
        score: The score's name in the table.

    Raises:
        ValueError: `score` is unknown, or as for `Attention`.

    Reference: https://arxiv.org/abs/1508.04025, section 3.1
    """

    def __init__(self, score="general", **kwargs):
        super().__init__(**kwargs)
        if score not in SCORES:
            raise ValueError(f"`score` must be one of {SCORES}. Received: score={score!r}")
        self.score_name = score

    def build_score(self, query_shape, value_shape):
        if self.score_name == "general":
            self.value_projection = keras.layers.Dense(
                query_shape[-1], use_bias=False, name="value_projection", dtype=self.dtype_policy
            )
            self.value_projection.build(value_shape)

    def keys(self, value):
        return value if self.score_name == "dot" else self.value_projection(value)

    def score(self, query, keys):
        return ops.einsum("bqu,bsu->bqs", query, keys)

    def get_config(self):
        return {**super().get_config(), "score": self.score_name}
