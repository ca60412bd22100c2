"""Multi-head attention: of a sequence over itself, and over another one."""

import keras
from keras import ops

from seqnlp.layers.by_token import by_token
from seqnlp.layers.cache import with_token
from seqnlp.layers.dot_product import (
    LEAST_BLOCK,
    attention_mask,
    cached_attention,
    dot_product_attention,
    shared_attention,
    window_attention,
)
from seqnlp.layers.masking import lengths_of, places_without_padding, take_places


class _MultiHead(keras.layers.Layer):
    """What both kinds share: heads, dropout of the weights, the projection of the outputs."""

    def __init__(self, num_heads, dropout=0.0, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        if num_heads < 1:
            raise ValueError(f"`num_heads` must be at least 1. Received: num_heads={num_heads}")
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout}")
        self.num_heads = num_heads
        self.dropout = dropout
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.weight_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.supports_masking = True  # the mask of the queries is that of the outputs

    def _build_output(self, name, shape):
        """Learns the width of the heads from that of the queries, and projects back to it."""
        units = shape[-1]
        if len(shape) != 3 or units is None or units % self.num_heads:
            raise ValueError(
                f"`{name}` must have shape (batch, time, units), units a multiple of "
                f"`num_heads`={self.num_heads}. Received: {name}.shape={tuple(shape)}"
            )
        self.units = units
        self.head_units = units // self.num_heads
        self.output_projection = self._dense(units, units)

    def _dense(self, features, units):
        dense = keras.layers.Dense(
            units, kernel_initializer=self.kernel_initializer.clone(), dtype=self.dtype_policy
        )
        dense.build((None, features))
        return dense

    def _heads(self, projected, number):
        """`(batch, time, number * units)` -> `number` of `(batch, heads, time, head_units)`."""
        batch, time, _ = ops.shape(projected)
        shape = (batch, time, number, self.num_heads, self.head_units)
        heads = ops.transpose(ops.reshape(projected, shape), (2, 0, 3, 1, 4))
        return [heads[at] for at in range(number)]

    def _joined(self, context):
        """`(batch, heads, time, head_units)` -> `(batch, time, units)`, projected."""
        batch, _, time, _ = ops.shape(context)
        context = ops.reshape(ops.transpose(context, (0, 2, 1, 3)), (batch, time, self.units))
        return by_token(self.output_projection, context)

    def _dropping(self, training):
        """The dropout of the weights, or None where it does nothing."""
        if not (training and self.dropout):
            return None
        return lambda weights: self.weight_dropout(weights, training=True)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="seqnlp")
