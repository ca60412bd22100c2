"""The scan with weights against `scan` and automatic differentiation."""

import keras
import numpy as np
import pytest
from keras import ops, tree

from seqnlp import gradients
from seqnlp.layers.weighted_scan import weighted_scan
from seqnlp.scan import scan

TIME, BATCH, UNITS = 5, 3, 4
RANDOM = np.random.default_rng(0)


def normal(*shape):
    return RANDOM.normal(size=shape).astype("float32")


ARGUMENTS = (
    {"state": normal(UNITS, UNITS), "again": normal(UNITS, UNITS)},
    [normal(BATCH, UNITS)],
    {"x": normal(TIME, BATCH, UNITS), "real": RANDOM.random((TIME, BATCH, 1)) < 0.7},
    {"memory": normal(BATCH, 6, UNITS), "mask": RANDOM.random((BATCH, 6)) < 0.8},
)


def step(product, state, x, constants):
    """Attends to the memory with the state, and passes the state on at padding."""
    (hidden,) = state
    scores = ops.sum(constants["memory"] * hidden[:, None], axis=-1)
    weights = ops.softmax(ops.where(constants["mask"], scores, -1e9))
    context = ops.sum(weights[..., None] * constants["memory"], axis=1)
    now = ops.tanh(x["x"] + product("state", hidden) + product("again", ops.sin(context)))
    return [ops.where(x["real"], now, hidden)], {"now": now, "weights": weights}


def plain_scan(step, weights, initial, inputs, constants):
    def plain_step(state, x):
        return step(lambda name, left: left @ weights[name], state, x, constants)

    return scan(plain_step, initial, inputs)


FACTORS = normal(TIME, BATCH, UNITS)


def total(arguments, bools, run=weighted_scan):
    """A scalar of all results; `arguments` without the bool ones, which have no gradient."""
    weights, initial, inputs, constants = arguments
    inputs = {**inputs, "real": bools[0]}
    constants = {**constants, "mask": bools[1]}
    final, ys = run(step, weights, initial, inputs, constants)
    return ops.sum(final[0] ** 2) + ops.sum(FACTORS * ys["now"]) + ops.sum(ys["weights"] ** 3)


def floats_and_bools():
    weights, initial, inputs, constants = ARGUMENTS
    floats = weights, initial, {"x": inputs["x"]}, {"memory": constants["memory"]}
    floats = tree.map_structure(ops.convert_to_tensor, floats)
    return floats, [ops.convert_to_tensor(x) for x in (inputs["real"], constants["mask"])]


@pytest.mark.parametrize("wrap", [lambda function: function, gradients.compiled])
def test_values_and_gradients_are_those_of_a_plain_scan(wrap):
    floats, bools = floats_and_bools()
    expected = gradients.value_and_gradient(lambda x: total(x, bools, plain_scan))(floats)
    actual = wrap(gradients.value_and_gradient(total))(floats, bools)
    for a, b in zip(tree.flatten(actual), tree.flatten(expected), strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-4, atol=1e-5
        )


def test_products_are_computed_in_the_dtype_of_their_weight():
    floats, bools = floats_and_bools()
    weights = tree.map_structure(lambda weight: ops.cast(weight, "bfloat16"), floats[0])
    value, slopes = gradients.value_and_gradient(total)((weights, *floats[1:]), bools)
    exact = ops.convert_to_numpy(total(floats, bools))
    assert ops.convert_to_numpy(value) == pytest.approx(exact, rel=0.05)
    assert ops.convert_to_numpy(value) != exact
    dtypes = {keras.backend.standardize_dtype(slope.dtype) for slope in slopes[0].values()}
    assert dtypes == {"bfloat16"}
