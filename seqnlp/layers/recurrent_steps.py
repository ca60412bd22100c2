"""One step of each recurrence, forward and back; `seqnlp.layers.recurrence` loops over them.

A class has these methods. States and gates are float32, `(batch, ...)` in a step, with the time
in front where all steps are meant. `passed` is 1 at padding, 0 at tokens, `(batch, 1)`, or None
where nothing is padding.

- `shut()`: what is added to the gates' sums at padding, so that they pass the state on.
- `forward(state, x, passed)`: the next state, and what is kept of the step.
- `factors(before, after, kept, passed)`: of all steps at once, what the gradient of a state is
  multiplied with, from the states before and after each step.
- `back(d_state, factors, passed)`: gradient of the state before the step, and of its sums.
- `gradients(before, kept, d_sums)`: gradient of the projected inputs of all steps, and
  of the weights, each one product.
"""

from keras import ops

_SHUT = 1e4  # its sigmoid is exactly 1, and that of its opposite exactly 0


class _Steps:
    def __init__(self, kernels, state_dropout):
        self.kernels = kernels
        self.transposed = [ops.transpose(kernel) for kernel in kernels]
        self.state_dropout = state_dropout
        self.units = kernels[0].shape[0]

    def product(self, hidden, at=0):
        return _product(self.dropped(hidden), self.kernels[at])

    def product_back(self, d_sums, at=0):
        return self.dropped(_product(d_sums, self.transposed[at]))

    def dropped(self, hidden):
        return hidden if self.state_dropout is None else hidden * self.state_dropout

    def kernel_gradient(self, hidden, d_sums, at=0):
        rows = ops.reshape(self.dropped(hidden), (-1, self.units))
        columns = ops.reshape(d_sums, (-1, self.kernels[at].shape[1]))
        return _product(ops.transpose(ops.cast(rows, self.kernels[at].dtype)), columns)

    def row(self, *values):
        """One value for each gate, `(gates * units,)`."""
        return ops.repeat(ops.convert_to_tensor(values, dtype="float32"), self.units)


class VanillaSteps(_Steps):
    """`h = tanh(x + h kernel)`."""

    def shut(self):
        return self.row(0.0)

    def forward(self, state, x, passed):
        (hidden,) = state
        now = ops.tanh(x + self.product(hidden))
        if passed is not None:
            now = ops.where(passed > 0, hidden, now)
        return (now,), ()

    def factors(self, before, after, kept, passed):
        slope = 1 - after[0] ** 2
        return (slope if passed is None else (1 - passed) * slope,)

    def back(self, d_state, factors, passed):
        (d_hidden,), (slope,) = d_state, factors
        d_sums = d_hidden * slope
        d_before = self.product_back(d_sums)
        if passed is not None:
            d_before = d_before + passed * d_hidden
        return (d_before,), d_sums

    def gradients(self, before, kept, d_sums):
        return d_sums, (self.kernel_gradient(before[0], d_sums),)


class LSTMSteps(_Steps):
    """Gates are in the order input, forget, output, candidate."""

    def shut(self):
        return self.row(-_SHUT, _SHUT, -_SHUT, 0.0)

    def forward(self, state, x, passed):
        hidden, cell = state
        sums = x + self.product(hidden)
        sigmoids = ops.sigmoid(sums[:, : 3 * self.units])
        candidate = ops.tanh(sums[:, 3 * self.units :])
        enter, forget, leave = ops.split(sigmoids, 3, axis=-1)
        cell = forget * cell + enter * candidate
        now = leave * ops.tanh(cell)
        if passed is not None:
            now = now + passed * hidden
        return (now, cell), (sigmoids, candidate)

    def factors(self, before, after, kept, passed):
        sigmoids, candidate = kept
        enter, forget, leave = ops.split(sigmoids, 3, axis=-1)
        seen = ops.tanh(after[1])
        of_gates = ops.concatenate(
            [
                candidate * enter * (1 - enter),
                before[1] * forget * (1 - forget),
                seen * leave * (1 - leave),
                enter * (1 - candidate**2),
            ],
            axis=-1,
        )
        return of_gates, leave * (1 - seen**2), forget

    def back(self, d_state, factors, passed):
        (d_hidden, d_cell), (of_gates, of_cell, forget) = d_state, factors
        d_cell = d_cell + d_hidden * of_cell
        d_sums = ops.concatenate([d_cell, d_cell, d_hidden, d_cell], axis=-1) * of_gates
        d_before = self.product_back(d_sums)
        if passed is not None:
            d_before = d_before + passed * d_hidden
        return (d_before, d_cell * forget), d_sums

    def gradients(self, before, kept, d_sums):
        return d_sums, (self.kernel_gradient(before[0], d_sums),)