class SelfAttention(_MultiHead):
    """Multi-head attention of the tokens of a sequence over one another.

    Queries, keys and values of all heads come from one product. With a `window`, time and memory
    grow as the length of the sequence, not as its square.

    Args:
        num_heads: Number of heads; each has its share of the inputs' units.
        dropout: Share of the weights that is dropped.
        causal: Whether tokens attend to none behind them, so that sequences can be made token by
            token: see `step`.
        window: Real tokens on either side (before it alone, if causal) that a token attends to;
            None for all of them. The restricted self-attention of the paper's table 1.
        kernel_initializer: Of all kernels.

    Call arguments:
        inputs: Float tensor `(batch, time, units)`.
        mask: Bool tensor `(batch, time)`, True at real tokens.
        return_weights: Whether to return the weights too.

    Returns:
        `(batch, time, units)`; on request also the weights, float32 `(batch, heads, target,
        source)`, zeros where nothing may be attended to.

    Raises:
        ValueError: An argument is out of range, or the units are no multiple of `num_heads`.

    Reference: https://arxiv.org/abs/1706.03762, sections 3.2 and 4
    """

    def __init__(
        self,
        num_heads,
        dropout=0.0,
        causal=False,
        window=None,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(num_heads, dropout, kernel_initializer, **kwargs)
        if window is not None and window < 1:
            raise ValueError(f"`window` must be None or at least 1. Received: window={window}")
        self.causal = causal
        self.window = window

    def build(self, inputs_shape, mask_shape=None):
        self._build_output("inputs", inputs_shape)
        self.projection = self._dense(self.units, 3 * self.units)

    def call(self, inputs, mask=None, return_weights=False, training=None):
        if mask is not None:
            mask = ops.cast(mask, "bool")
            inputs = ops.where(mask[..., None], inputs, 0)  # zero weights do not stop a NaN
        time, dropout = ops.shape(inputs)[1], self._dropping(training)
        if not return_weights and self._is_long(time):
            return self._near(inputs, mask, dropout)
        queries, keys, values = self._heads(by_token(self.projection, inputs), 3)
        allowed = attention_mask(mask, time, self.causal, self.window)
        context, weights = dot_product_attention(queries, keys, values, allowed, dropout)
        outputs = self._joined(context)
        return (outputs, weights) if return_weights else outputs

    def _is_long(self, time):
        """Whether blocks are cheaper than all pairs of tokens."""
        if self.window is None:
            return False
        return not isinstance(time, int) or time > LEAST_BLOCK + 2 * self.window

    def _near(self, inputs, mask, dropout):
        """Attention in a window: real tokens move together, so that places are positions."""
        together = mask
        if mask is not None:
            places, origins = places_without_padding(mask)
            inputs = take_places(inputs, origins)
            together = ops.arange(ops.shape(mask)[1]) < lengths_of(mask)[:, None]
        heads = self._heads(by_token(self.projection, inputs), 3)
        outputs = self._joined(
            window_attention(*heads, self.window, together, self.causal, dropout)
        )
        return outputs if mask is None else take_places(outputs, places)

    def initial_cache(self, rows, max_length):
        """Dict of `keys` and `values`, zeros `(rows, max_length, heads, head_units)`."""
        shape = (rows, max_length, self.num_heads, self.head_units)
        return {name: ops.zeros(shape, dtype=self.compute_dtype) for name in ("keys", "values")}

    def step(self, inputs, cache, position, reads=None):
        """Attends with the next token of each row over itself and those before it.

        Args:
            inputs: Float tensor `(rows, units)`.
            cache: What `initial_cache` or the last step gave.
            position: Int scalar tensor: the number of tokens in the cache.
            reads: Bool tensor `(batch, beams, beams, max_length)` where rows go on from others:
                for each row of a sentence the places of each row that are its past. None where
                each row's past is its own.

        Returns:
            `(rows, units)` and the new cache.

        Raises:
            ValueError: The layer is not causal.
        """
        if not self.causal:
            raise ValueError(
                f"`causal` must be True to attend token by token. Received: causal={self.causal}"
            )
        shape = (-1, 3, 1, self.num_heads, self.head_units)
        projected = ops.reshape(self.projection(inputs), shape)
        place = ops.arange(cache["keys"].shape[1], dtype="int32")
        past = place < position
        if self.window is not None:
            past = ops.logical_and(past, place >= position - self.window)
        attend = cached_attention
        if reads is not None:
            attend, past = shared_attention, ops.logical_and(reads, past)
        queries, *own = (projected[:, at, 0] for at in range(3))
        context = attend(queries, own, cache["keys"], cache["values"], past)
        keys = with_token(cache["keys"], projected[:, 1], position)
        values = with_token(cache["values"], projected[:, 2], position)
        outputs = self.output_projection(ops.reshape(context, (-1, self.units)))
        return outputs, {"keys": keys, "values": values}

    def get_config(self):
        return {**super().get_config(), "causal": self.causal, "window": self.window}


@keras.saving.register_keras_serializable(package="seqnlp")
class CrossAttention(_MultiHead):
    """Multi-head attention of the tokens of one sequence over those of another.

    Keys and values of all heads come from one product, `memory`, which is made once a sentence.

    Args:
        num_heads: Number of heads; each has its share of the query's units.
        dropout: Share of the weights that is dropped.
        kernel_initializer: Of all kernels.

    Call arguments:
        query: Float tensor `(batch, target, units)`.
        value: Float tensor `(batch, source, value_units)`.
        value_mask: Bool tensor `(batch, source)`, True at real tokens.
        return_weights: Whether to return the weights too.

    Returns:
        `(batch, target, units)`; on request also the weights, float32 `(batch, heads, target,
        source)`, zeros where there is nothing to attend to.

    Raises:
        ValueError: An argument is out of range, or the units are no multiple of `num_heads`.

    Reference: https://arxiv.org/abs/1706.03762, section 3.2
    """

    def build(self, query_shape, value_shape, value_mask_shape=None):
        self._build_output("query", query_shape)
        self.query_projection = self._dense(self.units, self.units)
        self.memory_projection = self._dense(value_shape[-1], 2 * self.units)

    def call(self, query, value, value_mask=None, return_weights=False, training=None):
        memory = self.memory(value, value_mask)
        outputs, weights = self.attend(query, memory, training=training)
        return (outputs, weights) if return_weights else outputs

    def memory(self, value, value_mask=None):
        """What is the same for all queries of a sentence.

        Returns:
            Dict of `keys` and `values` `(batch, heads, source, head_units)` and `mask` bool
            `(batch, source)`.
        """
        value = ops.cast(value, self.compute_dtype)
        if value_mask is None:
            value_mask = ops.ones(ops.shape(value)[:2], dtype="bool")
        mask = ops.cast(value_mask, "bool")
        value = ops.where(mask[..., None], value, 0)  # zero weights do not stop a NaN
        keys, values = self._heads(by_token(self.memory_projection, value), 2)
        return {"keys": keys, "values": values, "mask": mask}

    def attend(self, query, memory, training=None):
        """Attends over a `memory`.

        Args:
            query: Float tensor `(batch, queries, units)`.
            memory: Dict as `memory` gives it.
            training: Whether weights are dropped.

        Returns:
            `(batch, queries, units)`, and the weights, float32 `(batch, heads, queries, source)`.
        """
        (queries,) = self._heads(by_token(self.query_projection, query), 1)
        context, weights = dot_product_attention(
            queries,
            memory["keys"],
            memory["values"],
            memory["mask"][:, None, None],
            self._dropping(training),
        )
        return self._joined(context), weights
