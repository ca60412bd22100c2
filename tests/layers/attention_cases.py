"""Attention layers with known weights, and what they should score, pair by pair in NumPy."""

from types import SimpleNamespace

import numpy as np
from keras import ops

from seqnlp.layers import BahdanauAttention, LuongAttention

RANDOM = np.random.default_rng(0)
QUERY = RANDOM.normal(size=(4, 5, 3)).astype("float32")
VALUE = RANDOM.normal(size=(4, 6, 3)).astype("float32")
WIDE_VALUE = RANDOM.normal(size=(4, 6, 7)).astype("float32")
MASK = np.array([[1] * 6, [1, 1, 1, 0, 0, 0], [0, 1, 0, 0, 1, 1], [0] * 6], dtype=bool)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def randomised(layer, value=VALUE, query=QUERY):
    """`layer`, built, with random weights."""
    layer.build(query_shape=query.shape, value_shape=value.shape)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def arrays_of(layer):
    """The weights of `layer`: `w` of the query, `u` of the value, `v`, `b` and `g`."""
    sides = (("w", "query_projection"), ("u", "value_projection"))
    found = {key: getattr(getattr(layer, name, None), "kernel", None) for key, name in sides}
    found |= {name: getattr(layer, name, None) for name in "vbg"}
    arrays = {key: None if x is None else numpy(x).astype("float64") for key, x in found.items()}
    return SimpleNamespace(**arrays)


def additive(a, q, k):
    return a.v @ np.tanh(q @ a.w + k @ a.u)


def additive_with_bias(a, q, k):
    return a.v @ np.tanh(q @ a.w + k @ a.u + a.b)


def normalized(a, q, k):
    return a.g * a.v / np.linalg.norm(a.v) @ np.tanh(q @ a.w + k @ a.u + a.b)


def general(a, q, k):
    return q @ (k @ a.u)


def concat(a, q, k):
    return a.v @ np.tanh(np.concatenate([q, k]) @ np.concatenate([a.w, a.u]))


# name -> (layer class, its arguments, the score of a pair in NumPy, the values)
SCORES = {
    "additive": (BahdanauAttention, {"units": 4}, additive, WIDE_VALUE),
    "additive, b": (
        BahdanauAttention,
        {"units": 4, "use_bias": True},
        additive_with_bias,
        WIDE_VALUE,
    ),
    "normalized": (BahdanauAttention, {"units": 4, "normalize": True}, normalized, WIDE_VALUE),
    "dot": (LuongAttention, {"score": "dot"}, lambda a, q, k: q @ k, VALUE),
    "scaled": (
        LuongAttention,
        {"score": "scaled"},
        lambda a, q, k: q @ k / 3**0.5,
        VALUE,
    ),
    "general": (LuongAttention, {"score": "general"}, general, WIDE_VALUE),
    "concat": (LuongAttention, {"score": "concat", "units": 4}, concat, WIDE_VALUE),
    "projected": (
        LuongAttention,
        {"score": "projected", "units": 4},
        lambda a, q, k: (k @ a.u) @ (q @ a.w),
        WIDE_VALUE,
    ),
    "learned scale": (
        LuongAttention,
        {"score": "general", "learn_scale": True},
        lambda a, q, k: a.g * general(a, q, k),
        WIDE_VALUE,
    ),
}


def case(name, **alignment):
    """A layer with random weights, values, and its score of each pair, from NumPy."""
    make, arguments, score, value = SCORES[name]
    layer = randomised(make(**arguments, **alignment), value)
    arrays = arrays_of(layer)
    pairs = [
        [[score(arrays, q, k) for k in keys] for q in queries]
        for queries, keys in zip(QUERY.astype("float64"), value.astype("float64"), strict=True)
    ]
    return layer, value, np.array(pairs)
