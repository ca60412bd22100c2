"""Exported signatures against `model` and plain Python, edge strings among them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.chain_truth import Chain
from seqnlp import export, tag_schemes
from seqnlp.export.tagging import _SpanReader
from seqnlp.layers import CRF, CharCNN, SemiMarkovCRF, TokenSoftmax
from seqnlp.models import Tagger
from seqnlp.text import TaggingText, Vocabulary

TAGS = {
    "bio": ["O", "B-city", "I-city", "B-time", "I-time"],
    "bioes": ["O", "B-city", "I-city", "E-city", "S-city", "S-time"],
    "none": ["NOUN", "VERB", "X"],
}
MAX_LENGTH, K = 12, 4
TEXTS = [
    "fly to New York at noon",
    "",
    "   ",
    "서울에서 부산 👩‍👩‍👧 가기",
    "ﬁne Ａ é, ok?",
    "word " * 40,
    b"bad \xff\xfe bytes",
    "nul \x00 here",
]
SPAN_COLUMNS = ("span_texts", "span_types", "span_starts", "span_ends", "scores")


def make(encoding, head=None):
    """A tagger without training, whose scores are spread so that all tags come up."""
    keras.utils.set_random_seed(3)
    words = Vocabulary(["fly", "to", "new", "york", "at", "noon", "word", "bad"])
    text = TaggingText(
        words, Vocabulary(list("abcdefgnoy가")), TAGS[encoding], max_length=MAX_LENGTH
    )
    names = text.tags
    model = Tagger(
        len(words),
        head or CRF(len(names), tag_schemes.allowed_transitions(names, encoding)),
        CharCNN(len(text.characters)),
        word_units=6,
        units=6,
    )
    model(text.inputs(tf.ragged.constant([["fly"]])))
    random = np.random.default_rng(4)
    model.set_weights([random.normal(size=w.shape, scale=1.5) for w in model.weights])
    return model, text


class Served:
    """A SavedModel on disk, loaded again, and the parts that it was made of."""

    def __init__(self, encoding, folder, head=None):
        self.encoding = encoding
        self.model, self.text = make(encoding, head)
        signatures = export.tagging_signatures(self.model, self.text, encoding, K)
        export.saved_model(self.model, self.text, folder, signatures)
        self.signatures = tf.saved_model.load(str(folder)).signatures

    def ask(self, signature, **inputs):
        return {name: x.numpy() for name, x in self.signatures[signature](**inputs).items()}

    def ask_texts(self, signature, texts):
        return self.ask(signature, text=tf.constant(texts, tf.string))

    def expected(self, text):
        """Tokens, byte offsets, tags and marginals of one string, asked of the model alone."""
        tokens, starts, ends = (
            ragged.to_list()[0][:MAX_LENGTH]
            for ragged in self.text.tokenizer.tokenize_with_offsets(tf.constant([text]))
        )
        if not tokens:
            return [], [], [], [], np.zeros((0, len(self.text.tags)))
        outputs = self.outputs(tokens)
        tags = [self.text.tags[tag] for tag in outputs["tags"].numpy()[0]]
        return tokens, starts, ends, tags, self.model.marginals(outputs).numpy()[0]

    def outputs(self, tokens):
        return self.model(self.text.inputs(tf.ragged.constant([tokens])), training=False)

    def chain(self, text):
        """What follows from the model's scores of one string, by NumPy."""
        potentials = self.outputs(self.expected(text)[0])["potentials"]
        return Chain(self.model.head_layer(), potentials.numpy()[0])


@pytest.fixture(scope="module")
def served_with(tmp_path_factory):
    made = {}

    def get(encoding):
        if encoding not in made:
            made[encoding] = Served(encoding, tmp_path_factory.mktemp(encoding) / "1")
        return made[encoding]

    return get


@pytest.fixture(params=TAGS)
def served(request, served_with):
    return served_with(request.param)


def decoded(row):
    return [item.decode() for item in row]


def test_serving_default_gives_what_the_model_gives_each_text_alone(served):
    answer = served.ask_texts("serving_default", TEXTS)
    for row, text in enumerate(TEXTS):
        tokens, starts, ends, tags, _ = served.expected(text)
        length = answer["lengths"][row]
        assert length == len(tokens)
        assert answer["tokens"][row, :length].tolist() == tokens
        assert decoded(answer["tags"][row, :length]) == tags
        assert answer["starts"][row, :length].tolist() == starts
        assert answer["ends"][row, :length].tolist() == ends
        for filled in (answer["tokens"], answer["tags"]):
            assert set(filled[row, length:]) <= {b""}
    assert answer["truncated"].tolist() == [text == TEXTS[5] for text in TEXTS]
    assert answer["tags"].shape == (len(TEXTS), MAX_LENGTH)


