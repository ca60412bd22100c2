"""Exported signatures of questions against the model and plain Python, edge strings among them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.exports import EDGE_STRINGS
from pipelines.question_answering_truth import QuestionTruth
from seqnlp import export
from seqnlp.models import BERTEncoder, BERTSpanExtractor
from seqnlp.text import QuestionText
from tests.messages import exactly

LETTERS = [chr(97 + at) for at in range(26)]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{x}" for x in LETTERS)]
TOKENS += [*"?.,한국서울ᄒᄋ", "##ᅡ", "##ᆫ", "##ᅥ"]
SETTINGS = {"max_answer_length": 4, "n_best": 3}
LONG = "the cat sat on a mat, and so on. " * 60
PAIRS = [
    ("where is it?", "it is there. or here, in a box"),
    ("who?", ""),
    ("", "some one"),
    ("", ""),
    ("how long? " * 30, "as long as the context is " * 3),
    ("where?", LONG),
    ("서울?", "한국 서울, Café ＡＢ e\u0301 ﬁ"),
    *[("where is it?", edge) for edge in EDGE_STRINGS[:12]],
    *[(edge, "it is there. or here, in a box") for edge in EDGE_STRINGS],
    ("where?", b"here \xff\xfe or there"),
]


class Served:
    """A SavedModel on disk, loaded again, and the truth about it."""

    def __init__(self, folder, threshold):
        keras.utils.set_random_seed(3)
        text = QuestionText(TOKENS, True, max_length=24, max_question_length=6, stride=7)
        sizes = {"units": 8, "num_layers": 1, "num_heads": 2, "feed_forward_units": 8}
        model = BERTSpanExtractor(BERTEncoder(len(TOKENS), **sizes, max_length=24))
        model.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
        random = np.random.default_rng(4)
        model.set_weights([random.normal(size=w.shape, scale=1.0) for w in model.weights])
        self.model, self.text = model, text
        self.truth = QuestionTruth(model, text, **SETTINGS, threshold=threshold)
        signatures = export.question_signatures(model, text, **SETTINGS, threshold=threshold)
        export.saved_model(model, text, folder, signatures)
        self.signatures = tf.saved_model.load(str(folder)).signatures

    def ask(self, signature, pairs):
        sides = [[pair[side] for pair in pairs] for side in (0, 1)]
        inputs = dict(zip(("question", "context"), sides, strict=True))
        tensors = {name: tf.constant(x, tf.string) for name, x in inputs.items()}
        return {name: x.numpy() for name, x in self.signatures[signature](**tensors).items()}


@pytest.fixture(scope="module", params=[None, -2.0])
def served(request, tmp_path_factory):
    return Served(tmp_path_factory.mktemp("served") / "1", request.param)


@pytest.fixture(scope="module")
def known(served):
    """The pairs whose answers float32 can rank, and what the truth says of them."""
    answers = served.truth.answers(PAIRS)
    kept = [item for item in zip(PAIRS, answers, strict=True) if item[1] is not None]
    assert len(kept) > 0.8 * len(PAIRS)
    pairs, answers = map(list, zip(*kept, strict=True))
    return pairs, answers


def assert_same(actual, expected):
    assert actual.keys() == expected.keys()
    for name, values in expected.items():
        if actual[name].dtype == object:
            found = np.vectorize(bytes.decode, otypes="O")(actual[name])
            assert found.tolist() == [list(x) if isinstance(x, tuple) else x for x in values], name
        else:
            np.testing.assert_allclose(actual[name], values, rtol=1e-4, atol=1e-5, err_msg=name)


def test_n_best_are_those_of_a_search_outside_of_the_graph(served, known):
    pairs, answers = known
    assert_same(served.ask("n_best", pairs), served.truth.ranked(answers))


def test_serving_default_gives_the_best_or_none(served, known):
    pairs, answers = known
    for name in ("serving_default", "answer"):
        assert_same(served.ask(name, pairs), served.truth.plain(answers))


def test_a_threshold_leaves_some_unanswered(served, known):
    pairs, _ = known
    answered = served.ask("serving_default", pairs)["ends"] > 0
    possible = served.ask("n_best", pairs)["paths"] > 0
    assert answered.any()
    if served.truth.threshold is None:
        assert (answered == possible).all()
    else:
        assert (answered & ~possible).sum() == 0
        assert (possible & ~answered).any()


def test_answers_stand_where_they_say(served):
    found = served.ask("n_best", PAIRS)
    for row, (_, context) in enumerate(PAIRS):
        data = context if isinstance(context, bytes) else context.encode()
        for at in range(found["paths"][row]):
            part = data[found["starts"][row, at] : found["ends"][row, at]]
            assert part.decode("utf-8", "replace").encode() == found["answers"][row, at]


def test_no_answer_is_told_twice(served):
    found = served.ask("n_best", PAIRS)
    for starts, ends, paths in zip(found["starts"], found["ends"], found["paths"], strict=True):
        places = list(zip(starts[:paths], ends[:paths], strict=True))
        assert len(set(places)) == len(places)


def test_a_long_context_is_read_to_its_end(served):
    pieces = served.text.windows(["where?"], [LONG])
    assert len(pieces["rows"]) > 70  # in several parts
    scores = served.ask("n_best", [("where?", LONG), ("where?", "a cat")])["scores"]
    alone = served.ask("n_best", [("where?", LONG)])["scores"]
    np.testing.assert_allclose(alone[0], scores[0], rtol=1e-4)


def test_answers_do_not_depend_on_the_batch(served, known):
    pairs, _ = known
    together = served.ask("serving_default", pairs)
    for row in range(0, len(pairs), 4):
        alone = served.ask("serving_default", pairs[row : row + 1])
        np.testing.assert_allclose(alone["scores"][0], together["scores"][row], rtol=1e-4)
        assert alone["starts"][0] == together["starts"][row]


def test_an_empty_batch_has_empty_answers(served):
    assert served.ask("serving_default", [])["answers"].shape == (0,)
    assert served.ask("n_best", [])["starts"].shape == (0, SETTINGS["n_best"])


def test_sides_of_different_number_are_refused(served):
    with pytest.raises(tf.errors.InvalidArgumentError, match="a string for each of `question`"):
        served.signatures["serving_default"](
            question=tf.constant(["a", "b"]), context=tf.constant(["c"])
        )


@pytest.mark.parametrize("name", ["max_answer_length", "n_best"])
def test_a_number_below_one_is_refused(served, name):
    with pytest.raises(
        ValueError, match=exactly(f"`{name}` must be at least 1. Received: {name}=0")
    ):
        export.question_signatures(served.model, served.text, **{name: 0})


def test_another_vocabulary_is_refused(served):
    message = (
        f"`text` must have {len(TOKENS)} ids, as the model does. "
        f"Received: text.vocabulary_size={len(TOKENS) - 1}"
    )
    with pytest.raises(ValueError, match=exactly(message)):
        export.question_signatures(served.model, QuestionText(TOKENS[:-1]))
