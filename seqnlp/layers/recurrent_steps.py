"""One step of each recurrence, forward and back; `seqnlp.layers.recurrence` loops over them.

A class has these methods. States and gates are float32, `(batch, ...)` in a step, with the time
in front where all steps are meant. `passed` is 1 at padding, 0 at tokens, `(batch, 1)`, or None
where nothing is padding.

- `shut(units)`: what is added to the gates' sums at padding, so that they pass the state on.
- `forward(state, x, passed)`: the next state, and what is kept of the step: the hidden state
  before it, and what the way back needs.
- `back(d_state, kept, passed)`: gradient of the state before the step, and of its sums.
- `gradients(inputs, kept, d_sums)`: gradient of the projected inputs, and of input kernel and
  recurrent weights, of all steps at once.
"""

from keras import ops

_SHUT = 1e4  # its sigmoid is exactly 1, and that of its opposite exactly 0


class _Steps:
    """Recurrent kernels, the factors of the state before them, and who multiplies with them.

    `multiply` takes `(left, at)` and gives the product with kernel `at`; None is a plain product.
    """

    num_kernels = 1  # of the recurrent weights, which stand first

    def __init__(self, kernels, state_dropout=None, multiply=None):
        self.kernels = kernels
        self.state_dropout = state_dropout
        self.units = kernels[0].shape[0]
        self.multiply = multiply or self._multiply
        # Here, as a tensor that a loop's body makes is not there for the next loop.
        self.transposed = [] if multiply else [ops.transpose(kernel) for kernel in kernels]

    def _multiply(self, left, at):
        return _product(left, self.kernels[at])

    def product(self, hidden, at=0):
        return self.multiply(self.dropped(hidden), at)

    def product_back(self, d_sums, at=0):
        return self.dropped(_product(d_sums, self.transposed[at]))

    def dropped(self, hidden):
        return hidden if self.state_dropout is None else hidden * self.state_dropout

    def outer(self, left, d_sums):
        """The sum over batch and time of outer products: the gradient of a kernel."""
        kernel = self.kernels[0]
        left = ops.reshape(ops.cast(left, kernel.dtype), (-1, left.shape[-1]))
        return _product(ops.transpose(left), ops.cast(_rows(d_sums), kernel.dtype))

    def both_outer(self, inputs, hidden, d_sums):
        """Gradients of input kernel and recurrent kernel, which one product gives."""
        hidden = ops.cast(self.dropped(hidden), inputs.dtype)
        both = self.outer(ops.concatenate([inputs, hidden], axis=-1), d_sums)
        return ops.split(both, [inputs.shape[-1]])


class VanillaSteps(_Steps):
    """`h = tanh(x + h kernel)`."""

    @staticmethod
    def shut(units):
        return _row(units, 0.0)

    def forward(self, state, x, passed=None):
        (hidden,) = state
        now = ops.tanh(x + self.product(hidden))
        if passed is not None:
            now = ops.where(passed > 0, hidden, now)
        return (now,), (hidden, now)

    def back(self, d_state, kept, passed=None):
        (d_hidden,), (_, now) = d_state, kept
        if passed is None:
            d_sums = d_hidden * (1 - now * now)
            return (self.product_back(d_sums),), d_sums
        d_passed = passed * d_hidden
        d_sums = (d_hidden - d_passed) * (1 - now * now)
        return (self.product_back(d_sums) + d_passed,), d_sums

    def gradients(self, inputs, kept, d_sums):
        return d_sums, self.both_outer(inputs, kept[0], d_sums)


class LSTMSteps(_Steps):
    """Gates are in the order input, forget, output, candidate: three sigmoids side by side."""

    @staticmethod
    def shut(units):
        return _row(units, -_SHUT, _SHUT, -_SHUT, 0.0)

    def forward(self, state, x, passed=None):
        hidden, cell = state
        sums = x + self.product(hidden)
        sigmoids, candidate = ops.split(sums, [3 * self.units], axis=-1)
        enter, forget, leave = ops.split(ops.sigmoid(sigmoids), 3, axis=-1)
        candidate = ops.tanh(candidate)
        new_cell = forget * cell + enter * candidate
        seen = ops.tanh(new_cell)
        now = leave * seen
        if passed is not None:
            now = now + passed * hidden
        return (now, new_cell), (hidden, cell, enter, forget, leave, candidate, seen)

    def back(self, d_state, kept, passed=None):
        d_hidden, d_cell = d_state
        _, cell, enter, forget, leave, candidate, seen = kept
        d_leave = d_hidden * leave
        d_cell = d_cell + d_leave * (1 - seen * seen)
        d_enter, d_forget = d_cell * enter, d_cell * forget
        d_sums = ops.concatenate(
            [
                d_enter * candidate * (1 - enter),
                d_forget * cell * (1 - forget),
                d_leave * seen * (1 - leave),
                d_enter * (1 - candidate * candidate),
            ],
            axis=-1,
        )
        d_before = self.product_back(d_sums)
        if passed is not None:
            d_before = d_before + passed * d_hidden
        return (d_before, d_forget), d_sums

    def gradients(self, inputs, kept, d_sums):
        return d_sums, self.both_outer(inputs, kept[0], d_sums)


