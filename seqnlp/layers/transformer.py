"""Stacks of Transformer layers: an encoder, causal or not, and a decoder with a memory."""

import keras
from keras import ops

from seqnlp.layers.by_token import by_token
from seqnlp.layers.transformer_layer import DecoderLayer, EncoderLayer, norm_layer

NORMS = ("pre", "post")


class _Stack(keras.layers.Layer):
    """What both stacks share: their layers' arguments, and a norm behind pre-norm layers."""

    def __init__(
        self,
        num_layers,
        num_heads,
        feed_forward_units,
        activation="relu",
        norm="pre",
        dropout=0.0,
        norm_epsilon=1e-6,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        sizes = {"num_layers": num_layers, "feed_forward_units": feed_forward_units}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}")
        if norm not in NORMS:
            raise ValueError(f"`norm` must be one of {NORMS}. Received: norm={norm!r}")
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.feed_forward_units = feed_forward_units
        self.activation = activation
        self.norm = norm
        self.dropout = dropout if isinstance(dropout, int | float) else list(dropout)
        self.supports_masking = True
        self.norm_epsilon = norm_epsilon
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.final_norm = None
        if norm == "pre":
            self.final_norm = norm_layer(norm_epsilon, dtype=self.dtype_policy)
        branches = (norm, dropout_rates(dropout), norm_epsilon, self.kernel_initializer)
        shared = (num_heads, feed_forward_units, activation, *branches)
        self.layers = [self._layer(*shared, name=f"layer_{at}") for at in range(num_layers)]

    def _build_norm(self, shape):
        if self.final_norm is not None:
            self.final_norm.build(shape)

    def _normalized(self, states):
        return states if self.final_norm is None else by_token(self.final_norm, states)

    def initial_cache(self, rows, max_length):
        """The cache of no token yet for `step`.

        Args:
            rows: Number of rows.
            max_length: Most tokens that will be stepped through.

        Returns:
            List of dicts of `keys` and `values` `(rows, max_length, heads, head_units)`, one a
            layer.
        """
        return [self._attention(layer).initial_cache(rows, max_length) for layer in self.layers]

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "feed_forward_units": self.feed_forward_units,
            "activation": self.activation,
            "norm": self.norm,
            "dropout": self.dropout,
            "norm_epsilon": self.norm_epsilon,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="seqnlp")
