"""What the attention layers share: a child says how well a query fits a key."""

import keras
from keras import ops

from seqnlp.layers.alignment import aligner


class Attention(keras.layers.Layer):
    """Looks up values by how well their keys fit a query: a child says how well, its `score`.

        score[t, s] = score(query[t], key[s])
        weights[t] = align(score[t])
        context[t] = sum_s weights[t, s] value[s]

    A call attends with all queries at once. A decoder that makes its queries one after the
    other asks for `memory` once a sentence, and has each query `attend` to it:

        memory = attention.memory(value, value_mask)
        context, weights = attention.attend(query, memory, previous=weights, position=t)

    where the axis `queries` holds the one query of this step, or one of each beam. With the same
    queries both ways give the same.

    Args:
        alignment: How scores become weights: "softmax".

    Call arguments:
        query: Float tensor `(batch, queries, query_units)`.
        value: Float tensor `(batch, source, value_units)`.
        value_mask: Bool tensor `(batch, source)`, True at real tokens; None if all are.
        query_mask: Bool tensor `(batch, queries)`, True at real tokens; None if all are. Queries
            at padding do not count as steps.

    Returns:
        `context` `(batch, queries, value_units)`, `weights` float32 `(batch, queries, source)`.
        Weights are zero at padding, and zeros in a row without a real token.

    Raises:
        ValueError: An argument is out of range, or a shape does not fit.
    """

    def __init__(self, alignment="softmax", **kwargs):
        super().__init__(**kwargs)
        self.alignment = alignment
        self.aligner = aligner(alignment, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, query_shape, value_shape, value_mask_shape=None, query_mask_shape=None):
        for name, shape in (("query", query_shape), ("value", value_shape)):
            if len(shape) != 3:
                raise ValueError(
                    f"`{name}` must have shape (batch, time, units). "
                    f"Received: {name}.shape={tuple(shape)}"
                )
        self.build_score(query_shape, value_shape)
        self.aligner.build(query_shape)

    def build_score(self, query_shape, value_shape):
        """Makes the weights of `keys` and `score`."""
        raise NotImplementedError

    def keys(self, value):
        """What queries are compared with: `(batch, source, key_units)`."""
        raise NotImplementedError

    def score(self, query, keys):
        """How well each query fits each key: `(batch, queries, source)`."""
        raise NotImplementedError

    def memory(self, value, value_mask=None):
        """What `attend` needs of a batch of sentences, computed once.

        Returns:
            Dict of tensors, whose first axis is `batch`.
        """
        value = ops.cast(value, self.compute_dtype)
        if value_mask is None:
            value_mask = ops.ones_like(value[..., 0], dtype="bool")
        mask = ops.cast(value_mask, "bool")
        values = ops.where(mask[..., None], value, 0)  # a weight of zero would keep a NaN
        entries = {"values": values, "keys": self.keys(values), "mask": mask}
        return {**entries, **self.aligner.memory(mask)}

    def attend(self, query, memory, previous=None, position=None, training=False, noise=None):
        """Weights of the values in `memory` for each query by itself, and their context.

        Args:
            query: Float tensor `(batch, queries, query_units)`.
            memory: What `memory` gave.
            previous: Float tensor `(batch, queries, source)`: the weights of the step before;
                None at the first step. Used by monotonic alignments alone.
            position: Int scalar, `(queries,)` or `(batch, queries)`: the number of the step,
                from 0. Used by "local-m", and by monotonic alignments, which at position 0 take
                no notice of `previous`.
            training: Whether this is training.
            noise: What `draw_noise` gave, for monotonic alignments with noise in training.

        Returns:
            As a call.
        """
        query = ops.cast(query, self.compute_dtype)
        scores = ops.cast(self.score(query, memory["keys"]), "float32")
        weights = self.aligner.weights(scores, query, memory, previous, position, training)
        return self._context(weights, memory), weights

    def call(self, query, value, value_mask=None, query_mask=None, training=False):
        memory = self.memory(value, value_mask)
        query = ops.cast(query, self.compute_dtype)
        scores = ops.cast(self.score(query, memory["keys"]), "float32")
        weights = self.aligner.all_weights(scores, query, memory, query_mask, training)
        return self._context(weights, memory), weights

    def _context(self, weights, memory):
        values = memory["values"]
        return ops.matmul(ops.cast(weights, values.dtype), values)

    def compute_mask(self, query, previous_mask=None):
        return previous_mask, None

    def get_config(self):
        return {**super().get_config(), "alignment": self.alignment}
