"""One step of a recurrent decoder, as a function of its weights."""

import functools

import keras
from keras import ops, tree

from seqnlp.layers.readout import read_out


class Weights:
    """The weights of a decoder, apart by what becomes of them in its loop.

    Args:
        cells: List of `seqnlp.layers.recurrence.Prepared`, one a layer.
        features: Width of the decoder's inputs, the first rows of the first kernel.
        readout: Kernel and bias, which may be None, of what is fed; None where that has none.
        attention: A built `seqnlp.layers.Attention`, or None.

    Attributes:
        products: Dict of what is multiplied at every step, for `weighted_scan`.
        constants: Dict of what else is used there.
    """

    def __init__(self, cells, features, readout, attention):
        self.cells = cells
        self.kernel, entering = ops.split(cells[0].kernel, [features])
        self.products = {} if entering.shape[0] == 0 else {"entering": entering}
        self.constants = {"bias": {}, "recurrent": [], "attention": []}
        for depth, cell in enumerate(cells):
            kernels, others = _kernels_and_others(cell)
            for at, kernel in enumerate(kernels):
                self.products[f"recurrent_{depth}_{at}"] = kernel
            self.constants["recurrent"].append([ops.cast(x, "float32") for x in others])
            if depth:
                self.products[f"hidden_{depth}"] = cell.kernel
                self.constants["bias"][f"hidden_{depth}"] = ops.cast(cell.bias, "float32")
        if readout is not None:
            self.products["readout"], bias = readout
            if bias is not None:
                self.constants["bias"]["readout"] = bias
        self.variables = []
        if attention is not None:
            floats = (v for v in attention.variables if keras.backend.is_float_dtype(v.dtype))
            self.variables = list(floats)
            self.constants["attention"] = [ops.cast(v, v.dtype) for v in self.variables]

    def project(self, inputs):
        """What the inputs `(..., features)` add to the first layer's gates, float32."""
        sums = ops.matmul(inputs, self.kernel) + self.cells[0].bias
        return ops.cast(sums, "float32")

    def product(self, name, left):
        """As `weighted_scan` gives it to a step."""
        weight = self.products[name]
        return ops.cast(ops.matmul(ops.cast(left, weight.dtype), weight), "float32")


def advance(decoder, weights, product, state, x, constants, training=False):
    """`step` of `weighted_scan` for a `seqnlp.layers.RNNDecoder`.

    Args:
        decoder: The layer.
        weights: Its `Weights`.
        product: Takes `(name, left)`, see `weighted_scan`.
        state: As `RNNDecoder.initial_state` gives it.
        x: Dict of `sums` `(rows, gates * units)`, see `Weights.project`, and `position`
            `(rows,)`, float32; also `noise` where the attention draws it, and bool `mask`
            `(rows, 1)` where not all rows are real tokens.
        constants: Those of `weights`, `memory` and `dropped`.
        training: Whether this is training.

    Returns:
        The state, and a dict: `hidden` `(rows, units)`; with attention `context` and `weights`
        `(rows, source)`; with input feeding what is `fed`.
    """
    before, state, found, sums = state, dict(state), {}, x["sums"]
    if decoder.attention is not None and decoder.attend == "before":
        found = _attend(decoder, weights, state["layers"][-1][0], state, x, constants, training)
        sums = sums + product("entering", _dropped(found["context"], "entering", constants))
    elif decoder.fed:
        sums = sums + product("entering", _dropped(state["fed"], "entering", constants))
    layers, hidden = [], None
    for depth, cell in enumerate(weights.cells):
        if depth:
            name = f"hidden_{depth}"
            sums = product(name, _dropped(hidden, name, constants)) + constants["bias"][name]
        after = _cell(cell, depth, product, constants, state["layers"][depth], sums)
        hidden = after[0]
        layers.append(after)
    state["layers"], found["hidden"] = layers, hidden
    if decoder.attention is not None and decoder.attend == "after":
        found |= _attend(decoder, weights, hidden, state, x, constants, training)
    if "weights" in found:
        state["alignment"] = found["weights"]
    if decoder.fed:
        bias = constants["bias"].get("readout")
        multiply = functools.partial(product, "readout")
        fed = read_out(decoder.fed, hidden, found["context"], None, multiply, bias)
        state["fed"] = found["fed"] = fed
    if "mask" in x:
        state = tree.map_structure(lambda a, b: ops.where(x["mask"], a, b), state, before)
    return state, found


def _kernels_and_others(cell):
    """The recurrent weights of a layer: what states are multiplied with, and what is added."""
    number = cell.steps_class.num_kernels
    return cell.recurrent[:number], cell.recurrent[number:]


def _cell(cell, depth, product, constants, before, sums):
    """The next state of a layer, a list."""

    def multiply(left, at):
        return product(f"recurrent_{depth}_{at}", left)

    recurrent = [*_kernels_and_others(cell)[0], *constants["recurrent"][depth]]
    after, _ = cell.steps_class(recurrent, multiply=multiply).forward(tuple(before), sums)
    return list(after)


def _attend(decoder, weights, hidden, state, x, constants, training):
    """What attention finds for `hidden` `(rows, units)`, rows sentence by sentence."""
    memory = constants["memory"]
    batch = ops.shape(tree.flatten(memory)[0])[0]

    def by_sentence(rows):
        return ops.reshape(rows, (batch, -1, rows.shape[-1] or ops.shape(rows)[-1]))

    # The attention's variables come as tensors, so that their gradients pass through the loop.
    with keras.StatelessScope(list(zip(weights.variables, constants["attention"], strict=True))):
        context, found = decoder.attention.attend(
            by_sentence(ops.cast(hidden, decoder.compute_dtype)),
            memory,
            previous=by_sentence(state["alignment"]),
            position=ops.cast(ops.reshape(x["position"], (batch, -1)), "int32"),
            training=training,
            noise=x.get("noise"),
        )
    rows = {"context": context, "weights": found}
    return {
        name: ops.cast(ops.reshape(y, (-1, y.shape[-1] or ops.shape(y)[-1])), "float32")
        for name, y in rows.items()
    }


def _dropped(inputs, name, constants):
    """`inputs` times the factors of dropout, where there are any."""
    factors = constants["dropped"].get(name)
    return inputs if factors is None else inputs * ops.cast(factors, "float32")
