"""One layer of a Transformer's encoder, and one of its decoder."""

import keras
from keras import ops

from seqnlp.layers.by_token import by_token
from seqnlp.layers.multi_head_attention import CrossAttention, SelfAttention


class _Layer(keras.layers.Layer):
    """What a layer of either stack is made of: branches that are added to the states.

    pre-norm   states + branch(norm(states))
    post-norm  norm(states + branch(states))
    """

    branches = 2

    def __init__(
        self, feed_forward_units, activation, norm, dropout, epsilon, initializer, **kwargs
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        policy = {"dtype": self.dtype_policy}
        self.pre = norm == "pre"
        self.norms = [norm_layer(epsilon, **policy) for _ in range(self.branches)]
        self.weight_dropout = dropout[1]
        self.branch_dropout = keras.layers.Dropout(dropout[0], **policy)
        self.hidden_dropout = keras.layers.Dropout(dropout[2], **policy)
        self.initializer = initializer
        self.hidden = keras.layers.Dense(feed_forward_units, activation, **self.settings())
        self.feed_forward_units = feed_forward_units

    def settings(self):
        """What all layers with kernels are made with; an initializer used twice repeats itself."""
        return {"kernel_initializer": self.initializer.clone(), "dtype": self.dtype_policy}

    def _build(self, shape):
        self.output_projection = keras.layers.Dense(shape[-1], **self.settings())
        self.hidden.build(shape)
        self.output_projection.build((*shape[:-1], self.feed_forward_units))
        for norm in self.norms:
            norm.build(shape)

    def compute_mask(self, *inputs, **_):
        return None  # masks are passed explicitly

    def _branch(self, at, states, function, training=None):
        """The states after branch `at`, and what else its `function` gave."""
        outputs, extra = function(by_token(self.norms[at], states) if self.pre else states)
        states = states + self.branch_dropout(outputs, training=training)
        return (states if self.pre else by_token(self.norms[at], states)), extra

    def _feed_forward(self, states, training=None):
        """The last branch: the same two products at every token."""

        def network(states):
            hidden = self.hidden_dropout(by_token(self.hidden, states), training=training)
            return by_token(self.output_projection, hidden), None

        return self._branch(self.branches - 1, states, network, training)[0]


class EncoderLayer(_Layer):
    """Self-attention and a feed-forward network."""

    def __init__(self, num_heads, *shared, causal, window, **kwargs):
        super().__init__(*shared, **kwargs)
        self.attention = SelfAttention(
            num_heads, self.weight_dropout, causal, window, **self.settings()
        )

    def build(self, inputs_shape):
        self.attention.build(inputs_shape)
        self._build(inputs_shape)

    def call(self, inputs, mask=None, return_weights=False, training=None):
        def attend(states):
            options = {"return_weights": return_weights, "training": training}
            found = self.attention(states, mask=mask, **options)
            return found if return_weights else (found, None)

        states, weights = self._branch(0, inputs, attend, training)
        return self._feed_forward(states, training), weights

    def step(self, inputs, cache, position):
        states, cache = self._branch(
            0, inputs, lambda states: self.attention.step(states, cache, position)
        )
        return self._feed_forward(states), cache


class DecoderLayer(_Layer):
    """Causal self-attention, attention over the source, and a feed-forward network."""

    branches = 3

    def __init__(self, num_heads, *shared, **kwargs):
        super().__init__(*shared, **kwargs)
        weights = (num_heads, self.weight_dropout)
        self.self_attention = SelfAttention(*weights, causal=True, **self.settings())
        self.cross_attention = CrossAttention(*weights, **self.settings())

    def build(self, target_shape, source_shape):
        self.self_attention.build(target_shape)
        self.cross_attention.build(target_shape, source_shape)
        self._build(target_shape)

    def call(self, target, memory, target_mask=None, return_weights=False, training=None):
        def attend(states):
            options = {"return_weights": return_weights, "training": training}
            found = self.self_attention(states, mask=target_mask, **options)
            return found if return_weights else (found, None)

        def attend_source(states):
            return self.cross_attention.attend(states, memory, training=training)

        states, weights = self._branch(0, target, attend, training)
        states, cross_weights = self._branch(1, states, attend_source, training)
        return self._feed_forward(states, training), (weights, cross_weights)

    def step(self, inputs, cache, memory, position, reads=None):
        def attend_source(states):
            batch = ops.shape(memory["keys"])[0]
            queries = ops.reshape(states, (batch, -1, states.shape[-1]))  # (batch, beams, units)
            context, weights = self.cross_attention.attend(queries, memory)
            return ops.reshape(context, ops.shape(states)), weights

        states, cache = self._branch(
            0, inputs, lambda states: self.self_attention.step(states, cache, position, reads)
        )
        states, weights = self._branch(1, states, attend_source)
        return self._feed_forward(states), cache, weights


def norm_layer(epsilon, **policy):
    """Normalizes each token's units."""
    return keras.layers.LayerNormalization(epsilon=epsilon, **policy)