def test_marginals_are_those_of_the_model(served):
    answer = served.ask_texts("marginals", TEXTS)
    assert [decoded(row) for row in answer["tag_names"]] == [served.text.tags] * len(TEXTS)
    for row, text in enumerate(TEXTS):
        expected = served.expected(text)[-1]
        actual = answer["marginals"][row]
        np.testing.assert_allclose(actual[: len(expected)], expected, atol=1e-5)
        assert not actual[len(expected) :].any()


def test_pretokenized_tags_the_tokens_given(served):
    text = TEXTS[0]
    tokens = [text.split(), ["fly", "", "", "", "", ""], [b"\xff"] * 6, [""] * 6]
    answer = served.ask(
        "pretokenized", tokens=tf.constant(tokens), lengths=tf.constant([6, 1, 6, 0])
    )
    assert answer["lengths"].tolist() == [6, 1, 6, 0]
    assert decoded(answer["tags"][0]) == served.expected(text)[3]
    assert decoded(answer["tags"][1]) == [*served.expected("fly")[3], "", "", "", "", ""]
    assert set(decoded(answer["tags"][2])) <= set(served.text.tags)
    assert set(decoded(answer["tags"][3])) == {""}


def expected_spans(served, text):
    """`(text, type, start, end, score)` of the spans of one string, by plain Python."""
    raw = text if isinstance(text, bytes) else text.encode()
    tokens, starts, ends, tags, _ = served.expected(text)
    chain = served.chain(text) if tokens else None
    ids = [served.text.tags.index(tag) for tag in tags]
    for span_type, first, end in tag_schemes.spans(tags, served.encoding):
        begin, finish = starts[first], ends[end - 1]
        written = raw[begin:finish].decode(errors="replace").encode()
        score = pytest.approx(chain.span_probability(ids, first, end), abs=1e-5)
        yield written, span_type.encode(), begin, finish, score


@pytest.mark.parametrize("encoding", ["bio", "bioes"])
def test_spans_are_those_of_the_tags_with_their_exact_probability(encoding, served_with):
    served = served_with(encoding)
    answer = served.ask_texts("spans", TEXTS)
    for row, text in enumerate(TEXTS):
        length = answer["lengths"][row]
        columns = [answer[name][row, :length].tolist() for name in SPAN_COLUMNS]
        assert list(zip(*columns, strict=True)) == list(expected_spans(served, text))
    assert answer["lengths"].sum() > 5


@pytest.mark.parametrize("encoding", ["bio", "bioes"])
def test_marginals_come_with_the_spans(encoding, served_with):
    served = served_with(encoding)
    spans = served.ask_texts("spans", TEXTS)
    answer = served.ask_texts("marginals", TEXTS)
    np.testing.assert_array_equal(answer["span_lengths"], spans["lengths"])
    np.testing.assert_allclose(answer["span_scores"], spans["scores"], atol=1e-6)
    for name in SPAN_COLUMNS[:-1]:
        np.testing.assert_array_equal(answer[name], spans[name])


def test_k_best_are_the_most_probable_tag_sequences(served):
    answer = served.ask_texts("k_best", TEXTS)
    plain = served.ask_texts("serving_default", TEXTS)
    for name in set(plain) - {"tags"}:
        np.testing.assert_array_equal(answer[name], plain[name])
    assert answer["tags"].shape == (len(TEXTS), K, MAX_LENGTH)
    fewer = 0
    for row, text in enumerate(TEXTS):
        length, paths = answer["lengths"][row], answer["paths"][row]
        best = served.chain(text).k_best(K) if length else [(0.0, [])]
        assert paths == len(best)
        fewer += paths < K
        np.testing.assert_allclose(answer["scores"][row, :paths], [x for x, _ in best], atol=1e-4)
        for path, (_, tags) in zip(answer["tags"][row], best, strict=False):
            assert decoded(path[:length]) == [served.text.tags[tag] for tag in tags]
            assert set(path[length:]) <= {b""}
        assert set(answer["tags"][row, paths:].ravel()) <= {b""}
        assert (answer["scores"][row, paths:] == -1e9).all()
    assert fewer >= 2  # the empty strings have one


def test_a_head_that_cannot_rank_sequences_has_no_k_best():
    model, text = make("bio", TokenSoftmax(len(TAGS["bio"])))
    signatures = export.tagging_signatures(model, text, "bio")
    assert set(signatures) == {"serving_default", "pretokenized", "marginals", "spans"}


def test_spans_of_a_softmax_have_the_product_of_its_probabilities(tmp_path):
    served = Served("bio", tmp_path / "1", TokenSoftmax(len(TAGS["bio"])))
    answer = served.ask_texts("spans", TEXTS)
    for row, text in enumerate(TEXTS):
        expected = [span[-1] for span in expected_spans(served, text)]
        assert answer["scores"][row, : answer["lengths"][row]].tolist() == expected
    assert answer["lengths"].sum() > 5


