"""Vanilla, GRU and LSTM recurrences, with the gradient through time by hand.

Arguments of the functions, in all of them; there are 1, 3 and 4 `gates`, in Keras' order:

- `inputs (time, batch, features)`: float, in the dtype that products are computed in.
- `weights`: the layer's `(kernel, recurrent_kernel, bias)`: `(features, gates * units)`,
  `(units, gates * units)`, `(gates * units,)`, for one form of GRU `(2, gates * units)`.
- `state`: sequence of initial states `(batch, units)`, one or two.
- `mask (time, batch)`: bool, True at real tokens, or None; the state passes over the rest.
- `state_dropout (batch, units)`: factor of the state in every product with the recurrent kernel,
  the same at every step, or None. It is a draw, not a parameter, and gets no gradient.
- `reverse`: whether to start at the last step; outputs keep the order of the inputs.

All return `outputs (time, batch, units)`, the hidden state after each step, and the list of
final states. States and gates are carried in float32.

The inputs of all steps are projected by one product, with the bias as the kernel's row of a
column of ones, and what closes the gates at padding as that of a column of the padding. The way
forward keeps the gates; the way back carries the gradient of the state, and the gradients of the
weights are a product after the loop, where automatic differentiation would add up one a step.
"""

import keras
from keras import ops, tree

from seqnlp.layers.recurrent_steps import (
    GRUSteps,
    LSTMSteps,
    ResetBeforeGRUSteps,
    VanillaSteps,
)
from seqnlp.scan import scan


def vanilla_rnn(inputs, weights, state, mask=None, state_dropout=None, reverse=False):
    """`h = tanh(x kernel + h recurrent_kernel + bias)`, with one state, `h`.

    Reference: Elman 1990, https://doi.org/10.1207/s15516709cog1402_1
    """
    kernel, recurrent_kernel, bias = weights
    recurrent = (recurrent_kernel,)
    return _run(VanillaSteps, inputs, kernel, bias, recurrent, state, mask, state_dropout, reverse)


def gru(inputs, weights, state, mask=None, state_dropout=None, reverse=False):
    """Gated recurrent unit with one state, `h`; gates in the order update, reset, candidate.

        z, r = sigmoid(x K + h R + b)
        h~ = tanh(x K + (r h) R + b)              with `bias (gates * units,)`: Cho et al.
        h~ = tanh(x K + r (h R + b[1]) + b[0])    with `bias (2, gates * units)`: cuDNN, Keras
        h = z h + (1 - z) h~

    Reference: https://arxiv.org/abs/1406.1078, section 2.3
    """
    kernel, recurrent_kernel, bias = weights
    units = recurrent_kernel.shape[0]
    if len(bias.shape) == 1:
        steps, recurrent = ResetBeforeGRUSteps, ops.split(recurrent_kernel, [2 * units], axis=1)
    else:  # what the gates add needs no second bias, what the candidate adds does
        gates, candidate = ops.split(bias[1], [2 * units])
        bias = bias[0] + ops.pad(gates, [[0, units]])
        steps, recurrent = GRUSteps, (recurrent_kernel, candidate)
    return _run(steps, inputs, kernel, bias, recurrent, state, mask, state_dropout, reverse)


def lstm(inputs, weights, state, mask=None, state_dropout=None, reverse=False):
    """Long short-term memory with two states, hidden `h` and cell `c`.

        i, f, o = sigmoid(x K + h R + b);  g = tanh(x K + h R + b)
        c = f c + i g;  h = o tanh(c)

    Gates of the weights are in the order input, forget, candidate, output.

    Reference: https://doi.org/10.1162/089976600300015015 (Gers et al. 2000), section 2
    """
    kernel, recurrent_kernel, bias = map(_candidate_last, weights)
    recurrent = (recurrent_kernel,)
    return _run(LSTMSteps, inputs, kernel, bias, recurrent, state, mask, state_dropout, reverse)


def _candidate_last(weight):
    enter, forget, candidate, leave = ops.split(weight, 4, axis=-1)
    return ops.concatenate([enter, forget, leave, candidate], axis=-1)


def _run(steps_class, inputs, kernel, bias, recurrent, state, mask, state_dropout, reverse):
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    columns, rows, optional = [inputs, ops.ones_like(inputs[..., :1])], [kernel, bias[None]], []
    if mask is not None:
        padding = ops.logical_not(mask)[..., None]
        columns = [ops.where(padding, 0, inputs), columns[1], ops.cast(padding, dtype)]
        rows.append(ops.cast(steps_class.shut(recurrent[0].shape[0])[None], kernel.dtype))
        optional.append(ops.cast(padding, "float32"))
    if state_dropout is not None:
        optional.append(state_dropout)
    run = _recurrence(steps_class, reverse, len(state), mask is not None, len(optional))
    kernels = ops.concatenate(rows, axis=0), *recurrent
    tensors = _cast((ops.concatenate(columns, axis=-1), *state, *kernels), dtype)
    outputs, *final = run(*tensors, *optional)
    return outputs, final


def _recurrence(steps_class, reverse, num_states, masked, num_optional):
    """The function with its gradient.

    Its arguments are inputs, initial states, kernel, recurrent weights, and, where there are any,
    padding `(time, batch, 1)` and the factor of the state; its results outputs and final states.
    """

    @ops.custom_gradient
    def run(inputs, *tensors):
        dtype = inputs.dtype
        optional = tensors[len(tensors) - num_optional :]
        initial = tensors[:num_states]
        kernel, *recurrent = tensors[num_states : len(tensors) - num_optional]
        padding = (optional[0],) if masked else ()
        dropped = num_optional > len(padding)
        steps = steps_class(recurrent, _float32(optional[-1]) if dropped else None)

        def forward(before, x):
            now, kept = steps.forward(before, _float32(x[0]), *(x[1:] or [None]))
            return now, _cast((now[0], kept), dtype)

        projected = ops.matmul(inputs, kernel)
        final, (outputs, kept) = scan(
            forward, _float32(initial), (projected, *padding), reverse=reverse
        )

        def gradient(*upstream):
            d_outputs, *d_final = tree.flatten(upstream)

            def back(d_after, x):
                d_after = d_after[0] + _float32(x[0]), *d_after[1:]
                d_before, d_sums = steps.back(d_after, _float32(x[1]), *(x[2:] or [None]))
                return d_before, _cast(d_sums, dtype)

            d_initial, d_sums = scan(
                back, _float32(tuple(d_final)), (d_outputs, kept, *padding), reverse=not reverse
            )
            d_projected, d_weights = steps.gradients(inputs, _float32(kept), _float32(d_sums))
            d_projected = ops.cast(d_projected, dtype)
            d_inputs = ops.matmul(d_projected, ops.transpose(kernel))
            nothing = [ops.zeros_like(tensor) for tensor in optional]
            return d_inputs, *_cast((*d_initial, *d_weights), dtype), *nothing

        return (outputs, *_cast(final, dtype)), gradient

    return run


def _cast(tensors, dtype):
    dtype = keras.backend.standardize_dtype(dtype)
    return tree.map_structure(lambda tensor: ops.cast(tensor, dtype), tensors)


def _float32(tensors):
    return _cast(tensors, "float32")
