"""Exported translators against decoding outside of the graph, edge strings among them."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.translation_truth import TranslationTruth
from seqnlp import export
from seqnlp.models import TransformerSeq2Seq
from seqnlp.text import TranslationText
from seqnlp.text.names import END_ID, START_ID
from serving.cases import make_case
from serving.double_process import ROOT, clean_environment
from serving.op_check import _ops, unsupported_ops
from tests.translators import FAMILIES, SOURCES, TARGETS, small_model, small_text

# The search of 64 steps first tries with 16.
SETTINGS = {"max_length": 10, "beam_width": 4, "length_penalty": 0.6, "n_best": 3}
LONG_SETTINGS = {**SETTINGS, "max_length": 64}
TEXTS = [
    *SOURCES,
    "",
    "dog",
    "   ",
    "men in",
    "a dog runs",
    "서울에서 부산 👩‍👩‍👧",
    b"bad \xff\xfe bytes",
    "nul \x00 here",
]


class Served:
    """A SavedModel on disk, loaded again, and what it must answer."""

    def __init__(self, family, folder, settings):
        self.folder = folder
        self.text = small_text()
        self.model = small_model(family, self.text)
        signatures = export.translation_signatures(self.model, self.text, **settings)
        export.saved_model(self.model, self.text, folder, signatures)
        self.signatures = tf.saved_model.load(str(folder)).signatures
        self.truth = TranslationTruth(self.model, self.text, **settings)

    def ask(self, signature, **inputs):
        inputs = {name: tf.constant(strings, tf.string) for name, strings in inputs.items()}
        return {name: x.numpy() for name, x in self.signatures[signature](**inputs).items()}


@pytest.fixture(scope="module")
def served_by(tmp_path_factory):
    made = {}

    def get(family):
        if family not in made:
            settings = LONG_SETTINGS if family == "transformer" else SETTINGS
            made[family] = Served(family, tmp_path_factory.mktemp(family) / "1", settings)
        return made[family]

    return get


@pytest.fixture(params=FAMILIES)
def served(request, served_by):
    return served_by(request.param)


def assert_same(actual, expected):
    """Answers of a signature and nested lists: strings equal, numbers close."""
    assert actual.keys() == expected.keys()
    for name, values in expected.items():
        if actual[name].dtype == object:
            found = np.vectorize(bytes.decode, otypes="O")(actual[name])
            assert found.tolist() == values, name
        else:
            np.testing.assert_allclose(actual[name], values, rtol=1e-4, atol=1e-5, err_msg=name)


def test_n_best_are_what_decoding_gives_outside_of_the_graph(served):
    answers = served.truth.answers(TEXTS)
    assert all(answers)
    assert_same(served.ask("n_best", text=TEXTS), served.truth.columns(answers))
    lengths = [len(one.ids) for answer in answers for one in answer.hypotheses]
    assert len(set(lengths)) > 4
    stopped = [length == served.truth.max_length for length in lengths]
    assert any(stopped)
    assert not all(stopped)


def test_serving_default_gives_the_best_of_them(served):
    answer, best = (served.ask(name, text=TEXTS) for name in ("serving_default", "n_best"))
    names = {"translations", "scores", "lengths", "finished", "truncated"}
    assert set(answer) == names
    for name in names - {"truncated"}:
        np.testing.assert_array_equal(answer[name], best[name][:, 0])
    np.testing.assert_array_equal(answer["truncated"], best["truncated"])


def test_answers_do_not_depend_on_the_batch(served):
    together = served.ask("n_best", text=TEXTS)
    for row, text in enumerate(TEXTS):
        alone = served.ask("n_best", text=[text])
        np.testing.assert_allclose(alone["scores"][0], together["scores"][row], rtol=1e-4)
        for name in ("translations", "lengths", "finished", "paths"):
            np.testing.assert_array_equal(alone[name][0], together[name][row])


def test_some_texts_fit_the_small_room_and_some_do_not(served_by):
    served = served_by("transformer")
    answer = served.ask("n_best", text=TEXTS)
    longest, sources = answer["lengths"].max(axis=1), answer["source_lengths"]
    assert (longest[sources <= 16] < 16).any()
    assert (longest[sources <= 16] >= 16).any()
    assert (sources > 16).any()


def test_alignments_are_what_the_model_attends_to(served):
    answer = served.ask("n_best", text=SOURCES)
    if "alignments" not in answer:
        assert served.model.decoder.attention is None
        return
    source_ids = served.text.encode_source(tf.constant(SOURCES)).to_tensor()
    for row, length in enumerate(answer["lengths"][:, 0]):
        tokens = served.truth.answers([SOURCES[row]])[0].hypotheses[0].ids
        target_ids = np.array([[START_ID, *tokens]])[:, : max(1, length)]
        inputs = {"source_ids": source_ids[row : row + 1], "target_ids": target_ids}
        expected = served.model.attention(inputs).numpy()[0, :length]
        actual = answer["alignments"][row, 0, :length, : expected.shape[1]]
        np.testing.assert_allclose(actual, expected, atol=1e-4)
        assert not answer["alignments"][row, 0, length:].any()


def test_score_gives_the_log_probability_of_pieces_and_end(served):
    targets = [*TARGETS, "", "두", " ", "한 여자", "x", "서", b"\xff", "거리"]
    expected = served.truth.scored(TEXTS, targets)
    answer = served.ask("score", source=TEXTS, target=targets)
    assert_same(answer, expected)
    sums = answer["token_log_probabilities"].sum(axis=1)
    np.testing.assert_allclose(answer["log_probabilities"], sums, rtol=1e-5)
    end = served.text.target.tokens[END_ID].encode()
    finished = [end in row for row in answer["pieces"].tolist()]
    assert finished == [length < served.truth.max_length for length in _pieces(served, targets)]


def _pieces(served, targets):
    return served.text.encode_target(tf.constant(targets)).row_lengths().numpy()


def test_score_says_where_a_translation_is_cut(served_by):
    served = served_by("rnn")
    answer = served.ask("score", source=["dog", "dog"], target=["거리 " * 20_000, "거리"])
    assert answer["truncated"].tolist() == [True, False]
    assert answer["lengths"][0] == SETTINGS["max_length"]


def test_a_text_without_pieces_has_the_empty_translation_alone(served):
    answer = served.ask("n_best", text=["", "dog", " \n"])
    for row in (0, 2):
        assert answer["paths"][row] == 1
        assert answer["translations"][row].tolist() == [b"", b"", b""]
        assert answer["lengths"][row].tolist() == [0, 0, 0]
        assert answer["scores"][row, 1:].tolist() == [-1e9, -1e9]
        (score,) = served.truth.log_probabilities([[END_ID]], [[END_ID]])[0]
        assert answer["scores"][row, 0] == pytest.approx(score / (5 / 6) ** 0.6, rel=1e-4)
    assert answer["paths"][1] == 3


@pytest.mark.parametrize("texts", [[], [""], ["", " \n"]], ids=repr)
def test_texts_without_pieces_have_answers_without_width(texts, served):
    answer = served.ask("n_best", text=texts)
    assert answer["pieces"].shape == (len(texts), 3, 0)
    assert answer["source_pieces"].shape == (len(texts), 1)
    plain = served.ask("serving_default", text=texts)
    assert plain["translations"].tolist() == [b""] * len(texts)
    scored = served.ask("score", source=texts, target=texts)
    assert scored["lengths"].tolist() == [1] * len(texts)
    assert scored["pieces"].shape == (len(texts), 1)


def test_a_text_of_100_kilobytes_is_cut_and_says_so(served):
    answer = served.ask("n_best", text=["dog " * 25_000, "e" * 100_000, "dog"])
    assert answer["truncated"].tolist() == [True, True, False]
    assert answer["source_lengths"].tolist()[:2] == [24, 24]


def test_what_is_no_utf_8_counts_as_the_replacement_character(served_by):
    served = served_by("conv")
    answers = [served.ask("n_best", text=[text]) for text in (b"dog \xff", "dog \ufffd")]
    for name, values in answers[0].items():
        np.testing.assert_array_equal(values, answers[1][name])


def test_every_op_is_known_to_the_server_and_none_needs_xla(served):
    assert unsupported_ops(served.folder) == []
    ops = {op for op, _ in _ops(served.folder / "saved_model.pb")}
    assert not [op for op in ops if op.startswith("Xla")]


def test_they_answer_where_neither_keras_nor_this_library_is(served_by, tmp_path):
    program = (
        "import sys\n"
        "from serving.bare import present\n"
        "from serving.conformance import read_cases\n"
        "from serving.load_220 import run_cases\n"
        "for folder, cases in zip(sys.argv[1::2], sys.argv[2::2]):\n"
        "    print([wrong for _, wrong in run_cases(folder, read_cases(cases))], present())\n"
    )
    arguments = []
    for number, served in enumerate(map(served_by, FAMILIES)):
        path = tmp_path / f"{number}.jsonl"
        path.write_text("".join(json.dumps(case) + "\n" for case in _cases(served)))
        arguments += [str(served.folder), str(path)]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(tmp_path),
    )
    assert done.stdout.splitlines() == ["[None, None, None] []"] * len(FAMILIES), done.stderr


def _cases(served):
    inputs = {name: {"text": TEXTS} for name in ("serving_default", "n_best")}
    inputs["score"] = {"source": ["dog"], "target": ["거리"]}
    return [make_case(name, given, served.ask(name, **given)) for name, given in inputs.items()]


def test_score_refuses_sides_of_different_size(served_by):
    message = "`target` must have a string for each of `source`"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served_by("rnn").ask("score", source=["a", "b"], target=["a"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_length": 0}, "`max_length` must be at least 1. Received: max_length=0"),
        ({"max_length": -3}, "`max_length` must be at least 1. Received: max_length=-3"),
        ({"beam_width": 0}, "`beam_width` must be from 1 to 54, .* Received: beam_width=0"),
        ({"beam_width": 55}, "`beam_width` must be from 1 to 54, .* Received: beam_width=55"),
        ({"n_best": 0}, "`n_best` must be from 1 to `beam_width`=4. Received: n_best=0"),
        ({"n_best": 5}, "`n_best` must be from 1 to `beam_width`=4. Received: n_best=5"),
        (
            {"length_penalty": -0.1},
            "`length_penalty` must be at least 0. Received: length_penalty=-0.1",
        ),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message, served_by):
    served = served_by("rnn")
    with pytest.raises(ValueError, match=f"^{message}$"):
        export.translation_signatures(served.model, served.text, **{**SETTINGS, **settings})


def test_a_text_of_any_length_is_refused(served_by):
    text = TranslationText(served_by("rnn").text.source, served_by("rnn").text.target)
    with pytest.raises(ValueError, match=r"`text` must have a `max_length`.*max_length=None$"):
        export.translation_signatures(served_by("rnn").model, text)


def test_other_vocabularies_than_the_model_s_are_refused(served_by):
    served = served_by("rnn")
    turned = TranslationText(served.text.target, served.text.source, max_length=9)
    message = "`text` must have 64 ids of the source.*text.source_vocabulary_size=56$"
    with pytest.raises(ValueError, match=message):
        export.translation_signatures(served.model, turned)
    joint = TranslationText(served.text.source, max_length=9)
    message = "`text` must have 56 ids of the target.*text.target_vocabulary_size=64$"
    with pytest.raises(ValueError, match=message):
        export.translation_signatures(served.model, joint)


def test_more_pieces_than_a_model_has_positions_for_are_refused():
    text = small_text()
    sizes = text.source_vocabulary_size, text.target_vocabulary_size
    model = TransformerSeq2Seq(*sizes, 8, 2, 12, num_layers=1, positions=30)
    ids = keras.ops.ones((1, 2), "int32")
    model({"source_ids": ids, "target_ids": ids})
    export.translation_signatures(model, text, max_length=30)
    with pytest.raises(ValueError, match=r"`max_length` must be at most 30.*max_length=31$"):
        export.translation_signatures(model, text, max_length=31)


def test_as_many_translations_as_hypotheses_where_nothing_else_is_said(served_by):
    served = served_by("rnn")
    signatures = export.translation_signatures(served.model, served.text, 4, beam_width=2)
    answer = signatures["n_best"][0](tf.constant(["dog"]))
    assert answer["translations"].shape == (1, 2)
