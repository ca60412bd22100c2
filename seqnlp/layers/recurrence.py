"""Vanilla, GRU and LSTM recurrences over projected inputs, with the gradient through time by hand.

Arguments of the functions, in all of them; there are 1, 3 and 4 `gates`:

- `projected (time, batch, gates * units)`: the inputs times the input kernel, plus biases.
- `kernel (units, gates * units)`: recurrent kernel.
- `state`: sequence of initial states `(batch, units)`, one or two.
- `mask (time, batch)`: bool, True at real tokens, or None; the state passes over the rest.
- `state_dropout (batch, units)`: factor of the state in every product with `kernel`, the same
  at every step, or None.
- `reverse`: whether to start at the last step; outputs keep the order of the inputs.

All return `outputs (time, batch, units)`, the hidden state after each step, and the list of
final states. Products are in the dtype of `projected`; states and gates are carried in float32.

The way forward keeps the gates. The way back carries the gradient of the state alone: what the
gates contribute is computed for all steps at once before the loop, and the gradient of `kernel`
is one product after it, where automatic differentiation would add it up step by step.
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


def vanilla_rnn(projected, kernel, state, mask=None, state_dropout=None, reverse=False):
    """`h = tanh(x + h kernel)`, with one state, `h`.

    Reference: Elman 1990, https://doi.org/10.1207/s15516709cog1402_1
    """
    return _run(VanillaSteps, projected, (kernel,), state, mask, state_dropout, reverse)


def gru(projected, kernel, state, mask=None, state_dropout=None, reverse=False, bias=None):
    """Gated recurrent unit with one state, `h`; gates in the order update, reset, candidate.

        z, r = sigmoid(x + h kernel)
        h~ = tanh(x + (r h) kernel)           without `bias`, as Cho et al. print it
        h~ = tanh(x + r (h kernel + bias))    with `bias (units,)`, as cuDNN and Keras do
        h = z h + (1 - z) h~

    Reference: https://arxiv.org/abs/1406.1078, section 2.3
    """
    if bias is not None:
        return _run(GRUSteps, projected, (kernel, bias), state, mask, state_dropout, reverse)
    kernels = ops.split(kernel, [2 * kernel.shape[0]], axis=1)
    return _run(ResetBeforeGRUSteps, projected, kernels, state, mask, state_dropout, reverse)


def lstm(projected, kernel, state, mask=None, state_dropout=None, reverse=False):
    """Long short-term memory with two states, hidden `h` and cell `c`.

        i, f, o = sigmoid(x + h kernel);  g = tanh(x + h kernel)
        c = f c + i g;  h = o tanh(c)

    Gates are in the order input, forget, output, candidate: the three sigmoids side by side.

    Reference: https://doi.org/10.1162/089976600300015015 (Gers et al. 2000), section 2
    """
    return _run(LSTMSteps, projected, (kernel,), state, mask, state_dropout, reverse)


def _run(steps_class, projected, weights, state, mask, state_dropout, reverse):
    dtype = keras.backend.standardize_dtype(projected.dtype)
    masked, dropped = mask is not None, state_dropout is not None
    weights, state = _cast((tuple(weights), tuple(state)), dtype)
    optional = [] if mask is None else [1 - ops.cast(mask, "float32")[..., None]]
    optional += [state_dropout] if dropped else []

    @ops.custom_gradient
    def run(projected, *tensors):
        weights_, initial, rest = _split(tensors, len(weights), len(state))
        steps = steps_class(weights_, _float32(rest[-1]) if dropped else None)
        passed = rest[0] if masked else None
        if masked:
            projected = projected + ops.cast(passed * steps.shut(), dtype)

        def forward(before, x):
            now, kept = steps.forward(before, _float32(x[0]), x[1] if masked else None)
            return now, _cast((now, kept), dtype)

        inputs = (projected, passed) if masked else (projected,)
        final, (after, kept) = scan(forward, _float32(initial), inputs, reverse=reverse)

        def gradient(*upstream):
            d_outputs, *d_final = tree.flatten(upstream)
            before = [_before(*pair, reverse) for pair in zip(initial, after, strict=True)]
            kept32 = _float32(before), _float32(after), _float32(kept)
            factors = steps.factors(*kept32, passed)

            def back(d_after, x):
                d_state = (d_after[0] + _float32(x[0]), *d_after[1:])
                d_state, d_step = steps.back(d_state, x[1], x[2] if masked else None)
                return d_state, _cast(d_step, dtype)

            inputs = (d_outputs, factors, passed) if masked else (d_outputs, factors)
            d_final = _float32(tuple(d_final))
            d_initial, d_steps = scan(back, d_final, inputs, reverse=not reverse)
            found = steps.gradients(kept32[0], kept32[2], _float32(d_steps))
            d_projected, d_weights = found
            d_tensors = [*d_weights, *d_initial, *map(ops.zeros_like, rest)]
            return (
                ops.cast(d_projected, dtype),
                *(ops.cast(d, x.dtype) for d, x in zip(d_tensors, tensors, strict=True)),
            )

        return (after[0], *_cast(final, dtype)), gradient

    outputs, *final = run(projected, *weights, *state, *optional)
    return outputs, final


def _split(tensors, num_weights, num_states):
    states_end = num_weights + num_states
    return tensors[:num_weights], tensors[num_weights:states_end], tensors[states_end:]


def _before(initial, after, reverse):
    """The state that each step started from, `(time, batch, units)`."""
    if reverse:
        return ops.concatenate([after[1:], initial[None]], axis=0)
    return ops.concatenate([initial[None], after[:-1]], axis=0)


def _cast(tensors, dtype):
    return tree.map_structure(lambda tensor: ops.cast(tensor, dtype), tensors)


def _float32(tensors):
    return _cast(tensors, "float32")
