"""From scores to attention weights: over all of the source, or within a window."""

import keras
from keras import ops

from seqnlp.layers.masking import lengths_of, masked_softmax


class Alignment(keras.layers.Layer):
    """Turns the scores of an `Attention` into weights: here their softmax over the source."""

    def build(self, query_shape):
        self.built = True

    def memory(self, mask):
        """What `align` needs of a batch of sentences, beside the mask: a dict of tensors."""
        return {}

    def align(self, scores, query, memory, previous, position, training, noise):
        """Float32 weights `(batch, queries, source)`, of each query by itself."""
        return masked_softmax(scores, memory["mask"][:, None])

    def align_all(self, scores, query, memory, query_mask, training, noise):
        """Float32 weights `(batch, queries, source)`, where queries are steps in their order."""
        if query_mask is None:
            position = ops.arange(ops.shape(scores)[1], dtype="int32")
        else:
            position = ops.cumsum(ops.cast(query_mask, "int32"), axis=1) - 1
        return self.align(scores, query, memory, None, position, training, noise)


class LocalAlignment(Alignment):
    """Attends within a window of `half_width` tokens on either side of a centre.

    Tokens are counted from 0, and padding is not counted: the centre of step t is token t, or
    the last one where the sentence ends before it.

    Reference: https://arxiv.org/abs/1508.04025, section 3.2, "local-m"
    """

    def __init__(self, half_width, **kwargs):
        super().__init__(**kwargs)
        if half_width < 1:
            raise ValueError(f"`half_width` must be at least 1. Received: half_width={half_width}")
        self.half_width = half_width

    def memory(self, mask):
        places = ops.cumsum(ops.cast(mask, "int32"), axis=1) - 1
        lengths = lengths_of(mask)[:, None]
        return {"places": ops.cast(places, "float32"), "lengths": ops.cast(lengths, "float32")}

    def centre(self, query, memory, position):
        """The middle of each query's window, float32 `(batch, queries)`."""
        if position is None:
            raise ValueError(
                "`position` must be given with alignment='local-m'. Received: position=None"
            )
        return ops.minimum(ops.cast(position, "float32"), memory["lengths"] - 1)

    def distance(self, query, memory, position):
        """From the centre of its window to each token: `(batch, queries, source)`."""
        return memory["places"][:, None] - self.centre(query, memory, position)[..., None]

    def align(self, scores, query, memory, previous, position, training, noise):
        distance = self.distance(query, memory, position)
        near = ops.logical_and(memory["mask"][:, None], ops.abs(distance) <= self.half_width)
        return masked_softmax(scores, near)


class PredictiveAlignment(LocalAlignment):
    """Attends within a window whose centre the query predicts, most to what is near to it:

        centre[t] = length * sigmoid(v . tanh(W query[t]))
        weights[t, s] = softmax_s(score[t, s]) exp(-(s - centre[t])^2 / (2 deviation^2))

    with a deviation of half of `half_width`.

    Reference: https://arxiv.org/abs/1508.04025, section 3.2, "local-p"
    """

    def build(self, query_shape):
        policy = {"use_bias": False, "dtype": self.dtype_policy}
        self.hidden = keras.layers.Dense(
            query_shape[-1], activation="tanh", name="hidden", **policy
        )
        self.place = keras.layers.Dense(1, name="place", **policy)
        self.hidden.build(query_shape)
        self.place.build(query_shape)

    def centre(self, query, memory, position):
        share = ops.cast(self.place(self.hidden(query))[..., 0], "float32")
        return memory["lengths"] * ops.sigmoid(share)

    def align(self, scores, query, memory, previous, position, training, noise):
        distance = self.distance(query, memory, position)
        near = ops.logical_and(memory["mask"][:, None], ops.abs(distance) <= self.half_width)
        nearness = ops.exp(-2 * ops.square(distance / self.half_width))
        return masked_softmax(scores, near) * ops.where(near, nearness, 0.0)
