"""Tags and a label of the sentence in one model: loss, metrics, weights, `.keras` files."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.layers import CRF, SentenceSoftmax
from seqnlp.metrics import TokenAccuracy
from seqnlp.models import CRFModel, Tagger

RANDOM = np.random.default_rng(0)
LENGTHS = RANDOM.integers(1, 7, size=16)
MASK = np.arange(6) < LENGTHS[:, None]
WORDS = RANDOM.integers(1, 10, size=(16, 6)) * MASK
Y = {"tags": WORDS % 3, "label": (WORDS == 1).any(axis=1).astype("int32")}
WEIGHT = np.where(np.arange(16) < 5, 2.0, 0.0)
WEIGHT[5] = 1.0


def functional(weight):
    words = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(10, 8, mask_zero=True)(words)
    potentials = keras.layers.Dense(3)(vectors)
    return CRFModel(words, {**CRF(3)(potentials), **SentenceSoftmax(2, weight=weight)(vectors)})


def tagger(weight):
    sizes = {"word_units": 8, "units": 6, "dropout": 0.0}
    model = Tagger(10, CRF(3), **sizes, label_head=SentenceSoftmax(2, weight=weight))
    model.build({"word_ids": WORDS.shape})
    return model


def make(model, weight=0.5):
    keras.utils.set_random_seed(0)
    model = model(weight)
    metrics = {"tags": TokenAccuracy(), "label": keras.metrics.Accuracy()}
    jit = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(0.05), weighted_metrics=metrics, jit_compile=jit)
    return model


def evaluate(model, sample_weight=None):
    inputs = x_of(model)
    return model.evaluate(inputs, Y, 16, 0, sample_weight=sample_weight, return_dict=True)


def x_of(model):
    return {"word_ids": WORDS} if isinstance(model, Tagger) else WORDS


@pytest.fixture(scope="module", params=[functional, tagger])
def fitted(request):
    model = make(request.param)
    history = model.fit(x_of(model), Y, batch_size=16, epochs=60, verbose=0).history
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    return model


def test_learns_both_tasks(fitted):
    outputs = fitted.predict(x_of(fitted), verbose=0)
    np.testing.assert_array_equal(outputs["tags"], Y["tags"] * MASK)
    np.testing.assert_array_equal(outputs["label"], Y["label"])


def test_evaluate_names_the_metrics_of_both(fitted):
    scores = evaluate(fitted)
    assert set(scores) == {"loss", "tags_token_accuracy", "label_accuracy"}
    assert scores["tags_token_accuracy"] == scores["label_accuracy"] == 1


def test_names_the_weights_that_a_dict_lacks(fitted):
    message = (
        "`sample_weight` must be an array or a dict of tags and label. "
        "Received: sample_weight without label"
    )
    outputs = fitted(x_of(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.compute_loss(y=Y, y_pred=outputs, sample_weight={"tags": WEIGHT})


def test_a_saved_model_predicts_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.label_layer().weight == 0.5
    expected = fitted.predict(x_of(fitted), verbose=0)
    for name, values in loaded.predict(x_of(fitted), verbose=0).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("weight", "sample_weight"), [(0.5, None), (2.0, WEIGHT)], ids=["alike", "weighted"]
)
def test_loss_is_that_of_a_token_and_the_weighted_one_of_a_sentence(weight, sample_weight):
    model = make(functional, weight)
    outputs = model.predict(WORDS, verbose=0)
    tags = ops.convert_to_numpy(model.head_layer().negative_log_likelihood(Y["tags"], outputs))
    logits = outputs["label_logits"].astype("float64")
    label = np.log(np.exp(logits).sum(axis=-1)) - logits[np.arange(16), Y["label"]]
    each = np.ones(16) if sample_weight is None else sample_weight
    expected = (each * tags).sum() / (each * LENGTHS).sum()
    expected += weight * (each * label).sum() / each.sum()
    scores = evaluate(model, sample_weight)
    assert scores["loss"] == pytest.approx(expected, rel=1e-4)
    right = outputs["label"] == Y["label"]
    assert scores["label_accuracy"] == pytest.approx((each * right).sum() / each.sum())


def test_without_a_label_head_the_label_is_left_alone():
    words = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(10, 8, mask_zero=True)(words)
    model = CRFModel(words, CRF(3)(keras.layers.Dense(3)(vectors)))
    model.compile(metrics=[TokenAccuracy()])
    expected = model.evaluate(WORDS, Y["tags"], verbose=0)
    assert model.evaluate(WORDS, Y, verbose=0) == pytest.approx(expected)


@pytest.mark.parametrize("y", [Y["tags"], {"tags": Y["tags"]}], ids=["array", "dict"])
def test_labels_without_the_sentences_own_are_refused(y):
    message = "`y` must be a dict of tags and label, .* Received: y without label"
    with pytest.raises(ValueError, match=message):
        make(functional).compute_loss(y=y, y_pred={"mask": MASK})
