"""Vanilla, GRU and LSTM recurrences, with the gradient through time by hand.

All take a list of `Direction`, one or two, and `mask (time, batch)`, bool, True at real tokens, or
None: the state passes over the rest. They return a list with a pair for each direction:
`outputs (time, batch, units)`, the hidden state after each step in the order of the inputs, and
the list of final states. States and gates are carried in float32. There are 1, 3 and 4 `gates`,
in Keras' order.

The inputs of all steps are projected by one product, with the bias as the kernel's row of a
column of ones, and what closes the gates at padding as that of a column of the padding. The way
forward keeps the gates; the way back carries the gradient of the state, and the gradients of the
weights are a product after the loop, where automatic differentiation would add up one a step.
"""

from typing import Any, NamedTuple

import keras
from keras import ops, tree

from seqnlp.layers.recurrent_steps import (
    GRUSteps,
    LSTMSteps,
    ResetBeforeGRUSteps,
    VanillaSteps,
)
from seqnlp.scan import scan


class Direction(NamedTuple):
    """What is read in one direction, and with which weights.

    Fields:
        inputs: Float `(time, batch, features)`, in the dtype that products are computed in.
        weights: The layer's `(kernel, recurrent_kernel, bias)`: `(features, gates * units)`,
            `(units, gates * units)`, `(gates * units,)`, for one form of GRU
            `(2, gates * units)`.
        state: Sequence of initial states `(batch, units)`, one or two.
        state_dropout: Float `(batch, units)`, factor of the state in every product with the
            recurrent kernel, the same at every step, or None. It is a draw, not a parameter,
            and gets no gradient.
        reverse: Whether to start at the last step.
    """

    inputs: Any
    weights: tuple
    state: tuple
    state_dropout: Any = None
    reverse: bool = False


def vanilla_rnn(directions, mask=None):
    """`h = tanh(x kernel + h recurrent_kernel + bias)`, with one state, `h`.

    Reference: Elman 1990, https://doi.org/10.1207/s15516709cog1402_1
    """
    return _run("vanilla", directions, mask)


def gru(directions, mask=None):
    """Gated recurrent unit with one state, `h`; gates in the order update, reset, candidate.

        z, r = sigmoid(x K + h R + b)
        h~ = tanh(x K + (r h) R + b)              with `bias (gates * units,)`: Cho et al.
        h~ = tanh(x K + r (h R + b[1]) + b[0])    with `bias (2, gates * units)`: cuDNN, Keras
        h = z h + (1 - z) h~

    Reference: https://arxiv.org/abs/1406.1078, section 2.3
    """
    return _run("gru", directions, mask)


def lstm(directions, mask=None):
    """Long short-term memory with two states, hidden `h` and cell `c`.

        i, f, o = sigmoid(x K + h R + b);  g = tanh(x K + h R + b)
        c = f c + i g;  h = o tanh(c)

    Gates of the weights are in the order input, forget, candidate, output.

    Reference: https://doi.org/10.1162/089976600300015015 (Gers et al. 2000), section 2
    """
    return _run("lstm", directions, mask)


class Prepared(NamedTuple):
    """A layer's weights as its steps take them.

    Fields:
        steps_class: Of `seqnlp.layers.recurrent_steps`.
        kernel: `(features, gates * units)`, its columns in the order of the steps.
        bias: `(gates * units,)`.
        recurrent: List of what `steps_class` is made with.
    """

    steps_class: type
    kernel: Any
    bias: Any
    recurrent: list


def prepared(cell, kernel, recurrent_kernel, bias):
    """The weights of a "vanilla", "gru" or "lstm" layer, `Prepared`."""
    return _PREPARE[cell](kernel, recurrent_kernel, bias)


def _prepared_vanilla(kernel, recurrent_kernel, bias):
    return Prepared(VanillaSteps, kernel, bias, [recurrent_kernel])


def _prepared_gru(kernel, recurrent_kernel, bias):
    units = recurrent_kernel.shape[0]
    if len(bias.shape) == 1:
        recurrent = ops.split(recurrent_kernel, [2 * units], axis=1)
        return Prepared(ResetBeforeGRUSteps, kernel, bias, recurrent)
    # What the gates add needs no second bias, what the candidate adds does.
    gates, candidate = ops.split(bias[1], [2 * units])
    bias = bias[0] + ops.pad(gates, [[0, units]])
    return Prepared(GRUSteps, kernel, bias, [recurrent_kernel, candidate])


def _prepared_lstm(kernel, recurrent_kernel, bias):
    kernel, recurrent_kernel, bias = map(_candidate_last, (kernel, recurrent_kernel, bias))
    return Prepared(LSTMSteps, kernel, bias, [recurrent_kernel])


def _candidate_last(weight):
    enter, forget, candidate, leave = ops.split(weight, 4, axis=-1)
    return ops.concatenate([enter, forget, leave, candidate], axis=-1)


_PREPARE = {"vanilla": _prepared_vanilla, "gru": _prepared_gru, "lstm": _prepared_lstm}


