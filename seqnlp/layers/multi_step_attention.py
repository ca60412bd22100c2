"""Attention that every layer of a convolutional decoder takes anew."""

import keras
from keras import ops

from seqnlp.layers.conv import HALF
from seqnlp.layers.masking import masked_softmax
from seqnlp.layers.weight_normalization import WeightNormalizedDense


def multi_step_memory(key, value, value_mask=None):
    """What attention needs to know of the source, for all layers and steps.

    Args:
        key: Float tensor `(batch, source, units)`.
        value: Float tensor `(batch, source, units)`.
        value_mask: Bool tensor `(batch, source)`, True at real tokens.

    Returns:
        Dict of `key`, `value` and `mask`. Padding is zero, and the values are scaled by the
        square root of their number: their mean then varies as much as one of them.
    """
    if value_mask is None:
        value_mask = ops.ones_like(value[..., 0], dtype="bool")
    mask = ops.cast(value_mask, "bool")
    length = ops.sum(ops.cast(mask, "float32"), axis=1)[:, None, None]
    value = ops.where(mask[..., None], value * ops.cast(ops.sqrt(length), value.dtype), 0)
    return {"key": ops.where(mask[..., None], key, 0), "value": value, "mask": mask}


def dot_attention(query, memory):
    """Weighted sums of the memory's values, and the weights; zeros where all is padding.

    Args:
        query: Float tensor `(batch, target, units)`.
        memory: What `multi_step_memory` gave.

    Returns:
        `context` `(batch, target, units)` and `weights` float32 `(batch, target, source)`.
    """
    scores = ops.einsum("btu,bsu->bts", query, memory["key"])
    weights = masked_softmax(scores, memory["mask"][:, None])
    return ops.einsum("bts,bsu->btu", ops.cast(weights, query.dtype), memory["value"]), weights


@keras.saving.register_keras_serializable(package="seqnlp")
class MultiStepAttention(keras.layers.Layer):
    """Attention of one decoder layer, added to its states:

        query[t] = W states[t] + b + target[t]
        weights[t] = softmax_s(query[t] . key[s])
        context[t] = sqrt(m) sum_s weights[t, s] value[s],  m the number of source tokens
        y[t] = states[t] + U context[t] + c

    As `key` it wants the outputs z of an encoder, as `value` z with the embeddings e that the
    encoder read, as `target` the embeddings of the tokens before: what is near the words is left
    to the values. Each sum of two is scaled by sqrt(1/2).

    Call arguments:
        states: Float tensor `(batch, target, features)`.
        target: Float tensor `(batch, target, units)`.
        key: Float tensor `(batch, source, units)`.
        value: Float tensor `(batch, source, units)`.
        value_mask: Bool tensor `(batch, source)`, True at real tokens.

    Returns:
        `y` `(batch, target, features)`, `weights` float32 `(batch, target, source)`.

    Raises:
        ValueError: `target`, `key` and `value` differ in width.

    Reference: https://arxiv.org/abs/1705.03122, sections 3.3 and 3.4
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, states_shape, target_shape, key_shape, value_shape, value_mask_shape=None):
        units = target_shape[-1]
        for name, shape in (("key", key_shape), ("value", value_shape)):
            if shape[-1] != units:
                raise ValueError(
                    f"`{name}` must be {units} wide, as `target` is. "
                    f"Received: {name}.shape={tuple(shape)}"
                )
        policy = {"dtype": self.dtype_policy}
        self.query = WeightNormalizedDense(units, name="query", **policy)
        self.output_projection = WeightNormalizedDense(
            states_shape[-1], name="output_projection", **policy
        )
        self.query.build(states_shape)
        self.output_projection.build(target_shape)

    def call(self, states, target, key, value, value_mask=None):
        return self.attend(states, target, multi_step_memory(key, value, value_mask))

    def attend(self, states, target, memory):
        """As a call, with what `multi_step_memory` gave, which all layers may share."""
        query = (self.query(states) + target) * HALF
        context, weights = dot_attention(query, memory)
        return (states + self.output_projection(context)) * HALF, weights

    def compute_mask(self, *args, **kwargs):
        return None

    def get_config(self):  # the one that Keras guesses fails where `dtype` is a policy
        return super().get_config()
