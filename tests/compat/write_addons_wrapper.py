"""Writes what `tfa.seq2seq.AttentionWrapper` gives, with gradients: `make addons`.

The wrapper attends after its cell, with Bahdanau's mechanism too, and feeds what it calls the
attention: the context, or a linear layer of cell output and context. Computed in float64.
"""

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from write_addons_attention import weights_of
from write_addons_fixtures import write_npz

LENGTHS = np.array([21, 1, 20, 2, 13, 5, 17, 8, 1], dtype=np.int32)
SOURCE, STEPS, UNITS, VALUE_UNITS, FEATURES, LAYER = 21, 20, 4, 3, 3, 6
CELLS = {"gru": tf.keras.layers.GRUCell, "lstm": tf.keras.layers.LSTMCell}
MECHANISMS = {"bahdanau": tfa.seq2seq.BahdanauAttention, "luong": tfa.seq2seq.LuongAttention}
# What is fed, the context or a layer of it, and what is written, that or the cell's output.
FORMS = {
    f"{fed}_{written}": {
        "attention_layer_size": LAYER if fed == "layer" else None,
        "output_attention": written == "attention",
    }
    for fed in ("layer", "context")
    for written in ("attention", "state")
}
CASES = [f"{pair}_{form}" for pair in ("gru_bahdanau", "lstm_luong") for form in FORMS]
CASES += ["gru_luong_layer_attention", "lstm_bahdanau_context_state"]
NAMES = {"v": "attention_v", "query_kernel": "query_layer", "value_kernel": "memory_layer"}
LARGE = ["gru_bahdanau_context_state", "lstm_luong_layer_attention"]


def drawn(scale):
    """What every wrapper is given; the inputs are `scale` times as large."""
    random = np.random.default_rng(7)
    shapes = {
        "inputs": (len(LENGTHS), STEPS, FEATURES),
        "value": (len(LENGTHS), SOURCE, VALUE_UNITS),
        "hidden": (len(LENGTHS), UNITS),
        "cell": (len(LENGTHS), UNITS),
        "upstream": (len(LENGTHS), STEPS, LAYER),
        "upstream_alignments": (len(LENGTHS), STEPS, SOURCE),
    }
    found = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    found["inputs"] *= scale
    return {name: array.astype(np.float32) for name, array in found.items()}


def wrapped(case, value, dtype, scale=1, lengths=LENGTHS):
    """A wrapper with random weights and its memory, and those weights by name."""
    cell, mechanism, form = case.split("_", 2)
    mechanism = MECHANISMS[mechanism](UNITS, dtype=dtype)
    mechanism([value, tf.constant(lengths)], setup_memory=True)
    cell = CELLS[cell](UNITS, dtype=dtype)
    wrapper = tfa.seq2seq.AttentionWrapper(
        cell, mechanism, alignment_history=True, dtype=dtype, **FORMS[form]
    )
    _, state = wrapper(tf.zeros((len(value), FEATURES), dtype), start(wrapper, value, dtype))
    state.alignment_history.mark_used()
    weights = {name: getattr(cell, name) for name in ("kernel", "recurrent_kernel", "bias")}
    if FORMS[form]["attention_layer_size"]:
        weights["attention_layer"] = wrapper._attention_layers[0].kernel
    weights |= {NAMES[name]: weight for name, weight in weights_of(mechanism).items()}
    random = np.random.default_rng(len(case))
    for name, weight in weights.items():
        factor = 0.5 * (scale if name in ("attention_v", "memory_layer") else 1)
        weight.assign((factor * random.standard_normal(weight.shape)).astype(np.float32))
    mechanism([value, tf.constant(lengths)], setup_memory=True)  # with the kernel as it is now
    return wrapper, weights


def start(wrapper, value, dtype, states=None):
    """The wrapper's state before the first step, zeros but for the cell's `states`."""
    state = wrapper.get_initial_state(batch_size=len(value), dtype=dtype)
    if states is None:
        return state
    first, *others = states
    return state.clone(cell_state=[first, *others] if others else first)


def answers(case, inputs, scale):
    """A wrapper's weights, outputs, alignments and last states, and their gradients."""
    dtype = "float64"
    given = {name: tf.constant(array, dtype) for name, array in inputs.items()}
    wrapper, weights = wrapped(case, given["value"], dtype, scale)
    with tf.GradientTape() as tape:
        tape.watch(given)
        wrapper._attention_mechanisms[0]([given["value"], LENGTHS], setup_memory=True)
        states = [given["hidden"], given["cell"]][: 1 + case.startswith("lstm")]
        state, outputs = start(wrapper, given["value"], dtype, states), []
        for step in range(STEPS):
            output, state = wrapper(given["inputs"][:, step], state)
            outputs.append(output)
        outputs = tf.stack(outputs, axis=1)
        alignments = tf.transpose(state.alignment_history.stack(), (1, 0, 2))
        upstream = given["upstream"][..., : outputs.shape[-1]]
        total = tf.reduce_sum(outputs * upstream)
        total += tf.reduce_sum(alignments * given["upstream_alignments"])
    sources = {"inputs": given["inputs"], "value": given["value"], "hidden": given["hidden"]}
    sources |= weights
    by = tape.gradient(total, sources, unconnected_gradients="zero")
    found = {name: tf.identity(weight) for name, weight in weights.items()}
    found |= {"outputs": outputs, "alignments": alignments, "fed": state.attention}
    found |= {f"state_{at}": x for at, x in enumerate(tf.nest.flatten(state.cell_state))}
    return found | {f"by_{name}": gradient for name, gradient in by.items()}


def main():
    for file, scale, cases in (("wrapper", 1, CASES), ("wrapper_large", 30, LARGE)):
        inputs = drawn(scale)
        found = {**inputs, "lengths": LENGTHS}
        for case in cases:
            given = answers(case, inputs, scale)
            found |= {f"{case}/{key}": array for key, array in given.items()}
        write_npz(f"{file}.npz", found)


if __name__ == "__main__":
    main()
