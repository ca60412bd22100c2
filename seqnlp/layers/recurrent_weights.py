"""The weights of a recurrent layer, named and initialised as in Keras."""

from keras import ops

GATES = {"vanilla": 1, "gru": 3, "lstm": 4}


def add_recurrent_weights(layer, cell, features, name, reset_after=True):
    """Adds the weights of one direction of one layer.

    Args:
        layer: The Keras layer that gets them; its `units` are the state's.
        cell: "vanilla", "gru" or "lstm".
        features: Width of what is read.
        name: Format of the names, with one place: "backward_{}" say.
        reset_after: Of "gru": the form of its reset gate, see `seqnlp.layers.GRU`.

    Returns:
        `(kernel, recurrent_kernel, bias)`, see `seqnlp.layers.recurrence.Direction`.
    """
    units = layer.units
    width = GATES[cell] * units

    def open_forget_gate(shape, dtype=None):
        return ops.repeat(ops.convert_to_tensor([0, 1, 0, 0], dtype=dtype), units)

    has_two = cell == "gru" and reset_after
    of_each = {
        "kernel": ((features, width), "glorot_uniform"),
        "recurrent_kernel": ((units, width), "orthogonal"),
        "bias": ((2, width) if has_two else (width,), "zeros"),
    }
    if cell == "lstm":
        of_each["bias"] = ((width,), open_forget_gate)
    return tuple(
        layer.add_weight(name=name.format(kind), shape=shape, initializer=initializer)
        for kind, (shape, initializer) in of_each.items()
    )
