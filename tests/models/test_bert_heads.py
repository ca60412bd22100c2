"""Models on a BERT that tell a class or a number of a text."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.models import BERTClassifier, BERTEncoder, BERTRegressor

IDS = np.array([[2, 5, 6, 3], [2, 7, 3, 0]], dtype="int32")
INPUTS = {"token_ids": IDS, "segment_ids": np.zeros_like(IDS)}


def encoder():
    sizes = {"units": 4, "num_layers": 1, "num_heads": 2, "feed_forward_units": 3}
    return BERTEncoder(9, **sizes, max_length=8)


def test_logits_are_those_of_the_pooled_vector():
    model = BERTClassifier(encoder(), 3)
    logits = ops.convert_to_numpy(model(INPUTS))
    pooled = ops.convert_to_numpy(model.encoder(INPUTS)["pooled"])
    kernel, bias = map(ops.convert_to_numpy, model.dense.weights)
    np.testing.assert_allclose(logits, pooled @ kernel + bias, rtol=1e-5)


def test_a_number_is_one_of_the_pooled_vector():
    model = BERTRegressor(encoder())
    values = ops.convert_to_numpy(model(INPUTS))
    pooled = ops.convert_to_numpy(model.encoder(INPUTS)["pooled"])
    kernel, bias = map(ops.convert_to_numpy, model.dense.weights)
    np.testing.assert_allclose(values, pooled @ kernel[:, 0] + bias, rtol=1e-5)


def test_dropout_acts_in_training_alone():
    keras.utils.set_random_seed(0)
    model = BERTRegressor(encoder(), dropout=0.5)
    quiet, again, loud = (
        ops.convert_to_numpy(model(INPUTS, training=training)) for training in (False, False, True)
    )
    np.testing.assert_array_equal(quiet, again)
    assert not np.allclose(quiet, loud)


@pytest.mark.parametrize("make", [lambda x: BERTClassifier(x, 2), BERTRegressor])
def test_what_is_no_encoder_is_refused(make):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        make("bert")
    assert str(error.value) == (
        "`encoder` must be a seqnlp.models.BERTEncoder. Received: encoder='bert'"
    )


def test_one_class_is_refused():
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        BERTClassifier(encoder(), 1)
    assert str(error.value) == "`num_classes` must be at least 2. Received: num_classes=1"