class _Tensors(NamedTuple):
    """What the loop takes of one direction; all but the last two have gradients."""

    inputs: Any  # (time, batch, features + 1 or 2), in the order of reading
    state: list
    kernel: Any  # (features + 1 or 2, gates * units)
    recurrent: list
    padding: list  # of none or one (time, batch, 1)
    state_dropout: list  # of none or one (batch, units)


def _run(cell, directions, mask):
    weights = [prepared(cell, *direction.weights) for direction in directions]
    steps_class = weights[0].steps_class
    tensors = [
        _tensors(of, direction, mask) for of, direction in zip(weights, directions, strict=True)
    ]
    # XLA runs a loop after the other, and one for both lets their products overlap; TensorFlow's
    # executor overlaps loops, and each has less to wait for alone.
    at_once = len(tensors) if keras.backend.backend() == "jax" else 1
    found = []
    for at in range(0, len(tensors), at_once):
        together = tensors[at : at + at_once]
        outputs, final = _loop(steps_class, together)(*tree.flatten(together))
        found += zip(outputs, final, strict=True)
    return [
        (ops.flip(outputs, axis=0) if direction.reverse else outputs, final)
        for (outputs, final), direction in zip(found, directions, strict=True)
    ]


def _tensors(weights, direction, mask):
    steps_class, kernel, bias, recurrent = weights
    inputs, padding, shut = direction.inputs, [], []
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    columns = [ops.ones_like(inputs[..., :1])]
    if mask is not None:
        at_padding = ops.logical_not(mask)[..., None]
        inputs = ops.where(at_padding, 0, inputs)
        columns.append(ops.cast(at_padding, dtype))
        padding.append(ops.cast(at_padding, "float32"))
        shut.append(ops.cast(steps_class.shut(recurrent[0].shape[0])[None], kernel.dtype))
    inputs = ops.concatenate([inputs, *columns], axis=-1)
    if direction.reverse:
        inputs, padding = tree.map_structure(lambda x: ops.flip(x, axis=0), (inputs, padding))
    kernel = ops.concatenate([kernel, bias[None], *shut], axis=0)
    given = [] if direction.state_dropout is None else [_float32(direction.state_dropout)]
    state, recurrent = list(direction.state), list(recurrent)
    return _Tensors(*_cast((inputs, state, kernel, recurrent), dtype), padding, given)


def _loop(steps_class, like):
    """The function with its gradient: the leaves of a list of `_Tensors` -> `outputs, final`.

    Args:
        steps_class: Of `seqnlp.layers.recurrent_steps`.
        like: Such a list.
    """

    @ops.custom_gradient
    def run(*leaves):
        tensors = tree.pack_sequence_as(like, leaves)
        dtype = tensors[0].inputs.dtype
        steps = [steps_class(of.recurrent, *_float32(of.state_dropout)) for of in tensors]

        def forward(before, x):
            done = [
                step.forward(state, *_float32(of))
                for step, state, of in zip(steps, before, x, strict=True)
            ]
            return [now for now, _ in done], _cast([(now[0], kept) for now, kept in done], dtype)

        projected = [(ops.matmul(of.inputs, of.kernel), *of.padding) for of in tensors]
        final, found = scan(forward, [tuple(_float32(of.state)) for of in tensors], projected)
        outputs, kept = zip(*found, strict=True)

        def gradient(*upstream):
            d_outputs, d_final = tree.pack_sequence_as((outputs, final), tree.flatten(upstream))

            def back(d_after, x):
                done = []
                for step, d_state, (d_output, *of) in zip(steps, d_after, x, strict=True):
                    d_state = d_state[0] + _float32(d_output), *d_state[1:]
                    done.append(step.back(d_state, *_float32(of)))
                return [state for state, _ in done], _cast([sums for _, sums in done], dtype)

            upstream_and_kept = [
                (d_output, of, *tensor.padding)
                for d_output, of, tensor in zip(d_outputs, kept, tensors, strict=True)
            ]
            d_state, d_sums = scan(back, _float32(d_final), upstream_and_kept, reverse=True)
            parts = zip(steps, tensors, kept, d_state, d_sums, strict=True)
            return tree.flatten([_gradients(*part) for part in parts])

        return (list(outputs), _cast(final, dtype)), gradient

    return run


def _gradients(steps, tensors, kept, d_state, d_sums):
    """Gradients of all `_Tensors` of a direction, zeros for those that have none."""
    dtype = tensors.inputs.dtype
    d_sums, d_weights = steps.gradients(tensors.inputs, _float32(kept), _float32(d_sums))
    d_projected = ops.cast(d_sums, dtype)
    d_inputs = ops.matmul(d_projected, ops.transpose(tensors.kernel))
    d_kernel, *d_recurrent = d_weights
    nothing = tree.map_structure(ops.zeros_like, (tensors.padding, tensors.state_dropout))
    found = _cast((list(d_state), d_kernel, d_recurrent), dtype)
    return _Tensors(d_inputs, *found, *nothing)


def _cast(tensors, dtype):
    dtype = keras.backend.standardize_dtype(dtype)
    return tree.map_structure(lambda tensor: ops.cast(tensor, dtype), tensors)


def _float32(tensors):
    return _cast(tensors, "float32")
