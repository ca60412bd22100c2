"""What the attention layers share: a child says how well a query fits a key."""

import keras
from keras import ops

from seqnlp.layers.alignment import Alignment, LocalAlignment, PredictiveAlignment
from seqnlp.layers.monotonic import MonotonicAlignment

MONOTONIC = ("monotonic", "monotonic-recursive", "monotonic-hard")
ALIGNMENTS = ("softmax", "local-m", "local-p", *MONOTONIC)


class Attention(keras.layers.Layer):
    """Looks up values by how well their keys fit a query: a child says how well, its `scores`.

        score[t, s] = fit(query[t], key[s])
        weights[t] = align(score[t])
        context[t] = sum_s weights[t, s] value[s]

    A call attends with all queries at once. A decoder that makes its queries one after the
    other asks for `memory` once a sentence, and has each query `attend` to it:

        memory = attention.memory(value, value_mask)
        context, weights = attention.attend(query, memory, previous=weights, position=t)

    where the axis `queries` holds the one query of this step, or one of each beam. With the same
    queries both ways give the same.

    | `alignment` | weights |
    |---|---|
    | "softmax" | softmax of the scores over the sentence |
    | "local-m" | softmax within a window around token t, in step t |
    | "local-p" | the same around a place that the query predicts, times a Gaussian |
    | "monotonic" | where a step stops that reads on from the last one's stop, in expectation |
    | "monotonic-recursive" | the same, token by token |
    | "monotonic-hard" | the same in training; otherwise the one token where the step stops |

    Windows are Luong's, see `LocalAlignment` and `PredictiveAlignment` in
    `seqnlp/layers/alignment.py`; monotonic attention is Raffel's, where the score, a bias `r` in
    it, decides whether to stop at a token, see `seqnlp/layers/monotonic.py`. All of it is fit for
    any score, and hard and soft weights need the same trained ones.

    Args:
        alignment: How scores become weights: a name of the table.
        half_width: Number of tokens on either side of the middle of a window.
        sigmoid_noise: Standard deviation of the normal noise on the scores in training, which
            drives monotonic attention to clear decisions.
        score_bias: Where `r` begins; below zero, monotonic attention reads on at first.

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
        ValueError: An argument is out of range or does not fit the `alignment`, or a shape is
            wrong.

    Reference: https://arxiv.org/abs/1409.0473, section 3.1; windows are
    https://arxiv.org/abs/1508.04025, section 3.2; monotonic attention is
    https://arxiv.org/abs/1704.00784, sections 2.2 to 2.5
    """

    def __init__(
        self, alignment="softmax", half_width=10, sigmoid_noise=0.0, score_bias=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        if alignment not in ALIGNMENTS:
            raise ValueError(
                f"`alignment` must be one of {ALIGNMENTS}. Received: alignment={alignment!r}"
            )
        for name, value in (("sigmoid_noise", sigmoid_noise), ("score_bias", score_bias)):
            if value and alignment not in MONOTONIC:
                raise ValueError(
                    f"`{name}` must be 0 with alignment={alignment!r}. Received: {name}={value}"
                )
        self.alignment = alignment
        self.half_width = half_width
        self.sigmoid_noise = sigmoid_noise
        self.score_bias = score_bias
        self.aligner = self._aligner()
        self.seed_generator = keras.random.SeedGenerator() if sigmoid_noise else None
        self.supports_masking = True

    def _aligner(self):
        policy = {"dtype": self.dtype_policy, "name": "alignment"}
        if self.alignment in MONOTONIC:
            return MonotonicAlignment(
                self.alignment, self.sigmoid_noise, self.score_bias, **policy
            )
        local = {"local-m": LocalAlignment, "local-p": PredictiveAlignment}
        if self.alignment in local:
            return local[self.alignment](self.half_width, **policy)
        return Alignment(**policy)

    def build(self, query_shape, value_shape, value_mask_shape=None, query_mask_shape=None):
        for name, shape in (("query", query_shape), ("value", value_shape)):
            if len(shape) != 3:
                raise ValueError(
                    f"`{name}` must have shape (batch, time, units). "
                    f"Received: {name}.shape={tuple(shape)}"
                )
        self.build_scores(tuple(query_shape), tuple(value_shape))
        self.aligner.build(query_shape)

    def build_scores(self, query_shape, value_shape):
        """Makes the weights of `keys` and `scores`."""
        raise NotImplementedError

    def keys(self, value):
        """What queries are compared with: `(batch, source, key_units)`."""
        raise NotImplementedError

    def scores(self, query, keys):
        """How well each query fits each key: `(batch, queries, source)`."""
        raise NotImplementedError

    def memory(self, value, value_mask=None):
        """What `attend` needs of a batch of sentences, computed once.

        Args:
            value: Float tensor `(batch, source, value_units)`.
            value_mask: Bool tensor `(batch, source)`, True at real tokens; None if all are.

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
            previous: Float tensor `(batch, queries, source)`: the weights of the step before.
                Monotonic alignments need it from the second step on; all else ignores it.
            position: Int scalar, `(queries,)` or `(batch, queries)`: the number of the step,
                from 0. "local-m" needs it. A monotonic alignment that is given it takes no
                notice of `previous` in step 0, so that a loop may begin with zeros there.
            training: Whether this is training: monotonic alignments differ.
            noise: What `draw_noise` gave; needed in training if there is `sigmoid_noise`.

        Returns:
            As a call.
        """
        query = ops.cast(query, self.compute_dtype)
        scores = ops.cast(self.scores(query, memory["keys"]), "float32")
        weights = self.aligner.align(scores, query, memory, previous, position, training, noise)
        return self._context(weights, memory), weights

    def draw_noise(self, shape):
        """Normal noise for `attend` in training, or None if there is no `sigmoid_noise`.

        The random state may not change inside a loop, so a decoder draws the noise of all steps
        before its own: `shape` is `(steps, batch, queries, source)`, say.
        """
        if not self.sigmoid_noise:
            return None
        return keras.random.normal(shape, dtype="float32", seed=self.seed_generator)

    def call(self, query, value, value_mask=None, query_mask=None, training=False):
        memory = self.memory(value, value_mask)
        query = ops.cast(query, self.compute_dtype)
        scores = ops.cast(self.scores(query, memory["keys"]), "float32")
        noise = self.draw_noise(ops.shape(scores)) if training else None
        weights = self.aligner.align_all(scores, query, memory, query_mask, training, noise)
        return self._context(weights, memory), weights

    def _context(self, weights, memory):
        values = memory["values"]
        return ops.matmul(ops.cast(weights, values.dtype), values)

    def compute_mask(self, query, previous_mask=None):
        return previous_mask, None

    def get_config(self):
        return {
            **super().get_config(),
            "alignment": self.alignment,
            "half_width": self.half_width,
            "sigmoid_noise": self.sigmoid_noise,
            "score_bias": self.score_bias,
        }