class GRUSteps(_Steps):
    """Reset gate after the product. Gates are in the order update, reset, candidate.

    The second weight is the candidate's recurrent bias `(units,)`.
    """

    def __init__(self, weights, state_dropout=None, multiply=None):
        super().__init__(weights[:1], state_dropout, multiply)
        self.bias = ops.cast(weights[1], "float32")

    @staticmethod
    def shut(units):
        return _row(units, _SHUT, 0.0, 0.0)

    def forward(self, state, x, passed=None):
        (hidden,), gates = state, [2 * self.units]
        x, x_candidate = ops.split(x, gates, axis=-1)
        product, recurrent = ops.split(self.product(hidden), gates, axis=-1)
        update, reset = ops.split(ops.sigmoid(x + product), 2, axis=-1)
        recurrent = recurrent + self.bias
        candidate = ops.tanh(x_candidate + reset * recurrent)
        now = update * hidden + (1 - update) * candidate
        return (now,), (hidden, update, reset, candidate, recurrent)

    def back(self, d_state, kept, passed=None):
        (d_hidden,), (hidden, update, reset, candidate, recurrent) = d_state, kept
        d_update = d_hidden * update
        d_candidate = (d_hidden - d_update) * (1 - candidate * candidate)
        d_recurrent = d_candidate * reset
        d_gates = (
            d_update * (hidden - candidate) * (1 - update),
            d_recurrent * recurrent * (1 - reset),
        )
        d_sums = ops.concatenate([*d_gates, d_recurrent], axis=-1)
        return (self.product_back(d_sums) + d_update,), (d_sums, d_candidate)

    def gradients(self, inputs, kept, d_sums):
        d_sums, d_candidate = d_sums
        d_gates, d_recurrent = ops.split(d_sums, [2 * self.units], axis=-1)
        d_projected = ops.concatenate([d_gates, d_candidate], axis=-1)
        return d_projected, (
            self.outer(inputs, d_projected),
            self.outer(self.dropped(kept[0]), d_sums),
            ops.sum(_rows(d_recurrent), axis=0),
        )


class ResetBeforeGRUSteps(_Steps):
    """Reset gate before the product. Gates are in the order update, reset, candidate.

    The kernels are that of both gates `(units, 2 * units)` and that of the candidate.
    """

    num_kernels = 2

    @staticmethod
    def shut(units):
        return _row(units, _SHUT, 0.0, 0.0)

    def forward(self, state, x, passed=None):
        (hidden,) = state
        x, x_candidate = ops.split(x, [2 * self.units], axis=-1)
        update, reset = ops.split(ops.sigmoid(x + self.product(hidden)), 2, axis=-1)
        candidate = ops.tanh(x_candidate + self.product(reset * hidden, at=1))
        now = update * hidden + (1 - update) * candidate
        return (now,), (hidden, update, reset, candidate)

    def back(self, d_state, kept, passed=None):
        (d_hidden,), (hidden, update, reset, candidate) = d_state, kept
        d_update = d_hidden * update
        d_candidate = (d_hidden - d_update) * (1 - candidate * candidate)
        d_reset = self.product_back(d_candidate, at=1) * reset
        d_gates = [
            d_update * (hidden - candidate) * (1 - update),
            d_reset * hidden * (1 - reset),
        ]
        d_gates = ops.concatenate(d_gates, axis=-1)
        return (d_update + d_reset + self.product_back(d_gates),), (d_gates, d_candidate)

    def gradients(self, inputs, kept, d_sums):
        hidden, _, reset, _ = kept
        d_projected = ops.concatenate(d_sums, axis=-1)
        d_gates, d_candidate = d_sums
        return d_projected, (
            self.outer(inputs, d_projected),
            self.outer(self.dropped(hidden), d_gates),
            self.outer(self.dropped(reset * hidden), d_candidate),
        )


def _product(left, kernel):
    """In the kernel's dtype, which a float32 result leaves at once."""
    return ops.cast(ops.matmul(ops.cast(left, kernel.dtype), kernel), "float32")


def _rows(steps):
    return ops.reshape(steps, (-1, steps.shape[-1]))


def _row(units, *values):
    """One value for each gate, `(gates * units,)`."""
    return ops.repeat(ops.convert_to_tensor(values, dtype="float32"), units)
