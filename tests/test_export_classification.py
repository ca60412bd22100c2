"""Exported classifiers against the model outside of the graph, edge strings among the texts."""

import numpy as np
import pytest
import tensorflow as tf

from pipelines.classification_serving import Expected
from pipelines.exports import EDGE_STRINGS
from seqnlp import export
from seqnlp.models import BERTClassifier, BERTEncoder, BERTRegressor
from seqnlp.text import BERTText
from serving.op_check import unsupported_ops

LETTERS = [*"abcdefgorstwn", "서", "울"]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{x}" for x in LETTERS)]
LABELS = ["bad", "good", "so so"]
TEXTS = ["a dog", "서울", *EDGE_STRINGS]


class Served:
    """A SavedModel on disk, loaded again, and what it must answer."""

    def __init__(self, folder, labels, pairs):
        self.folder = folder
        self.pairs = pairs
        text = BERTText(TOKENS, max_length=12)
        sizes = {"units": 8, "num_layers": 1, "num_heads": 2, "feed_forward_units": 8}
        encoder = BERTEncoder(len(TOKENS), **sizes, max_length=12)
        model = BERTRegressor(encoder) if labels is None else BERTClassifier(encoder, len(labels))
        model.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
        random = np.random.default_rng(0)
        model.set_weights([random.normal(0, 0.5, w.shape) for w in model.weights])
        model.compile()
        signatures = export.classification_signatures(model, text, labels, pairs)
        export.saved_model(model, text, folder, signatures)
        self.signatures = tf.saved_model.load(str(folder)).signatures
        self.expected = Expected(model, text, labels)

    def ask(self, signature, *columns):
        inputs = dict(zip(("text", "text2"), columns, strict=False))
        inputs = {name: tf.constant(texts, tf.string) for name, texts in inputs.items()}
        return {name: x.numpy() for name, x in self.signatures[signature](**inputs).items()}

    def rows(self, texts):
        return list(zip(texts, texts[::-1], strict=True)) if self.pairs else [(t,) for t in texts]


KINDS = {
    "labels": (LABELS, False),
    "labels of pairs": (LABELS, True),
    "numbers": (None, False),
    "numbers of pairs": (None, True),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    found = {}

    def get(kind):
        if kind not in found:
            folder = tmp_path_factory.mktemp("served") / "1"
            found[kind] = Served(folder, *KINDS[kind])
        return found[kind]

    return get


@pytest.fixture(params=KINDS)
def served(request, made):
    return made(request.param)


def assert_same(actual, expected):
    assert actual.keys() == expected.keys()
    for name, values in expected.items():
        if actual[name].dtype == object:
            found = np.vectorize(bytes.decode, otypes="O")(actual[name])
            assert found.tolist() == values, name
        else:
            np.testing.assert_allclose(actual[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


def test_every_signature_answers_what_the_model_does_outside_of_the_graph(served):
    rows = served.rows(TEXTS)
    for case in served.expected.cases(rows):
        actual = served.ask(case["signature"], *case["inputs"].values())
        assert_same(actual, case["outputs"])


def test_answers_do_not_depend_on_the_batch(served):
    rows = served.rows(TEXTS)
    for signature in ("serving_default", "embeddings"):
        together = served.ask(signature, *zip(*rows, strict=True))
        for at in (0, len(rows) - 1):
            alone = served.ask(signature, *([text] for text in rows[at]))
            for name, values in alone.items():
                if values.dtype == object:
                    np.testing.assert_array_equal(values[0], together[name][at])
                else:
                    np.testing.assert_allclose(values[0], together[name][at], atol=1e-5)


def test_no_texts_have_an_answer_without_rows(served):
    columns = [[]] * (1 + served.pairs)
    answer = served.ask("serving_default", *columns)
    assert {len(values) for values in answer.values()} == {0}
    assert served.ask("embeddings", *columns)["pooled"].shape == (0, 8)


def test_what_is_cut_is_flagged(made):
    answer = made("labels").ask("serving_default", ["a " * 10, "a " * 11, "a " * 50_000])
    assert answer["truncated"].tolist() == [False, True, True]


def test_what_is_no_utf_8_counts_as_the_replacement_character(made):
    wrong, right = (
        made("numbers").ask("serving_default", [text])["value"]
        for text in (b"a \xff b", "a \ufffd b")
    )
    np.testing.assert_allclose(wrong, right, rtol=1e-6)


def test_sides_of_different_size_are_refused(made):
    with pytest.raises(tf.errors.InvalidArgumentError, match="`text2` must have a text for each"):
        made("labels of pairs").ask("serving_default", ["a", "b"], ["a"])


def test_every_op_is_known_to_the_server(served):
    assert unsupported_ops(served.folder) == []


@pytest.mark.parametrize(
    ("kind", "labels", "message"),
    [
        (
            "labels",
            ["a", "b"],
            "`labels` must be 3 names, as the model has so many classes. Received: "
            "labels=['a', 'b']",
        ),
        (
            "labels",
            None,
            "`labels` must be 3 names, as the model has so many classes. Received: labels=None",
        ),
        (
            "numbers",
            ["a"],
            "`labels` must be None, as the model tells a number. Received: labels=['a']",
        ),
    ],
)
def test_labels_that_are_not_the_model_s_are_refused(made, kind, labels, message):
    expected = made(kind).expected
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        export.classification_signatures(expected.model, expected.text, labels)
    assert str(error.value) == message
