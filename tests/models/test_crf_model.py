"""Users' own graphs that end in a CRF: `fit`, weights, masks and `.keras` files."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import CRF, TokenSoftmax, crf_log_likelihood
from seqnlp.metrics import TokenAccuracy
from seqnlp.models import CRFModel

VOCABULARY, NUM_TAGS = 12, 3
RANDOM = np.random.default_rng(0)
LENGTHS = RANDOM.integers(1, 7, size=16)
WORDS = RANDOM.integers(1, VOCABULARY, size=(16, 6)) * (np.arange(6) < LENGTHS[:, None])
TAGS = WORDS % NUM_TAGS  # what a single word tells, so a tiny model can learn it
MASK = WORDS != 0


def make(optimizer=None, regularizer=None, head=CRF):
    keras.utils.set_random_seed(0)
    words = keras.Input((None,), dtype="int32")
    embedding = keras.layers.Embedding(
        VOCABULARY, 8, mask_zero=True, embeddings_regularizer=regularizer
    )
    potentials = keras.layers.Dense(NUM_TAGS)(embedding(words))
    model = CRFModel(words, head(NUM_TAGS)(potentials))
    model.compile(
        optimizer or keras.optimizers.Adam(0.1),
        weighted_metrics=[TokenAccuracy()],
        jit_compile=True,
    )
    return model


def negative_log_likelihoods(model):
    outputs = model.predict(WORDS, verbose=0)
    scores = model.head_layer().scores()
    likelihood = gradients.compiled(crf_log_likelihood)
    return -ops.convert_to_numpy(likelihood(outputs["potentials"], TAGS, outputs["mask"], *scores))


@pytest.fixture(scope="module")
def fitted():
    model = make()
    history = model.fit(WORDS, TAGS, batch_size=16, epochs=40, verbose=0)
    return model, history.history


def test_fit_learns_tags_that_words_tell(fitted):
    model, history = fitted
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    assert model.evaluate(WORDS, TAGS, verbose=0, return_dict=True)["token_accuracy"] == 1
    np.testing.assert_array_equal(model.predict(WORDS, verbose=0)["tags"], TAGS * MASK)


def test_predict_gives_the_mask_of_the_embedding(fitted):
    np.testing.assert_array_equal(fitted[0].predict(WORDS, verbose=0)["mask"], MASK)


def test_loss_is_nats_a_token(fitted):
    losses = negative_log_likelihoods(fitted[0])
    actual = fitted[0].evaluate(WORDS, TAGS, batch_size=16, verbose=0, return_dict=True)["loss"]
    assert actual == pytest.approx(losses.sum() / LENGTHS.sum(), rel=1e-4)


def test_sample_weights_weigh_loss_and_metric():
    model = make()
    weight = np.where(np.arange(16) < 5, 2.0, 0.0)
    weight[5] = 1.0
    losses = negative_log_likelihoods(model)
    right = ((model.predict(WORDS, verbose=0)["tags"] == TAGS) & MASK).sum(axis=1)
    actual = model.evaluate(
        WORDS, TAGS, batch_size=16, sample_weight=weight, verbose=0, return_dict=True
    )
    tokens = (weight * LENGTHS).sum()
    assert actual["loss"] == pytest.approx((weight * losses).sum() / tokens, rel=1e-4)
    assert actual["token_accuracy"] == pytest.approx((weight * right).sum() / tokens)


def test_rows_of_weight_zero_do_not_train():
    sgd = keras.optimizers.SGD
    one, two = make(sgd(0.5)), make(sgd(0.5))
    weight = (np.arange(16) < 8).astype("float32")
    spoilt = np.where(weight[:, None] > 0, TAGS, NUM_TAGS - 1)
    one.fit(WORDS, TAGS, 16, epochs=2, sample_weight=weight, shuffle=False, verbose=0)
    two.fit(WORDS, spoilt, 16, epochs=2, sample_weight=weight, shuffle=False, verbose=0)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_regularizers_add_to_the_loss():
    plain = make().evaluate(WORDS, TAGS, 16, verbose=0)[0]
    model = make(regularizer="l2")
    penalty = 0.01 * (model.get_weights()[0] ** 2).sum()
    assert model.evaluate(WORDS, TAGS, 16, verbose=0)[0] == pytest.approx(plain + penalty)


def test_a_saved_model_predicts_the_same_and_goes_on_training(fitted, tmp_path):
    model, history = fitted
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, CRFModel)
    expected = model.predict(WORDS, verbose=0)
    for name, values in loaded.predict(WORDS, verbose=0).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-6)
    again = loaded.fit(WORDS, TAGS, batch_size=16, epochs=2, verbose=0).history
    assert again["loss"][-1] < history["loss"][-1] * 1.05 + 1e-5  # float32 rounds a loss of 0
    assert loaded.optimizer.iterations == 42


def test_another_head_takes_the_place_of_the_crf():
    model = make(head=TokenSoftmax)
    outputs = model.predict(WORDS, verbose=0)
    logits = outputs["potentials"].astype("float64")
    losses = np.log(np.exp(logits).sum(axis=-1))
    losses -= np.take_along_axis(logits, TAGS[..., None], axis=-1)[..., 0]
    actual = model.evaluate(WORDS, TAGS, batch_size=16, verbose=0, return_dict=True)
    assert actual["loss"] == pytest.approx(losses[MASK].mean(), rel=1e-5)
    np.testing.assert_array_equal(outputs["tags"], logits.argmax(axis=-1) * MASK)


def test_refuses_to_train_without_a_head():
    words = keras.Input((None,), dtype="int32")
    model = CRFModel(words, keras.layers.Embedding(VOCABULARY, NUM_TAGS)(words))
    message = "`layers` must hold what ends a tagging .* layers=.'InputLayer', 'Embedding'."
    with pytest.raises(ValueError, match=message):
        model.head_layer()


def partial_labels(known):
    """Bool labels: the right tag where it is known, every tag elsewhere."""
    return (np.arange(NUM_TAGS) == TAGS[..., None]) | ~known[..., None]


def evaluate(model, labels):
    return model.evaluate(WORDS, labels, batch_size=16, verbose=0, return_dict=True)


@pytest.mark.parametrize("head", [CRF, TokenSoftmax])
def test_partial_labels_that_leave_one_tag_are_plain_ones(head):
    model = make(head=head)
    expected = evaluate(model, TAGS)
    actual = evaluate(model, partial_labels(np.ones_like(MASK)))
    assert actual["loss"] == pytest.approx(expected["loss"], rel=1e-4)
    assert actual["token_accuracy"] == pytest.approx(expected["token_accuracy"])


@pytest.mark.parametrize("head", [CRF, TokenSoftmax])
def test_fit_learns_from_partial_labels(head):
    known = np.random.default_rng(1).random(size=MASK.shape) < 0.5
    model = make(head=head)
    before = evaluate(model, partial_labels(known))
    right = (model.predict(WORDS, verbose=0)["tags"] == TAGS) & MASK & known
    assert before["token_accuracy"] == pytest.approx(right.sum() / (MASK & known).sum())
    model.fit(WORDS, partial_labels(known), batch_size=16, epochs=60, verbose=0)
    assert evaluate(model, partial_labels(known))["loss"] < 0.1 * before["loss"]
    # Words tell their tags, so what was learned holds where the labels said nothing.
    assert evaluate(model, TAGS)["token_accuracy"] == 1
