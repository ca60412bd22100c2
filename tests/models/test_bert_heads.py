"""What stands on BERT: a classifier and a regressor, worked out from the pooled vector."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.models import BERTClassifier, BERTEncoder, BERTRegressor

SIZES = {"units": 4, "num_layers": 1, "num_heads": 2, "feed_forward_units": 3, "max_length": 8}
INPUTS = {
    "token_ids": np.array([[2, 5, 3, 6, 3], [2, 7, 3, 0, 0]], "int32"),
    "segment_ids": np.array([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]], "int32"),
}
MODELS = {"classifier": lambda *x: BERTClassifier(x[0], 3, *x[1:]), "regressor": BERTRegressor}


@pytest.fixture(params=MODELS)
def make(request):
    """Makes a model with random weights, of the dropout that is given."""

    def with_dropout(dropout=0.0):
        keras.utils.set_random_seed(0)
        encoder = BERTEncoder(9, **SIZES, dropout=0.0, attention_dropout=0.0)
        model = MODELS[request.param](encoder, dropout)
        model.build({name: ids.shape for name, ids in INPUTS.items()})
        random = np.random.default_rng(1)
        for weight in model.trainable_variables:
            weight.assign(random.normal(size=weight.shape))
        return model

    return with_dropout


def answers(model, **settings):
    return ops.convert_to_numpy(model(INPUTS, **settings))


def test_the_answer_is_a_projection_of_the_pooled_vector(make):
    model = make(0.5)
    pooled = ops.convert_to_numpy(model.encoder(INPUTS)["pooled"])
    kernel, bias = (ops.convert_to_numpy(weight) for weight in model.dense.weights)
    expected = pooled @ kernel + bias
    if isinstance(model, BERTRegressor):
        expected = expected[:, 0]
    np.testing.assert_allclose(answers(model), expected, rtol=1e-5, atol=1e-6)


def test_dropout_acts_in_training_alone(make):
    model = make(0.5)
    np.testing.assert_array_equal(answers(model), answers(model, training=False))
    trained = [answers(model, training=True) for _ in range(5)]
    assert any(np.abs(found - answers(model)).max() > 1e-3 for found in trained)


def test_without_dropout_training_answers_alike(make):
    model = make(0.0)
    np.testing.assert_allclose(answers(model, training=True), answers(model), rtol=1e-6)


def test_a_keras_file_keeps_its_dropout_and_its_answers(make, tmp_path):
    model = make(0.25)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.dropout.rate == 0.25
    assert loaded.encoder.config == model.encoder.config
    np.testing.assert_allclose(answers(loaded), answers(model), rtol=1e-6)


def test_positions_of_a_pretraining_batch_are_passed_over(make):
    model = make()
    more = {**INPUTS, "positions": np.zeros((2, 1), "int32")}
    np.testing.assert_array_equal(ops.convert_to_numpy(model(more)), answers(model))


def test_what_is_no_encoder_is_refused():
    dense = keras.layers.Dense(2)
    message = f"`encoder` must be a seqnlp.models.BERTEncoder. Received: encoder={dense!r}"
    for make in MODELS.values():
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            make(dense)


def test_one_class_is_refused():
    message = "`num_classes` must be at least 2. Received: num_classes=1"
    with pytest.raises(ValueError, match=f"^{message}$"):
        BERTClassifier(BERTEncoder(9, **SIZES), 1)
