"""`RNNDecoder` against the `AttentionWrapper` of TensorFlow Addons 0.23, values and gradients.

The fixtures hold 9 sentences of lengths from 21 down to 1 and 20 steps, in float64
(`make addons`): once with inputs and scores around 1, once 30 times as large.
"""

import functools
import pathlib
import re

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.compat.addons_decoder import variables_of
from seqnlp.compat.tfa import load_attention_wrapper
from seqnlp.layers import BahdanauAttention, LuongAttention, RNNDecoder
from seqnlp.scan import scan

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
FILES = {}
for _file in ("wrapper", "wrapper_large"):
    with np.load(FIXTURES / f"{_file}.npz") as _archive:
        FILES[_file] = dict(_archive)
CASES = sorted({(file, key.split("/")[0]) for file in FILES for key in FILES[file] if "/" in key})
FORMS = {
    "layer_attention": {"input_feeding": True, "readout": "linear", "readout_units": 6},
    "layer_state": {"input_feeding": "linear", "readout": "state", "readout_units": 6},
    "context_attention": {"input_feeding": True, "readout": "context"},
    "context_state": {"input_feeding": "context", "readout": "state"},
}


def decoder_of(name):
    """Ours, built."""
    cell, mechanism, form = name.split("_", 2)
    attention = {"bahdanau": BahdanauAttention(4), "luong": LuongAttention("general")}[mechanism]
    decoder = RNNDecoder(4, cell, attention=attention, attend="after", **FORMS[form])
    decoder.build((None, None, 3), value_shape=(None, None, 3))
    return decoder


@functools.cache
def answers_of(name):
    """A compiled function of sources and `mask, upstream, upstream_alignments, cell`."""
    decoder = decoder_of(name)
    variables = variables_of(decoder)
    assert len(variables) == len(decoder.trainable_variables)

    def states(sources, cell):
        return [[sources["hidden"], cell][: 1 + (decoder.cell == "lstm")]]

    def scope(sources):
        return keras.StatelessScope([(v, sources[name]) for name, v in variables.items()])

    def total(sources, mask, upstream, upstream_alignments, cell):
        with scope(sources):
            outputs, alignments = decoder(
                sources["inputs"], states(sources, cell), sources["value"], value_mask=mask
            )
        total = ops.sum(outputs * upstream[..., : outputs.shape[-1]])
        return total + ops.sum(alignments * upstream_alignments)

    def answers(sources, mask, upstream, upstream_alignments, cell):
        by = gradients.gradient(total)(sources, mask, upstream, upstream_alignments, cell)
        xs = ops.transpose(sources["inputs"], (1, 0, 2)), ops.arange(20, dtype="int32")
        with scope(sources):
            memory = decoder.attention.memory(sources["value"], mask)
            outputs, alignments = decoder(
                sources["inputs"], states(sources, cell), sources["value"], value_mask=mask
            )
            first = decoder.initial_state(states(sources, cell), memory)
            last, _ = scan(
                lambda state, x: decoder.step(*x[:1], state, memory, x[1])[::-1], first, xs
            )
        found = {"outputs": outputs, "alignments": alignments, "fed": last["fed"]}
        found |= {f"state_{at}": x for at, x in enumerate(last["layers"][0])}
        return found | {f"by_{name}": gradient for name, gradient in by.items()}

    return gradients.compiled(answers), decoder, variables


