import numpy as np
import pytest
from keras import ops

from seqnlp import gradients

POINT = np.array([1.0, -2.0, 3.0], dtype="float32")


def cubes(x, scale=1.0):
    return scale * ops.sum(x * x * x)


@pytest.mark.parametrize("wrap", [lambda function: function, gradients.compiled])
def test_gradient_of_cubes_is_three_squares(wrap):
    actual = wrap(gradients.gradient(cubes))(POINT)
    np.testing.assert_allclose(ops.convert_to_numpy(actual), 3 * POINT**2, rtol=1e-6)


def test_gradient_is_of_the_first_argument_alone():
    actual = gradients.gradient(cubes)(POINT, np.float32(2.0))
    np.testing.assert_allclose(ops.convert_to_numpy(actual), 6 * POINT**2, rtol=1e-6)


def test_compiled_gives_what_the_function_gives():
    actual = gradients.compiled(cubes)(POINT)
    assert ops.convert_to_numpy(actual) == pytest.approx(1 - 8 + 27)


def test_gradient_of_a_structure_has_its_structure():
    both = {"x": POINT, "scale": np.float32(2.0)}
    value, slopes = gradients.value_and_gradient(lambda both: cubes(**both))(both)
    assert ops.convert_to_numpy(value) == pytest.approx(2 * (1 - 8 + 27))
    np.testing.assert_allclose(ops.convert_to_numpy(slopes["x"]), 6 * POINT**2, rtol=1e-6)
    assert ops.convert_to_numpy(slopes["scale"]) == pytest.approx(1 - 8 + 27)


def test_vjp_takes_gradients_back_to_every_argument():
    points = {"a": ops.convert_to_tensor(POINT), "b": ops.convert_to_tensor(2 * POINT)}

    def function(points, unused):
        return {"product": points["a"] * points["b"], "square": points["a"] ** 2}

    results, pullback = gradients.vjp(function, points, ops.convert_to_tensor(POINT))
    np.testing.assert_allclose(ops.convert_to_numpy(results["product"]), 2 * POINT**2)
    ones = ops.ones((3,))
    d_points, d_unused = pullback({"product": ones, "square": ones})
    np.testing.assert_allclose(ops.convert_to_numpy(d_points["a"]), 4 * POINT)
    np.testing.assert_allclose(ops.convert_to_numpy(d_points["b"]), POINT)
    np.testing.assert_allclose(ops.convert_to_numpy(d_unused), 0 * POINT)
