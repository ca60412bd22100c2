"""Takes the weights of Addons' attention wrapper over."""

_CELL = ("kernel", "recurrent_kernel", "bias")


def load_attention_wrapper(weights, decoder):
    """Loads the weights of a `tfa.seq2seq.AttentionWrapper`; it then gives the same.

    The wrapper attends after its cell. What it feeds is the context, or a layer of it, and what
    it writes that or the cell's output. Of a `seqnlp.layers.RNNDecoder` with attend="after" this
    is:

    | `AttentionWrapper` | `input_feeding` | `readout` | `readout_units` |
    |---|---|---|---|
    | `attention_layer_size=n` | True | "linear" | n |
    | the same with `output_attention=False` | "linear" | "state" | n |
    | `attention_layer_size=None` | True | "context" | None |
    | the same with `output_attention=False` | "context" | "state" | None |
    | `attention_layer=Dense(n, "tanh")` | True | "tanh" | n |

    Args:
        weights: Dict of arrays: `kernel`, `recurrent_kernel` and `bias` of the cell, a
            `GRUCell`, an `LSTMCell` or a `SimpleRNNCell`; `attention_layer` and
            `attention_layer_bias`, kernel and bias of the attention layer; `memory_layer` and
            `query_layer`, kernels of the mechanism, and its `attention_v`, `attention_g` or
            `scale_weight`, `attention_b` and `attention_score_bias`. Each where there is one.
        decoder: `seqnlp.layers.RNNDecoder` of one layer, built.

    Raises:
        ValueError: The decoder has other weights. Then none has been changed.
    """
    import numpy as np

    if not decoder.built or decoder.num_layers != 1 or decoder.attention is None:
        raise ValueError(
            "`decoder` must be a built RNNDecoder of one layer with attention. Received: decoder "
            f"with built={decoder.built}, num_layers={decoder.num_layers}, "
            f"attention={decoder.attention!r}"
        )
    arrays = {name: np.asarray(array) for name, array in weights.items()}
    targets = variables_of(decoder)
    missing = sorted(targets.keys() - arrays.keys())
    others = sorted(arrays.keys() - targets.keys())
    if missing or others:
        raise ValueError(
            f"`weights` must hold {sorted(targets)} for this decoder. "
            f"Received: weights without {missing} and with {others}"
        )
    for name, variable in targets.items():
        shape, received = tuple(variable.shape), arrays[name].shape
        if shape != received:
            raise ValueError(
                f"`weights` must hold {name!r} with shape {shape}. Received: shape={received}"
            )
    if "attention_layer" in arrays:  # Addons has the cell's output before the context
        layer = arrays["attention_layer"]
        arrays["attention_layer"] = np.roll(layer, len(layer) - decoder.units, axis=0)
    for name, variable in targets.items():
        variable.assign(arrays[name])


def variables_of(decoder):
    """The decoder's variables, under the names that their weights have in Addons."""
    found = dict(zip(_CELL, decoder.cells[0], strict=True))
    if decoder.learned:
        found["attention_layer"] = decoder.readout_kernel
        found["attention_layer_bias"] = decoder.readout_bias
    attention = decoder.attention
    for side, name in (("value", "memory_layer"), ("query", "query_layer")):
        projection = getattr(attention, f"{side}_projection", None)
        found[name] = None if projection is None else projection.kernel
    found["attention_v"] = getattr(attention, "v", None)
    scale = "scale_weight" if found["attention_v"] is None else "attention_g"
    found[scale] = getattr(attention, "g", None)
    found["attention_b"] = getattr(attention, "b", None)
    found["attention_score_bias"] = getattr(attention.aligner, "r", None)
    return {name: variable for name, variable in found.items() if variable is not None}
