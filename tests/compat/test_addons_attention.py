"""Attention against the mechanisms of TensorFlow Addons 0.23, values and gradients.

The fixtures are Addons' answers, asked step by step (`make addons`): 9 sentences of lengths from
21 down to 1 and 3 queries each, once with scores around 1 and once 30 times as large.
"""

import functools
import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import BahdanauAttention, LuongAttention

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
FORMS = {
    "parallel": "monotonic",
    "recursive": "monotonic-recursive",
    "hard": "monotonic-hard",
}
OURS = {
    "bahdanau": functools.partial(BahdanauAttention, 4),
    "bahdanau_normalized": functools.partial(BahdanauAttention, 4, normalize=True),
    "luong": functools.partial(LuongAttention, "general"),
    "luong_scaled": functools.partial(LuongAttention, "general", learn_scale=True),
}
OURS |= {
    f"{name}_{form}": functools.partial(OURS[f"{name}_{kind}"], alignment=alignment)
    for name, kind in (("bahdanau", "normalized"), ("luong", "scaled"))
    for form, alignment in FORMS.items()
}


def variables_of(layer):
    """The weights of ours, under the names of the fixture."""
    found = {name: getattr(layer, name, None) for name in "vgb"}
    found["r"] = getattr(layer.aligner, "r", None)
    for side in ("query", "value"):
        projection = getattr(layer, f"{side}_projection", None)
        found[f"{side}_kernel"] = None if projection is None else projection.kernel
    return {name: variable for name, variable in found.items() if variable is not None}


@functools.cache
def answers_of(name):
    """A compiled function to what ours gives, with gradients, and the names of its weights."""
    layer = OURS[name]()
    layer.build(query_shape=(None, None, 4), value_shape=(None, None, 3))
    variables = variables_of(layer)
    assert len(layer.weights) == len(variables)

    def outputs(sources, mask):
        mapping = [
            (variable, ops.reshape(sources[key], variable.shape))
            for key, variable in variables.items()
        ]
        with keras.StatelessScope(state_mapping=mapping):
            return layer(sources["query"], sources["value"], value_mask=mask)

    def total(sources, mask, upstream):
        found = zip(outputs(sources, mask), upstream, strict=True)
        return sum(ops.sum(x * y) for x, y in found)

    def answers(sources, mask, upstream):
        context, weights = outputs(sources, mask)
        found = {"context": context, "weights": weights}
        for key, by in gradients.gradient(total)(sources, mask, upstream).items():
            found[f"by_{key}"] = ops.zeros_like(sources[key]) if by is None else by
        return found

    return gradients.compiled(answers), list(variables)


class Case:
    """Addons' answers to one mechanism, by name, and `ours`, the answers of seqnlp."""

    def __init__(self, file, name):
        with np.load(FIXTURES / f"{file}.npz") as archive:
            shared = {key: archive[key] for key in archive if "/" not in key}
            prefix = f"{name}/"
            keys = [key for key in archive if key.startswith(prefix)]
            self.addons = {key.removeprefix(prefix): archive[key] for key in keys}
        self.mask = np.arange(shared["value"].shape[1]) < shared["lengths"][:, None]
        answers, variables = answers_of(name)
        sources = {key: shared[key] for key in ("query", "value")}
        sources |= {key: self.addons[key] for key in variables}
        upstream = [shared["upstream_context"], shared["upstream_weights"]]
        tensors = keras.tree.map_structure(ops.convert_to_tensor, (sources, self.mask, upstream))
        found = answers(*tensors)
        self.ours = {key: ops.convert_to_numpy(x) for key, x in found.items()}

    def assert_equal_to_addons(self, addons):
        """Gradients as one: that of `g` is what is left of all of theirs."""
        largest = max(1, *(np.abs(x).max() for key, x in addons.items() if "by_" in key))
        for key, actual in self.ours.items():
            tolerance = 1e-5 * (largest if "by_" in key else 1)
            np.testing.assert_allclose(actual, addons[key], rtol=1e-5, atol=tolerance)


load = functools.cache(Case)
SOFT = [("bahdanau_parallel", "bahdanau_recursive"), ("luong_parallel", "luong_recursive")]
# Where Addons is wrong: a test below shows it.
WRONG = {("attention_large", parallel) for parallel, _ in SOFT}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (file, name)
        for name in OURS
        for file in ("attention", "attention_large")
        if (file, name) not in WRONG
    ],
)
def test_weights_contexts_and_gradients_are_those_of_addons(file, name):
    case = load(file, name)
    case.assert_equal_to_addons(case.addons)


@pytest.mark.parametrize("file", ["attention", "attention_large"])
@pytest.mark.parametrize(("parallel", "recursive"), SOFT)
def test_the_parallel_form_is_the_recursive_one_of_addons(file, parallel, recursive):
    load(file, parallel).assert_equal_to_addons(load(file, recursive).addons)


@pytest.mark.parametrize(("parallel", "recursive"), SOFT)
def test_addons_loses_weight_in_parallel_where_stops_are_almost_sure(parallel, recursive):
    """Its closed form divides by a product of probabilities, which it keeps above 1e-10."""
    lossy, exact = (
        load("attention_large", name).addons["weights"] for name in (parallel, recursive)
    )
    lost = exact.sum(axis=-1) - lossy.sum(axis=-1)
    assert lost.max() > 0.9
    assert lost.min() > -1e-5


@pytest.mark.parametrize("file", ["attention", "attention_large"])
@pytest.mark.parametrize("name", OURS)
def test_the_fixtures_tell_alignments_apart(file, name):
    case = load(file, name)
    weights = case.addons["weights"]
    assert not weights.transpose(0, 2, 1)[~case.mask].any()
    total = weights.sum(axis=-1)
    if name.endswith("hard"):
        assert set(weights.ravel()) == {0, 1}
        assert 0.3 < total.mean() < 1
        assert (weights[:, 0] != weights[:, 2]).any()
    elif name.rpartition("_")[2] in FORMS:
        assert total.max() > 0.9
        assert total.min() < 0.9
    else:
        np.testing.assert_allclose(total, 1, rtol=1e-6)
