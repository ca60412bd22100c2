import re

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.models import BERTClassifier, BERTEncoder
from seqnlp.optimizers import (
    InverseSquareRoot,
    LayerwiseAdamW,
    LinearDecay,
    average_weights,
    layer_scales,
)


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


def test_the_linear_rate_rises_to_its_peak_and_falls_to_nothing():
    schedule = LinearDecay(0.8, warmup_steps=4, steps=12)
    rising = [0.2, 0.4, 0.6, 0.8]
    falling = [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    found = [rate(schedule, step) for step in range(13)]
    assert found == pytest.approx([*rising, *falling, 0.0], abs=1e-6)


def test_the_linear_rate_is_never_below_0():
    assert rate(LinearDecay(0.8, 4, 12), 100) == 0


def test_without_warm_up_the_linear_rate_begins_at_its_peak():
    found = [rate(LinearDecay(0.4, 0, 4), step) for step in range(5)]
    assert found == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0], abs=1e-6)


def test_the_linear_rate_survives_a_config():
    schedule = LinearDecay(0.4, 1, 5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert again.get_config() == {"peak": 0.4, "warmup_steps": 1, "steps": 5}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 9), "`peak` must be above 0. Received: peak=0"),
        ((0.1, -1, 9), "`warmup_steps` must be at least 0. Received: warmup_steps=-1"),
        ((0.1, 9, 9), "`steps` must be more than the 9 of `warmup_steps`. Received: steps=9"),
    ],
)
def test_what_makes_no_linear_rate_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        LinearDecay(*arguments)


def two_weights():
    return [keras.Variable([1.0, -2.0], name="kernel"), keras.Variable([4.0], name="bias")]


def after(optimizer, number):
    """The values of two weights after so many steps along the same gradients."""
    weights = two_weights()
    optimizer.build(weights)
    for _ in range(number):
        gradients = [ops.convert_to_tensor(x) for x in ([0.5, -3.0], [2.0])]
        optimizer.apply(gradients, weights)
    return [ops.convert_to_numpy(weight) for weight in weights]


def test_with_equal_scales_it_is_adamw():
    settings = {"weight_decay": 0.1, "global_clipnorm": 1.0}
    ours = LayerwiseAdamW(LinearDecay(0.1, 2, 6), [1, 1], **settings)
    keras_own = keras.optimizers.AdamW(LinearDecay(0.1, 2, 6), **settings)
    for one, other in zip(after(ours, 5), after(keras_own, 5), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_first_step_is_as_long_as_its_scale_says():
    """The first step of Adam is the rate along the sign of the gradient."""
    kernel, bias = after(LayerwiseAdamW(0.1, [0.5, 1.0], weight_decay=0.0), 1)
    np.testing.assert_allclose(kernel, [1 - 0.05, -2 + 0.05], rtol=1e-5)
    np.testing.assert_allclose(bias, [4 - 0.1], rtol=1e-5)


def test_a_scale_of_0_leaves_a_weight_as_it_is():
    kernel, bias = after(LayerwiseAdamW(0.1, [0.0, 1.0], weight_decay=0.5), 3)
    np.testing.assert_array_equal(kernel, [1, -2])
    assert bias[0] < 4


def test_the_decay_of_a_weight_goes_with_its_scale():
    """Of a step without a gradient the decay alone remains."""
    weights = two_weights()
    optimizer = LayerwiseAdamW(0.1, [0.5, 1.0], weight_decay=0.2)
    optimizer.build(weights)
    optimizer.apply([ops.zeros(weight.shape) for weight in weights], weights)
    kernel, bias = (ops.convert_to_numpy(weight) for weight in weights)
    np.testing.assert_allclose(kernel, [0.99, -1.98], rtol=1e-6)
    np.testing.assert_allclose(bias, [3.92], rtol=1e-6)


def test_excluded_weights_do_not_decay_whatever_their_scale():
    weights = two_weights()
    optimizer = LayerwiseAdamW(0.1, [0.5, 0.5], weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(weights)
    optimizer.apply([ops.zeros(weight.shape) for weight in weights], weights)
    np.testing.assert_array_equal(ops.convert_to_numpy(weights[1]), [4.0])


def test_scales_for_another_number_of_weights_are_refused():
    message = "`scales` must hold a factor for each of 2 weights. Received: scales of length 3"
    with pytest.raises(ValueError, match=f"^{message}$"):
        LayerwiseAdamW(0.1, [1, 1, 1]).build(two_weights())


def classifier():
    keras.utils.set_random_seed(0)
    sizes = {"units": 4, "num_layers": 2, "num_heads": 2, "feed_forward_units": 3}
    model = BERTClassifier(BERTEncoder(9, **sizes, max_length=4), 2)
    model.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
    return model


def test_the_layers_of_an_encoder_have_scales_that_fall_towards_the_text():
    model = classifier()
    encoder, (lower, upper) = model.encoder, model.encoder.layers_above.layers
    embeddings = [encoder.token_embedding, encoder.segment_embedding, encoder.positions]
    groups = {
        0.125: [*embeddings, encoder.embedding_norm],
        0.25: [lower],
        0.5: [upper],
        1.0: [encoder.pooler, model.dense],
    }
    expected = {
        weight.path: scale
        for scale, layers in groups.items()
        for layer in layers
        for weight in layer.trainable_variables
    }
    paths = [weight.path for weight in model.trainable_variables]
    assert dict(zip(paths, layer_scales(model, 0.5), strict=True)) == expected


@pytest.mark.parametrize("decay", [0, 1.5, -0.1])
def test_a_decay_between_layers_is_above_0_and_at_most_1(decay):
    message = f"`decay` must be above 0 and at most 1. Received: decay={decay}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        layer_scales(classifier(), decay)


def test_a_model_saved_with_its_optimizer_goes_on_as_before(tmp_path):
    model = classifier()
    optimizer = LayerwiseAdamW(LinearDecay(0.1, 1, 9), layer_scales(model, 0.5))
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    inputs = {"token_ids": np.array([[2, 5, 3, 0]]), "segment_ids": np.zeros((1, 4), "int32")}
    model.encoder.embedding_dropout.rate = 0.0
    model.train_on_batch(inputs, np.array([1]))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == optimizer.get_config()
    for ours, theirs in zip(loaded.optimizer.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))
