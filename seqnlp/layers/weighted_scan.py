"""A scan of a step with weights, whose gradients are a product each after the loop."""

import keras
from keras import ops, tree

from seqnlp.gradients import vjp
from seqnlp.scan import scan


def weighted_scan(step, weights, initial, inputs, constants):
    """`seqnlp.scan.scan` for steps that multiply what they carry by large weights.

        state = initial
        for each x of inputs: state, y = step(product, state, x, constants)
        where product(name, left) = left @ weights[name], float32

    Automatic differentiation would add the gradient of each weight to a sum in memory at every
    step; here it is one product of all steps, after the loop. What else a step computes is
    computed again on the way back, from the state before it, and so takes no memory.

    Args:
        step: Takes `(product, state, x, constants)` and returns `(state, y)`, and calls `product`
            once with each name. It may use no variables, random numbers or outer tensors that
            have gradients: those come as `constants`.
        weights: Dict of float tensors `(from, to)`; products are computed in their dtype.
        initial: Nested structure of float32 tensors.
        inputs: Nested structure of tensors `(time, ...)`, float or bool.
        constants: Nested structure of tensors, the same at each step, float or bool.

    Returns:
        `(state, ys)`, as `scan`; gradients reach all four.
    """
    # A bool tensor has no gradient, and what is to have one takes floats alone.
    is_bool = tree.map_structure(_is_bool, (inputs, constants))
    inputs, constants = tree.map_structure(_without_bools, (inputs, constants))
    structure = (weights, initial, inputs, constants)

    def typed_step(product, state, x, constants):
        x, constants = tree.map_structure(_with_bools, (x, constants), is_bool)
        return step(product, state, x, constants)

    @ops.custom_gradient
    def run(*leaves):
        weights, initial, inputs, constants = tree.pack_sequence_as(structure, leaves)

        def forward(state, x):
            found = {}

            def product(name, left):
                found[name] = _product(left, weights[name])
                return found[name]

            after, y = typed_step(product, state, x, constants)
            return after, (y, state, found)

        final, (ys, states, products) = scan(forward, initial, inputs)

        def gradient(*upstream):
            d_final, d_ys = tree.pack_sequence_as((final, ys), tree.flatten(upstream))
            back = _way_back(typed_step, weights, constants)
            carried = d_final, tree.map_structure(ops.zeros_like, constants)
            kept = d_ys, states, inputs, products
            (d_initial, d_constants), found = scan(back, carried, kept, reverse=True)
            d_inputs, lefts, d_products = found
            d_weights = {
                name: _outer(lefts[name], d_products[name], weight)
                for name, weight in weights.items()
            }
            return tree.flatten((d_weights, d_initial, d_inputs, d_constants))

        return (final, ys), gradient

    return run(*tree.flatten(structure))


def _way_back(step, weights, constants):
    """The step of the loop that carries the gradients of the state and of the constants."""

    def back(carried, kept):
        (d_after, d_constants), (d_y, state, x, products) = carried, kept

        def again(state, x, constants, added):
            lefts = {}

            def product(name, left):
                lefts[name] = ops.cast(left, "float32")
                return _known_product(lefts[name], products[name], added[name], weights[name])

            after, y = step(product, state, x, constants)
            return after, y, lefts

        added = tree.map_structure(ops.zeros_like, products)
        (_, _, lefts), pullback = vjp(again, state, x, constants, added)
        nothing = tree.map_structure(ops.zeros_like, lefts)
        d_state, d_x, d_step, d_products = pullback((d_after, d_y, nothing))
        d_constants = tree.map_structure(ops.add, d_constants, d_step)
        return (d_state, d_constants), (d_x, lefts, d_products)

    return back


@ops.custom_gradient
def _known_product(left, product, added, weight):
    """`product`, which is `left @ weight`; the weight's gradient is that of `added`, later."""

    def gradient(d_product):
        d_left = _product(d_product, ops.transpose(weight))
        return d_left, ops.zeros_like(product), d_product, ops.zeros_like(weight)

    return product + added, gradient


def _product(left, weight):
    """In the weight's dtype, which a float32 result leaves at once."""
    return ops.cast(ops.matmul(ops.cast(left, weight.dtype), weight), "float32")


def _outer(lefts, d_products, weight):
    """The sum over time and batch of outer products."""
    lefts, d_products = (
        ops.cast(ops.reshape(x, (-1, x.shape[-1])), weight.dtype) for x in (lefts, d_products)
    )
    return ops.matmul(ops.transpose(lefts), d_products)


def _is_bool(tensor):
    return keras.backend.standardize_dtype(tensor.dtype) == "bool"


def _without_bools(tensor):
    return ops.cast(tensor, "float32") if _is_bool(tensor) else tensor


def _with_bools(tensor, is_bool):
    return ops.cast(tensor, "bool") if is_bool else tensor
