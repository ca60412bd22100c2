"""Writes what the attention mechanisms of Addons give, with gradients: `make addons`.

Each is asked step by step, with what it attended to in the step before as its state, as
`tfa.seq2seq.AttentionWrapper` asks it. Computed in float64, but for the recursive form of
monotonic attention, which Addons has in float32 alone.
"""

import functools

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from write_addons_fixtures import write_npz

LENGTHS = np.array([21, 1, 20, 2, 13, 5, 17, 8, 1], dtype=np.int32)
SOURCE, STEPS, UNITS, VALUE_UNITS = 21, 3, 4, 3

MECHANISMS = {
    "bahdanau": functools.partial(tfa.seq2seq.BahdanauAttention, normalize=False),
    "bahdanau_normalized": functools.partial(tfa.seq2seq.BahdanauAttention, normalize=True),
    "luong": functools.partial(tfa.seq2seq.LuongAttention, scale=False),
    "luong_scaled": functools.partial(tfa.seq2seq.LuongAttention, scale=True),
}
MONOTONIC = {
    "bahdanau": functools.partial(tfa.seq2seq.BahdanauMonotonicAttention, normalize=True),
    "luong": functools.partial(tfa.seq2seq.LuongMonotonicAttention, scale=True),
}
for _mode in ("parallel", "recursive", "hard"):
    MECHANISMS |= {
        f"{name}_{_mode}": functools.partial(make, mode=_mode, sigmoid_noise=0.0)
        for name, make in MONOTONIC.items()
    }


def drawn():
    """What every mechanism is asked."""
    random = np.random.default_rng(5)
    shapes = {
        "query": (len(LENGTHS), STEPS, UNITS),
        "value": (len(LENGTHS), SOURCE, VALUE_UNITS),
        "upstream_weights": (len(LENGTHS), STEPS, SOURCE),
        "upstream_context": (len(LENGTHS), STEPS, VALUE_UNITS),
    }
    found = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    return {name: array.astype(np.float32) for name, array in found.items()}


def weights_of(layer):
    """The variables of a mechanism, under the names that ours has."""
    attributes = {
        "v": "attention_v",
        "g": "scale_weight" if hasattr(layer, "scale_weight") else "attention_g",
        "b": "attention_b",
        "r": "attention_score_bias",
    }
    found = {name: getattr(layer, attribute, None) for name, attribute in attributes.items()}
    found["query_kernel"] = getattr(layer.query_layer, "kernel", None)
    found["value_kernel"] = layer.memory_layer.kernel
    return {name: weight for name, weight in found.items() if weight is not None}


def with_weights(make, inputs, dtype, scale):
    """A mechanism whose random weights make scores `scale` times as large, and the weights."""
    query, value = (tf.constant(inputs[name], dtype) for name in ("query", "value"))
    layer = make(UNITS, dtype=dtype)
    layer(value, setup_memory=True)
    layer([query[:, 0], layer.initial_alignments(len(LENGTHS), dtype)])
    random = np.random.default_rng(5)
    weights = weights_of(layer)
    for weight in weights.values():
        weight.assign(random.standard_normal(weight.shape).astype(np.float32))
    if "r" in weights:  # the parallel form clips what lies behind many probable stops
        weights["r"].assign(0.3 if layer.mode == "hard" else -2.0)
    if "g" in weights:
        weights["g"].assign(0.5 * scale)
    else:
        factor = "v" if "v" in weights else "value_kernel"
        weights[factor].assign(np.float32(scale) * weights[factor].numpy())
    return layer, weights


def answers(make, inputs, dtype, scale):
    """Weights of a mechanism, its alignments and contexts, and their gradients."""
    layer, weights = with_weights(make, inputs, dtype, scale)
    query, value, *upstream = (tf.constant(array, dtype) for array in inputs.values())
    with tf.GradientTape() as tape:
        tape.watch([query, value])
        layer([value, tf.constant(LENGTHS)], setup_memory=True)
        state = layer.initial_state(len(LENGTHS), dtype)
        alignments, contexts = [], []
        for step in range(STEPS):
            alignment, state = layer([query[:, step], state])
            alignments.append(alignment)
            contexts.append(tf.einsum("bs,bsu->bu", alignment, layer.values))
        outputs = tf.stack(alignments, axis=1), tf.stack(contexts, axis=1)
        total = sum(tf.reduce_sum(x * y) for x, y in zip(outputs, upstream, strict=True))
    found = dict(zip(("weights", "context"), outputs, strict=True))
    found |= {name: tf.identity(weight) for name, weight in weights.items()}
    sources = {"query": query, "value": value, **weights}
    gradients = tape.gradient(total, list(sources.values()), unconnected_gradients="zero")
    return found | {f"by_{name}": x for name, x in zip(sources, gradients, strict=True)}


def main():
    inputs = drawn()
    for file, scale in (("attention", 1), ("attention_large", 30)):
        found = {**inputs, "lengths": LENGTHS}
        for name, make in MECHANISMS.items():
            dtype = "float32" if name.endswith("recursive") else "float64"
            given = answers(make, inputs, dtype, scale)
            found |= {f"{name}/{key}": array for key, array in given.items()}
        write_npz(f"{file}.npz", found)


if __name__ == "__main__":
    main()