class GRUSteps(_Steps):
    """Reset gate after the product. Gates are in the order update, reset, candidate.

    The second weight is the candidate's recurrent bias `(units,)`.
    """

    def __init__(self, weights, state_dropout):
        super().__init__(weights[:1], state_dropout)
        self.bias = ops.cast(weights[1], "float32")

    def shut(self):
        return self.row(_SHUT, 0.0, 0.0)

    def forward(self, state, x, passed):
        (hidden,) = state
        product, gates = self.product(hidden), 2 * self.units
        sigmoids = ops.sigmoid(x[:, :gates] + product[:, :gates])
        update, reset = ops.split(sigmoids, 2, axis=-1)
        recurrent = product[:, gates:] + self.bias
        candidate = ops.tanh(x[:, gates:] + reset * recurrent)
        now = update * hidden + (1 - update) * candidate
        return (now,), (update, reset, candidate, recurrent)

    def factors(self, before, after, kept, passed):
        update, reset, candidate, recurrent = kept
        of_candidate = (1 - update) * (1 - candidate**2)
        of_gates = ops.concatenate(
            [
                (before[0] - candidate) * update * (1 - update),
                of_candidate * recurrent * reset * (1 - reset),
                of_candidate * reset,
            ],
            axis=-1,
        )
        return of_gates, update

    def back(self, d_state, factors, passed):
        (d_hidden,), (of_gates, update) = d_state, factors
        d_sums = ops.concatenate([d_hidden] * 3, axis=-1) * of_gates
        return (self.product_back(d_sums) + d_hidden * update,), (d_sums, d_hidden)

    def gradients(self, before, kept, d_steps):
        update, _, candidate, _ = kept
        d_sums, d_hidden = d_steps
        d_gates, d_recurrent = ops.split(d_sums, [2 * self.units], axis=-1)
        d_candidate = d_hidden * (1 - update) * (1 - candidate**2)
        d_projected = ops.concatenate([d_gates, d_candidate], axis=-1)
        d_bias = ops.sum(d_recurrent, axis=(0, 1))
        return d_projected, (self.kernel_gradient(before[0], d_sums), d_bias)


class ResetBeforeGRUSteps(_Steps):
    """Reset gate before the product. Gates are in the order update, reset, candidate.

    The kernels are that of both gates `(units, 2 * units)` and that of the candidate.
    """

    def shut(self):
        return self.row(_SHUT, 0.0, 0.0)

    def forward(self, state, x, passed):
        (hidden,), gates = state, 2 * self.units
        sigmoids = ops.sigmoid(x[:, :gates] + self.product(hidden))
        update, reset = ops.split(sigmoids, 2, axis=-1)
        candidate = ops.tanh(x[:, gates:] + self.product(reset * hidden, at=1))
        now = update * hidden + (1 - update) * candidate
        return (now,), (update, reset, candidate)

    def factors(self, before, after, kept, passed):
        update, reset, candidate = kept
        return (
            (before[0] - candidate) * update * (1 - update),
            before[0] * reset * (1 - reset),
            (1 - update) * (1 - candidate**2),
            update,
            reset,
        )

    def back(self, d_state, factors, passed):
        (d_hidden,) = d_state
        of_update, of_reset, of_candidate, update, reset = factors
        d_candidate = d_hidden * of_candidate
        d_product = self.product_back(d_candidate, at=1)  # of reset * hidden
        d_gates = ops.concatenate([d_hidden * of_update, d_product * of_reset], axis=-1)
        d_before = d_hidden * update + d_product * reset + self.product_back(d_gates)
        return (d_before,), (d_gates, d_candidate)

    def gradients(self, before, kept, d_steps):
        d_gates, d_candidate = d_steps
        reset = kept[1]
        d_kernels = (
            self.kernel_gradient(before[0], d_gates),
            self.kernel_gradient(reset * before[0], d_candidate, at=1),
        )
        return ops.concatenate([d_gates, d_candidate], axis=-1), d_kernels


def _product(left, kernel):
    """In the kernel's dtype, which a float32 result leaves at once."""
    return ops.cast(ops.matmul(ops.cast(left, kernel.dtype), kernel), "float32")
