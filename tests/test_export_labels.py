"""Exports of a model that labels sentences: the label in every signature, against the model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqnlp import export
from seqnlp.layers import CRF, MaxPooling, SentenceSoftmax
from seqnlp.models import Tagger
from seqnlp.text import TaggingText, Vocabulary

LABELS = ["ask", "book", "예매"]
TEXTS = ["fly to Seoul at noon", "", "서울 noon", "noon " * 20, "fly"]


@pytest.fixture(scope="module")
def made():
    """A joint model without training, whose scores are spread, and its text."""
    keras.utils.set_random_seed(3)
    words = Vocabulary(["fly", "to", "seoul", "at", "noon"])
    text = TaggingText(words, None, ["O", "B-city", "I-city"], max_length=12, labels=LABELS)
    heads = {"head": CRF(3), "label_head": SentenceSoftmax(3, MaxPooling())}
    model = Tagger(len(words), **heads, word_units=6, units=6)
    model.build({"word_ids": (None, None)})
    random = np.random.default_rng(4)
    model.set_weights([random.normal(size=w.shape, scale=1.5) for w in model.weights])
    return model, text


@pytest.fixture(scope="module")
def signatures(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled") / "1"
    export.saved_model(*made, folder, export.tagging_signatures(*made, "bio"))
    return tf.saved_model.load(str(folder)).signatures


def expected(made, texts):
    """Label and probabilities of each text, asked of the model alone."""
    model, text = made
    for string in texts:
        tokens, _ = text.truncate(text.tokenizer.tokenize_with_offsets(tf.constant([string]))[0])
        logits = model(text.inputs(tokens))["label_logits"].numpy()[0].astype("float64")
        scores = np.exp(logits) / np.exp(logits).sum()
        yield LABELS[scores.argmax()], scores


@pytest.mark.parametrize("name", ["serving_default", "marginals", "spans", "k_best"])
def test_every_signature_on_strings_gives_the_label(made, signatures, name):
    answer = signatures[name](text=tf.constant(TEXTS))
    labels, scores = zip(*expected(made, TEXTS), strict=True)
    assert [label.decode() for label in answer["label"].numpy()] == list(labels)
    np.testing.assert_allclose(answer["label_scores"], scores, atol=1e-5)
    assert [[x.decode() for x in row] for row in answer["label_names"].numpy()] == [LABELS] * 5
    assert len(set(labels)) > 1


def test_pretokenized_gives_the_label_too(made, signatures):
    tokens = tf.constant([["fly", "to", "Seoul"], ["noon", "", ""]])
    answer = signatures["pretokenized"](tokens=tokens, lengths=tf.constant([3, 1]))
    _, scores = zip(*expected(made, ["fly to Seoul", "noon"]), strict=True)
    np.testing.assert_allclose(answer["label_scores"], scores, atol=1e-5)


@pytest.mark.parametrize("name", ["serving_default", "marginals", "spans", "k_best"])
def test_no_texts_have_no_labels(signatures, name):
    answer = signatures[name](text=tf.constant([], tf.string))
    shapes = {key: tuple(answer[key].shape) for key in ("label", "label_scores", "label_names")}
    assert shapes == {"label": (0,), "label_scores": (0, 3), "label_names": (0, 3)}


def test_refuses_a_text_without_the_labels_of_the_model(made):
    model, text = made
    config = {**text.get_config(), "labels": ["ask", "book"]}
    message = r"`text` must have 3 labels, as the model does. Received: text.labels=\['ask'"
    with pytest.raises(ValueError, match=message):
        export.tagging_signatures(model, TaggingText.from_config(config))
