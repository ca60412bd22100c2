import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.optimizers import InverseSquareRoot, average_weights


def rate(schedule, step):
    return float(ops.convert_to_numpy(schedule(step)))


def test_the_rate_is_that_of_the_paper():
    units, warmup = 512, 4000
    schedule = InverseSquareRoot(units**-0.5 * warmup**-0.5, warmup)
    for step in (1, 100, 3999, 4000, 4001, 100_000):
        expected = units**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert rate(schedule, step - 1) == pytest.approx(expected, rel=1e-5)


def test_the_rate_survives_a_config():
    schedule = InverseSquareRoot(0.5, 10)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert [rate(again, step) for step in (0, 9, 39)] == pytest.approx([0.05, 0.5, 0.25])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 5), "`peak` must be above 0. Received: peak=0.0"),
        ((0.1, 0), "`warmup_steps` must be at least 1. Received: warmup_steps=0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        InverseSquareRoot(*arguments)


def test_the_average_is_that_of_each_weight_and_integers_are_the_last():
    first = [np.array([1.0, 2.0], "float32"), np.array([1], "uint32")]
    second = [np.array([3.0, 6.0], "float32"), np.array([7], "uint32")]
    floats, integers = average_weights([first, second])
    np.testing.assert_array_equal(floats, np.array([2.0, 4.0], "float32"))
    np.testing.assert_array_equal(integers, [7])
    assert floats.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_average_of_weights_of_half_precision_keeps_their_dtype(dtype):
    checkpoints = [[ops.convert_to_numpy(ops.full((2,), x, dtype))] for x in (1.0, 2.0, 6.0)]
    (mean,) = average_weights(checkpoints)
    assert keras.backend.standardize_dtype(mean.dtype) == dtype
    np.testing.assert_array_equal(mean.astype("float32"), [3.0, 3.0])


def test_of_bools_the_average_has_the_last():
    (last,) = average_weights([[np.array([True])], [np.array([False])]])
    np.testing.assert_array_equal(last, [False])


@pytest.mark.parametrize(
    ("checkpoints", "message"),
    [
        ([], r"`checkpoints` must hold at least one. Received: checkpoints=\[\]"),
        (
            [[np.zeros(2)], [np.zeros(3)]],
            "`checkpoints` must be of one model, with weights of the same shapes.",
        ),
    ],
)
def test_no_checkpoints_and_those_of_two_models_are_refused(checkpoints, message):
    with pytest.raises(ValueError, match=message):
        average_weights(checkpoints)
