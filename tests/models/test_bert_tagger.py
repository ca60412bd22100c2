"""The tagger on BERT: which states it reads, parts, labels, what is trained, `.keras` files."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients, tag_schemes
from seqnlp.layers import CRF, SemiMarkovCRF, SentenceSoftmax, TokenSoftmax
from seqnlp.metrics import TokenAccuracy
from seqnlp.models import BERTEncoder, BERTTagger
from seqnlp.optimizers import layer_scales

NAMES = ["O", "B-a", "I-a"]
CLS, SEP = 2, 3
# Words of one to three pieces; a piece of 20 and more goes on with a word.
SENTENCES = [[[5, 21], [6], [7, 22, 23]], [[8]], [[9, 21], [5]], [[6], [6], [5], [7, 20]]]
SIZES = {"units": 16, "num_layers": 2, "num_heads": 2, "feed_forward_units": 32}


def read(sentences, pieces=10, words=4):
    """The inputs of sentences in one part, by plain Python."""
    arrays = {
        "token_ids": np.zeros((len(sentences), pieces), "int32"),
        "segment_ids": np.zeros((len(sentences), pieces), "int32"),
        "word_positions": np.zeros((len(sentences), words), "int32"),
    }
    for row, sentence in enumerate(sentences):
        ids = [CLS]
        for place, word in enumerate(sentence):
            arrays["word_positions"][row, place] = len(ids)
            ids += word
        arrays["token_ids"][row, : len(ids) + 1] = [*ids, SEP]
    return arrays


INPUTS = read(SENTENCES)
MASK = INPUTS["word_positions"] != 0
TAGS = np.array([[1, 2, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 2]], "int32")
LABELS = np.array([0, 1, 1, 0], "int32")


def make(head=None, labels=None, **arguments):
    keras.utils.set_random_seed(0)
    encoder = BERTEncoder(24, **SIZES, max_length=16, dropout=0.0, attention_dropout=0.0)
    head = head or CRF(3, tag_schemes.allowed_transitions(NAMES, "bio"))
    model = BERTTagger(encoder, head, labels, dropout=0.0, **arguments)
    model.build({name: ids.shape for name, ids in INPUTS.items()})
    return model


def potentials(model, inputs):
    return ops.convert_to_numpy(gradients.compiled(model)(inputs)["potentials"])


def by_hand(model, inputs):
    """The scores of every piece of rows without parts, `(batch, pieces, tags)`."""
    ids = {name: inputs[name] for name in ("token_ids", "segment_ids")}
    states = ops.convert_to_numpy(gradients.compiled(model.encoder)(ids)["tokens"])
    kernel, bias = model.potentials.get_weights()
    return states @ kernel + bias


def test_a_word_has_the_scores_of_its_first_piece():
    model = make(TokenSoftmax(3))
    expected = np.take_along_axis(
        by_hand(model, INPUTS), INPUTS["word_positions"][..., None], axis=1
    )
    np.testing.assert_allclose(potentials(model, INPUTS)[MASK], expected[MASK], atol=1e-5)


def test_padding_changes_nothing():
    model = make()
    padded = read([*SENTENCES, []], pieces=14, words=7)
    padded["token_ids"][-1] = 0
    found = potentials(model, padded)
    np.testing.assert_allclose(found[:4, :4][MASK], potentials(model, INPUTS)[MASK], atol=1e-5)
    assert np.isfinite(found).all()


def in_parts(sentences):
    """The inputs of sentences, two words a part."""
    halves = [read([sentence[at : at + 2] for sentence in sentences]) for at in (0, 2)]
    for row, sentence in enumerate(sentences):
        if len(sentence) <= 2:
            halves[1]["token_ids"][row] = 0
    inputs = {
        name: np.stack([half[name] for half in halves], axis=1)
        for name in ("token_ids", "segment_ids")
    }
    first, second = (half["word_positions"][:, :2] for half in halves)
    second = np.where(second != 0, second + halves[0]["token_ids"].shape[1], 0)
    return {**inputs, "word_positions": np.concatenate([first, second], axis=1)}


def test_each_part_is_read_on_its_own():
    model = make(TokenSoftmax(3))
    found = potentials(model, in_parts(SENTENCES))
    for row, sentence in enumerate(SENTENCES):
        for at in range(0, len(sentence), 2):
            part = read([sentence[at : at + 2]])
            expected = potentials(model, part)[0, : len(sentence[at : at + 2])]
            np.testing.assert_allclose(
                found[row, at : at + 2][: len(expected)], expected, atol=1e-5
            )


def test_the_head_reads_all_parts_of_a_sentence_as_one():
    model = make()
    inputs = in_parts(SENTENCES)
    outputs = {k: ops.convert_to_numpy(v) for k, v in gradients.compiled(model)(inputs).items()}
    np.testing.assert_array_equal(outputs["mask"], MASK)
    alone = gradients.compiled(model.head)(outputs["potentials"], outputs["mask"])
    np.testing.assert_array_equal(outputs["tags"], ops.convert_to_numpy(alone["tags"]))


def test_one_part_is_as_none():
    model = make()
    one = {**INPUTS, **{name: INPUTS[name][:, None] for name in ("token_ids", "segment_ids")}}
    np.testing.assert_allclose(potentials(model, one), potentials(model, INPUTS), atol=1e-6)


def test_the_label_of_a_sentence_in_parts_is_read_from_those_that_it_has():
    model = make(labels=SentenceSoftmax(2))
    short = [sentence[:2] for sentence in SENTENCES]
    logits = [
        ops.convert_to_numpy(gradients.compiled(model)(inputs)["label_logits"])
        for inputs in (in_parts(short), read(short))
    ]
    np.testing.assert_allclose(*logits, atol=1e-5)


@pytest.mark.parametrize(
    "head",
    [
        None,
        TokenSoftmax(3),
        SemiMarkovCRF(tag_schemes.segment_tags(NAMES, "bio"), 2),
    ],
    ids=["CRF", "softmax", "semi-Markov"],
)
def test_learns_tags_and_labels_by_heart_with_each_head(head, tmp_path):
    model = make(head, SentenceSoftmax(2))
    metrics = {"tags": [TokenAccuracy()], "label": [keras.metrics.Accuracy()]}
    jit = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(0.01), metrics=metrics, jit_compile=jit)
    labels = {"tags": TAGS, "label": LABELS}
    model.fit(INPUTS, labels, batch_size=4, epochs=60, verbose=0)
    scores = model.evaluate(INPUTS, labels, batch_size=4, verbose=0, return_dict=True)
    assert scores["tags_token_accuracy"] == scores["label_accuracy"] == 1
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras").predict(INPUTS, verbose=0)
    for name, values in model.predict(INPUTS, verbose=0).items():
        np.testing.assert_allclose(loaded[name], values, rtol=1e-5, atol=1e-5)


def test_what_tags_do_not_need_is_not_trained():
    assert len(make().encoder.pooler.trainable_variables) == 0
    assert len(make(labels=SentenceSoftmax(2)).encoder.pooler.trainable_variables) == 2


def test_gradients_reach_pieces_that_do_not_begin_a_word():
    model = make()

    def loss(table):
        variable = model.encoder.token_embedding.embeddings
        with keras.StatelessScope(state_mapping=[(variable, table)]):
            return model.compute_loss(y=TAGS, y_pred=model(INPUTS))

    table = model.encoder.token_embedding.embeddings.value
    found = ops.convert_to_numpy(gradients.compiled(gradients.gradient(loss))(table))
    read_ids = np.unique(INPUTS["token_ids"])[1:]
    assert np.abs(found[read_ids]).sum(axis=1).all()
    assert np.isfinite(found).all()


def test_lower_layers_can_change_less():
    model = make()
    scales = layer_scales(model, 0.5)
    assert len(scales) == len(model.trainable_variables)
    assert set(scales) == {1.0, 0.5, 0.25, 0.125}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoder": 1}, "`encoder` must be a seqnlp.models.BERTEncoder. Received: encoder=1"),
        ({"head": 1}, "`head` must be a tagging head such as CRF(num_tags). Received: head=1"),
        (
            {"label_head": 7},
            "`label_head` must be None or a SentenceSoftmax. Received: label_head=7",
        ),
    ],
)
def test_refuses_layers_that_make_no_tagger(arguments, message):
    encoder = BERTEncoder(24, **SIZES, max_length=10)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BERTTagger(**{"encoder": encoder, "head": CRF(3), **arguments})
