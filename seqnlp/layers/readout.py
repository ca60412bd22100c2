"""What a recurrent decoder writes at a step, and what of it the next step reads."""

from keras import ops

LEARNED = ("linear", "tanh", "maxout")  # those with weights
READOUTS = ("state", "context", *LEARNED)
FED = ("context", "linear", "tanh")


def width_of(readout, units, context, learned):
    """Width of a readout, from those of the state, of the context and of what has weights."""
    return {"state": units, "context": context}.get(readout, learned)


def read_out(readout, hidden, context, inputs, multiply, bias):
    """Outputs from states, contexts and inputs, of one step or of all.

    Args:
        readout: A name of `READOUTS`.
        hidden: Float tensor `(..., units)`.
        context: Float tensor `(..., value_units)`, or None without attention.
        inputs: Float tensor `(..., features)`, which "maxout" alone reads.
        multiply: Takes `(..., width)` and returns its product with the kernel.
        bias: The bias, or None.
    """
    if readout not in LEARNED:
        return hidden if readout == "state" else context
    parts = [hidden, inputs, context] if readout == "maxout" else [context, hidden]
    sums = multiply(ops.concatenate([x for x in parts if x is not None], axis=-1))
    if readout == "linear":
        return sums
    sums = sums + bias
    return ops.tanh(sums) if readout == "tanh" else ops.maximum(*ops.split(sums, 2, axis=-1))


def check_readout(attention, attend, input_feeding, readout, readout_units):
    """A `ValueError` where a decoder cannot write or read so."""
    if readout not in READOUTS:
        raise ValueError(f"`readout` must be one of {READOUTS}. Received: readout={readout!r}")
    if readout == "context" and attention is None:
        raise ValueError(
            "`readout` must not be 'context' without attention. Received: readout='context'"
        )
    if input_feeding not in (False, True, *FED):
        raise ValueError(
            f"`input_feeding` must be False, True or one of {FED}. "
            f"Received: input_feeding={input_feeding!r}"
        )
    fed = readout if input_feeding is True else input_feeding
    learned = {name for name in (fed, readout) if name in LEARNED}
    after = attention is not None and attend == "after" and fed in FED
    if fed and not (after and len(learned) < 2):
        raise ValueError(
            "`input_feeding` must be False unless the decoder attends after the cell, and of what "
            f"it writes and what it feeds, {FED}, one at most has weights of its own. Received: "
            f"input_feeding={input_feeding!r} with attention={attention!r}, attend={attend!r}, "
            f"readout={readout!r}"
        )
    if readout_units is not None and (readout_units < 1 or not learned):
        raise ValueError(
            f"`readout_units` must be at least 1 with one of {LEARNED}, else None. "
            f"Received: readout_units={readout_units} with readout={readout!r}"
        )