class TransformerEncoder(_Stack):
    """A stack of self-attention layers: as it is an encoder, `causal` a language model's body.

    Args:
        num_layers: Number of layers.
        num_heads: Number of heads of each.
        feed_forward_units: Width of the hidden layer of the feed-forward networks.
        activation: Name of that layer's function, such as "relu" or "gelu".
        norm: "pre" to normalize what enters a branch, and the outputs of the stack, which trains
            without much care; "post" to normalize the sums, as the paper does.
        dropout: Share of the branches' outputs that is dropped, or three shares: of those, of
            the attention weights, and of the hidden layers of the feed-forward networks.
        norm_epsilon: What is added to the variance in the norms.
        kernel_initializer: Of all kernels.
        causal: Whether tokens attend to none behind them.
        window: Real tokens on either side that a token attends to; None for all of them. The
            paper's r (section 4) counts both sides.

    Call arguments:
        inputs: Float tensor `(batch, time, units)`.
        mask: Bool tensor `(batch, time)`, True at real tokens.
        return_weights: Whether to return the attention weights too.

    Returns:
        `(batch, time, units)`; on request also a list of weights, one a layer, each float32
        `(batch, heads, target, source)`.

    Raises:
        ValueError: An argument is out of range, or the units are no multiple of `num_heads`.

    Reference: https://arxiv.org/abs/1706.03762, section 3.1; the place of
    the norms is https://arxiv.org/abs/2002.04745, section 3.1
    """

    def __init__(
        self,
        num_layers,
        num_heads,
        feed_forward_units,
        activation="relu",
        norm="pre",
        dropout=0.0,
        causal=False,
        window=None,
        norm_epsilon=1e-6,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        self.causal = causal
        self.window = window
        sizes = (num_layers, num_heads, feed_forward_units)
        inside = (activation, norm, dropout, norm_epsilon, kernel_initializer)
        super().__init__(*sizes, *inside, **kwargs)

    def _layer(self, *shared, name):
        seen = {"causal": self.causal, "window": self.window}
        return EncoderLayer(*shared, **seen, name=name, dtype=self.dtype_policy)

    def _attention(self, layer):
        return layer.attention

    def build(self, inputs_shape, mask_shape=None):
        for layer in self.layers:
            layer.build(inputs_shape)
        self._build_norm(inputs_shape)

    def call(self, inputs, mask=None, return_weights=False, training=None):
        states, weights = _zero_at_padding(inputs, mask), []
        for layer in self.layers:
            states, found = layer(
                states, mask=mask, return_weights=return_weights, training=training
            )
            weights.append(found)
        states = self._normalized(states)
        return (states, weights) if return_weights else states

    def step(self, inputs, cache, position):
        """The outputs at the next token of each row, where the stack is causal.

        Args:
            inputs: Float tensor `(rows, units)`.
            cache: What `initial_cache` or the last step gave.
            position: Int scalar tensor: the number of tokens in the cache.

        Returns:
            `(rows, units)` and the new cache.

        Raises:
            ValueError: The stack is not causal.
        """
        states, caches = ops.cast(inputs, self.compute_dtype), []
        for layer, old in zip(self.layers, cache, strict=True):
            states, new = layer.step(states, old, position)
            caches.append(new)
        return self._normalized(states), caches

    def get_config(self):
        return {**super().get_config(), "causal": self.causal, "window": self.window}


@keras.saving.register_keras_serializable(package="seqnlp")
class TransformerDecoder(_Stack):
    """A stack of layers of causal self-attention and of attention over a source.

    Args:
        num_layers: Number of layers.
        num_heads: Number of heads of each attention.
        feed_forward_units: Width of the hidden layer of the feed-forward networks.
        activation: Name of that layer's function, such as "relu" or "gelu".
        norm: "pre" or "post", see `TransformerEncoder`.
        dropout: One share or three, see `TransformerEncoder`.
        norm_epsilon: What is added to the variance in the norms.
        kernel_initializer: Of all kernels.

    Call arguments:
        target: Float tensor `(batch, target, units)`.
        source: Float tensor `(batch, source, source_units)`.
        target_mask: Bool tensor `(batch, target)`, True at real tokens.
        source_mask: Bool tensor `(batch, source)`, True at real tokens.
        return_weights: Whether to return the attention weights too.

    Returns:
        `(batch, target, units)`; on request also a list of pairs of weights, one a layer: those
        over the target and those over the source, float32 `(batch, heads, target, source)`.

    Raises:
        ValueError: An argument is out of range, or the units are no multiple of `num_heads`.

    Reference: https://arxiv.org/abs/1706.03762, section 3.1; the place of
    the norms is https://arxiv.org/abs/2002.04745, section 3.1
    """

    def _layer(self, *shared, name):
        return DecoderLayer(*shared, name=name, dtype=self.dtype_policy)

    def _attention(self, layer):
        return layer.self_attention

    def build(self, target_shape, source_shape, target_mask_shape=None, source_mask_shape=None):
        for layer in self.layers:
            layer.build(target_shape, source_shape)
        self._build_norm(target_shape)

    def call(
        self,
        target,
        source,
        target_mask=None,
        source_mask=None,
        return_weights=False,
        training=None,
    ):
        states, weights = _zero_at_padding(target, target_mask), []
        for layer, memory in zip(self.layers, self.memory(source, source_mask), strict=True):
            states, found = layer(
                states,
                memory,
                target_mask=target_mask,
                return_weights=return_weights,
                training=training,
            )
            weights.append(found)
        states = self._normalized(states)
        return (states, weights) if return_weights else states

    def memory(self, source, source_mask=None):
        """Keys and values of the source, which are the same for all tokens.

        Args:
            source: Float tensor `(batch, source, source_units)`.
            source_mask: Bool tensor `(batch, source)`, True at real tokens; None if all are.

        Returns:
            List of dicts, one a layer, see `CrossAttention.memory`.
        """
        return [layer.cross_attention.memory(source, source_mask) for layer in self.layers]

    def step(self, inputs, cache, memory, position, reads=None):
        """The outputs at the next token of each row; a sentence may have several rows.

        Args:
            inputs: Float tensor `(rows, units)`, the rows of a sentence one after the other.
            cache: What `initial_cache` or the last step gave.
            memory: What `memory` gave for the sentences.
            position: Int scalar tensor: the number of tokens in the cache.
            reads: Which places of the cache each row attends to, where rows go on from others:
                see `SelfAttention.step`.

        Returns:
            `(rows, units)`, the new cache, and a list of the weights over the source, one a
            layer, float32 `(batch, heads, rows of a sentence, source)`.
        """
        states, caches, weights = ops.cast(inputs, self.compute_dtype), [], []
        for layer, old, about in zip(self.layers, cache, memory, strict=True):
            states, new, found = layer.step(states, old, about, position, reads)
            caches.append(new)
            weights.append(found)
        return self._normalized(states), caches, weights


def dropout_rates(dropout):
    """`(branches, attention, hidden)` from one share, that of the branches, or from three."""
    rates = (dropout, 0.0, 0.0) if isinstance(dropout, int | float) else tuple(dropout)
    if len(rates) != 3 or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(
            f"`dropout` must be a share in [0, 1), or three of them. Received: dropout={dropout}"
        )
    return rates


def _zero_at_padding(tensor, mask):
    return tensor if mask is None else ops.where(mask[..., None], tensor, 0)
