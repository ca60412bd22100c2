"""The label of a sentence: a mean and a softmax by hand."""

import numpy as np
import pytest
from keras import ops

from seqnlp.layers import LastPooling, SentenceSoftmax

RANDOM = np.random.default_rng(0)
STATES = RANDOM.normal(size=(3, 4, 5)).astype("float32")
MASK = np.array([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]], dtype=bool)
LABELS = np.array([2, 0, 1])


def make(**arguments):
    layer = SentenceSoftmax(3, **arguments)
    layer.build(STATES.shape)
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return layer


def expected_logits(layer, pooled):
    kernel, bias = layer.get_weights()
    return pooled @ kernel + bias


def test_logits_are_those_of_the_mean_of_the_real_tokens():
    layer = make()
    pooled = np.stack([STATES[0].mean(axis=0), STATES[1, [1, 3]].mean(axis=0), np.zeros(5)])
    outputs = layer(STATES, mask=MASK)
    logits = expected_logits(layer, pooled)
    np.testing.assert_allclose(outputs["label_logits"], logits, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(outputs["label"], logits.argmax(axis=-1))


def test_another_pooling_takes_the_place_of_the_mean():
    layer = make(pooling=LastPooling())
    expected = expected_logits(layer, STATES[:2, 3])
    actual = layer(STATES, mask=MASK)["label_logits"][:2]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_a_pooling_may_change_the_width():
    class Twice(LastPooling):
        def call(self, values, mask=None):
            return ops.tile(super().call(values, mask=mask), (1, 2))

        def compute_output_shape(self, values_shape, mask_shape=None):
            return values_shape[0], 2 * values_shape[2]

    layer = make(pooling=Twice())
    expected = expected_logits(layer, np.tile(STATES[:2, 3], (1, 2)))
    actual = layer(STATES, mask=MASK)["label_logits"][:2]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_loss_is_the_negative_log_probability_of_the_label(shape):
    layer = make()
    outputs = layer(STATES, mask=MASK)
    logits = ops.convert_to_numpy(outputs["label_logits"]).astype("float64")
    expected = np.log(np.exp(logits).sum(axis=-1)) - logits[np.arange(3), LABELS]
    actual = layer.negative_log_likelihood(LABELS.reshape(shape), outputs)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_labels": 1}, "`num_labels` must be at least 2. Received: num_labels=1"),
        ({"num_labels": 2, "weight": -1}, "`weight` must be at least 0. Received: weight=-1"),
    ],
)
def test_refuses_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        SentenceSoftmax(**arguments)


def test_names_an_id_that_is_no_label():
    layer = make()
    outputs = layer(STATES, mask=MASK)
    with pytest.raises(
        ValueError, match=r"`labels` must be ids from 0 to 2\. Received: labels\[1\]=3"
    ):
        layer.negative_log_likelihood(np.array([0, 3, 1]), outputs)
