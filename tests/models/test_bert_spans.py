"""BERT that finds answers in a text."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp.models import BERTEncoder, BERTSpanExtractor, span_losses
from tests.messages import exactly

SIZES = {"units": 16, "num_layers": 2, "num_heads": 2, "feed_forward_units": 32}
TOKEN_IDS = np.array([[2, 7, 3, 8, 9, 3, 0], [2, 7, 3, 3, 0, 0, 0], [0] * 7], "int32")
SEGMENT_IDS = np.array([[0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 0, 0, 0], [0] * 7], "int32")
INPUTS = {"token_ids": TOKEN_IDS, "segment_ids": SEGMENT_IDS}


def model(**settings):
    keras.utils.set_random_seed(0)
    encoder = BERTEncoder(12, **SIZES, max_length=9, dropout=0.0, attention_dropout=0.0)
    return BERTSpanExtractor(encoder, **settings)


def test_the_text_and_the_first_token_alone_can_be_chosen():
    outputs = model()(INPUTS)
    for name in ("start", "end"):
        logits = ops.convert_to_numpy(outputs[name])
        allowed = [[1, 0, 0, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0, 0], [0] * 7]
        assert (logits > -1e20).astype(int).tolist() == allowed


def test_the_loss_is_the_mean_of_both_cross_entropies():
    extractor = model()
    weights = {"loss": span_losses(), "loss_weights": {"start": 0.5, "end": 0.5}}
    extractor.compile("sgd", **weights)
    labels = {"start": np.array([3, 0, 0]), "end": np.array([4, 0, 0])}
    real = np.array([1.0, 1.0, 0.0], "float32")
    loss = extractor.evaluate(
        INPUTS, labels, sample_weight={"start": real, "end": real}, verbose=0, return_dict=True
    )["loss"]
    outputs = {name: ops.convert_to_numpy(x) for name, x in extractor(INPUTS).items()}
    each = [
        np.log(np.exp(outputs[name][row]).sum()) - outputs[name][row, labels[name][row]]
        for name in ("start", "end")
        for row in (0, 1)
    ]
    np.testing.assert_allclose(loss, np.mean(each), rtol=1e-5)


def test_it_learns_where_what_is_asked_for_stands():
    """The answer goes from the token that is asked for to the one behind it."""
    random = np.random.default_rng(0)
    texts = np.stack([random.permutation(np.arange(4, 10)) for _ in range(400)])
    places = random.integers(-1, 5, size=400)
    asked = np.where(places < 0, 10, texts[np.arange(400), places])
    special = np.full((400, 1), 2)
    token_ids = np.concatenate([special, asked[:, None], special + 1, texts, special + 1], axis=1)
    encoder = BERTEncoder(11, **SIZES, max_length=10, dropout=0.0, attention_dropout=0.0)
    extractor = BERTSpanExtractor(encoder, dropout=0.0)
    inputs = {
        "token_ids": token_ids.astype("int32"),
        "segment_ids": np.tile(np.arange(10) > 2, (400, 1)).astype("int32"),
    }
    labels = {
        "start": np.where(places < 0, 0, places + 3),
        "end": np.where(places < 0, 0, places + 4),
    }
    accuracy = {name: ["accuracy"] for name in labels}
    extractor.compile(keras.optimizers.Adam(0.005), span_losses(), metrics=accuracy)
    extractor.fit(inputs, labels, epochs=100, batch_size=50, verbose=0)
    found = extractor.evaluate(inputs, labels, return_dict=True, verbose=0)
    assert found["start_accuracy"] > 0.95
    assert found["end_accuracy"] > 0.95


def test_the_pooler_is_left_as_it_is():
    extractor = model()
    extractor(INPUTS)
    pooler = {id(weight) for weight in extractor.encoder.pooler.weights}
    assert pooler
    assert not pooler & {id(weight) for weight in extractor.trainable_weights}


def test_only_encoders_find_answers():
    message = "`encoder` must be a seqnlp.models.BERTEncoder. Received: encoder=None"
    with pytest.raises(ValueError, match=exactly(message)):
        BERTSpanExtractor(None)