def test_spans_of_a_semi_markov_crf_have_the_probability_of_their_segment(tmp_path):
    head = SemiMarkovCRF(tag_schemes.segment_tags(TAGS["bio"], "bio"), 3)
    served = Served("bio", tmp_path / "1", head)
    answer, longest = served.ask_texts("spans", TEXTS), 0
    assert "k_best" not in served.signatures
    labels = ["", "city", "time"]
    for row, text in enumerate(TEXTS):
        tokens, starts, ends, tags, _ = served.expected(text)
        expected = []
        for span_type, first, end in tag_schemes.spans(tags, "bio"):
            segments = head.segment_marginals(served.outputs(tokens)).numpy()[0]
            score = segments[first, end - first - 1, labels.index(span_type)]
            place = span_type.encode(), starts[first], ends[end - 1]
            expected.append((*place, pytest.approx(score, abs=1e-5)))
            longest = max(longest, end - first)
        length = answer["lengths"][row]
        columns = [answer[name][row, :length].tolist() for name in SPAN_COLUMNS[1:]]
        assert list(zip(*columns, strict=True)) == expected
    assert answer["lengths"].sum() > 5
    assert longest > 1


def test_refuses_a_k_below_one(served_with):
    served = served_with("bio")
    with pytest.raises(ValueError, match="^`k` must be at least 1. Received: k=0$"):
        export.tagging_signatures(served.model, served.text, "bio", k=0)


def test_tags_without_a_scheme_have_no_spans(served_with):
    served = served_with("none")
    assert set(served.signatures) == {"serving_default", "pretokenized", "marginals", "k_best"}
    assert "span_scores" not in served.ask_texts("marginals", TEXTS)


@pytest.mark.parametrize("texts", [[], [""], ["", " \n"]], ids=repr)
@pytest.mark.parametrize("signature", ["serving_default", "marginals", "spans", "k_best"])
def test_texts_without_tokens_have_empty_answers(signature, texts, served_with):
    answer = served_with("bio").ask_texts(signature, texts)
    assert answer["lengths"].tolist() == [0] * len(texts)
    assert answer["truncated"].tolist() == [False] * len(texts)
    axes = {name: values.shape for name, values in answer.items() if values.ndim > 1}
    sizes = {"tag_names": 5, **({"tags": K, "scores": K} if signature == "k_best" else {})}
    for name, shape in axes.items():
        assert shape[:2] == (len(texts), sizes.get(name, 0)), name


def test_a_text_of_100_kilobytes_is_cut_and_says_so(served_with):
    answer = served_with("bio").ask_texts("serving_default", ["noon " * 20_000, "x" * 100_000])
    assert answer["lengths"].tolist() == [MAX_LENGTH, 1]
    assert answer["truncated"].tolist() == [True, False]
    assert answer["ends"][1, 0] == 100_000


def test_no_pretokenized_sentences_have_an_empty_answer(served_with):
    answer = served_with("bio").ask(
        "pretokenized",
        tokens=tf.constant([], tf.string, (0, 0)),
        lengths=tf.constant([], tf.int32),
    )
    assert answer["tags"].shape == (0, 0)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([2, 3], "`lengths` must not exceed the tokens of a row"),
        ([2, -1], "`lengths` must not be negative"),
        ([2], "`lengths` must have a number a row"),
    ],
)
def test_pretokenized_refuses_lengths_that_do_not_fit(lengths, message, served_with):
    tokens = tf.constant([["a", "b"], ["c", "d"]])
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served_with("bio").ask("pretokenized", tokens=tokens, lengths=tf.constant(lengths))


@pytest.mark.parametrize("encoding", ["bio", "iob1", "bioes", "bilou"])
def test_edges_are_those_of_tag_schemes_for_all_tags_legal_or_not(encoding):
    letters = {"bio": "BI", "iob1": "BI", "bioes": "BIES", "bilou": "BILU"}[encoding]
    names = ["O", *(f"{letter}-{name}" for letter in letters for name in ("a", "b"))]
    random = np.random.default_rng(0)
    tags = random.integers(len(names), size=(500, 8))
    lengths = random.integers(0, 9, size=500)
    begins, ends = _SpanReader(names, encoding).edges(
        tf.constant(tags), tf.sequence_mask(lengths, 8)
    )
    for row, length in enumerate(lengths):
        found = tag_schemes.spans([names[tag] for tag in tags[row, :length]], encoding)
        assert np.flatnonzero(begins[row]).tolist() == [start for _, start, _ in found]
        assert (np.flatnonzero(ends[row]) + 1).tolist() == [end for _, _, end in found]


def test_refuses_signatures_without_a_default(served_with, tmp_path):
    served = served_with("bio")
    with pytest.raises(ValueError, match=r"`signatures` must have .* signatures=\['spans'\]"):
        export.saved_model(served.model, served.text, tmp_path, {"spans": None})


def test_refuses_a_model_on_another_backend(served_with, tmp_path, monkeypatch):
    served = served_with("bio")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="`model` must live on the tensorflow .*backend='jax'"):
        export.saved_model(served.model, served.text, tmp_path, {})