@pytest.mark.parametrize(("file", "name"), CASES)
def test_outputs_alignments_states_and_gradients_are_those_of_addons(file, name):
    given = FILES[file]
    prefix = f"{name}/"
    addons = {key.removeprefix(prefix): given[key] for key in given if key.startswith(prefix)}
    answers, decoder, variables = answers_of(name)
    load_attention_wrapper({key: addons[key] for key in variables}, decoder)
    sources = {key: given[key] for key in ("inputs", "value", "hidden")}
    sources |= {key: ops.convert_to_numpy(variable) for key, variable in variables.items()}
    mask = np.arange(21) < given["lengths"][:, None]
    upstream = given["upstream"], given["upstream_alignments"], given["cell"]
    tensors = keras.tree.map_structure(ops.convert_to_tensor, (sources, mask, *upstream))
    ours = {key: ops.convert_to_numpy(x) for key, x in answers(*tensors).items()}
    if "by_attention_layer" in ours:  # our rows of the context come first
        ours["by_attention_layer"] = np.roll(ours["by_attention_layer"], -3, axis=0)
    largest = max(1, *(np.abs(x).max() for key, x in addons.items() if key.startswith("by_")))
    for key, actual in ours.items():
        tolerance = 1e-5 * (largest if key.startswith("by_") else 1)
        np.testing.assert_allclose(actual, addons[key], rtol=1e-5, atol=tolerance, err_msg=key)


def test_the_wrapper_feeds_what_it_attended_to():
    """And so what it writes is not what follows from the states alone, nor the other form."""
    given = FILES["wrapper"]
    for pair in ("gru_bahdanau", "lstm_luong"):
        for form in ("layer_attention", "context_attention"):
            outputs, fed = (given[f"{pair}_{form}/{key}"] for key in ("outputs", "fed"))
            np.testing.assert_array_equal(outputs[:, -1], fed)
        for form in ("layer_state", "context_state"):
            outputs, state = (given[f"{pair}_{form}/{key}"] for key in ("outputs", "state_0"))
            np.testing.assert_array_equal(outputs[:, -1], state)


def arrays_of(name):
    return {key: ops.convert_to_numpy(v) for key, v in variables_of(decoder_of(name)).items()}


def test_a_monotonic_normalised_mechanism_and_a_layer_with_tanh_are_loaded():
    attention = BahdanauAttention(5, normalize=True, alignment="monotonic")
    feeding = {"input_feeding": True, "readout": "tanh", "readout_units": 6}
    decoder = RNNDecoder(4, attention=attention, attend="after", **feeding)
    decoder.build((None, None, 3), value_shape=(None, None, 2))
    random = np.random.default_rng(0)
    weights = {
        name: random.standard_normal(variable.shape)
        for name, variable in variables_of(decoder).items()
    }
    scores = {"attention_v", "attention_g", "attention_b", "attention_score_bias"}
    assert scores | {"attention_layer_bias"} < weights.keys()
    load_attention_wrapper(weights, decoder)
    assert len(weights) == len(decoder.weights)
    layer = ops.convert_to_numpy(decoder.readout_kernel)
    of_state, of_context = np.split(weights["attention_layer"], [4])
    np.testing.assert_allclose(layer, np.concatenate([of_context, of_state]), rtol=1e-6)
    np.testing.assert_allclose(decoder.readout_bias, weights["attention_layer_bias"], rtol=1e-6)
    np.testing.assert_allclose(attention.g, weights["attention_g"], rtol=1e-6)


def test_other_weights_are_refused_and_none_is_changed():
    name = "gru_bahdanau_layer_attention"
    decoder, weights = decoder_of(name), arrays_of(name)
    before = decoder.get_weights()
    without = {key: weights[key] for key in weights if key != "attention_layer"}
    for given, message in (
        (without, "Received: weights without ['attention_layer'] and with []"),
        ({**weights, "scale_weight": 1.0}, "weights without [] and with ['scale_weight']"),
        (
            {**weights, "query_layer": np.zeros((4, 5))},
            "`weights` must hold 'query_layer' with shape (4, 4). Received: shape=(4, 5)",
        ),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            load_attention_wrapper(given, decoder)
    for actual, expected in zip(decoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_a_decoder_that_is_no_wrapper_is_refused():
    message = "`decoder` must be a built RNNDecoder of one layer with attention. Received: decoder"
    for decoder in (RNNDecoder(4, attention=BahdanauAttention(4)), RNNDecoder(4, num_layers=2)):
        with pytest.raises(ValueError, match=re.escape(message)):
            load_attention_wrapper({}, decoder)
