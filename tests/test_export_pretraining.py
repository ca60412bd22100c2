"""Exported BERTs against the model outside of the graph, edge strings among them."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from pipelines.pretraining_truth import PretrainingTruth
from seqnlp import export
from serving.cases import to_values
from serving.double_process import ROOT, clean_environment
from serving.op_check import _ops, unsupported_ops
from tests.berts import LENGTH, PIECES, small_model, small_text

N_BEST = 3
TEXTS = [
    "the [MASK] runs.",
    "",
    "[MASK]",
    "the dog[MASK] in [MASK]?",
    "no gap here",
    "   ",
    "[MASK][MASK] [mask] [CLS]",
    "서울에서 [MASK] 👩‍👩‍👧",
    "the city " * 30 + "[MASK]",
    "[MASK] " * 30,
    b"bad \xff\xfe [MASK] bytes",
    "nul \x00 [MASK] here",
]


class Served:
    """A SavedModel on disk, loaded again, and what it must answer."""

    def __init__(self, folder):
        self.folder = folder
        self.text = small_text()
        self.model = small_model()
        signatures = export.pretraining_signatures(self.model, self.text, N_BEST)
        export.saved_model(self.model, self.text, folder, signatures)
        self.signatures = tf.saved_model.load(str(folder)).signatures
        self.truth = PretrainingTruth(self.model, self.text, N_BEST)

    def ask(self, signature, **inputs):
        inputs = {name: tf.constant(to_values(x), tf.string) for name, x in inputs.items()}
        return {name: x.numpy() for name, x in self.signatures[signature](**inputs).items()}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    return Served(tmp_path_factory.mktemp("bert") / "1")


@pytest.fixture(scope="module")
def cases(served):
    return list(served.truth.cases(TEXTS))


def assert_same(actual, expected):
    """Answers of a signature and nested lists: strings equal, numbers close."""
    assert actual.keys() == expected.keys()
    for name, values in expected.items():
        if actual[name].dtype == object:
            found = np.vectorize(bytes.decode, otypes="O")(actual[name])
            assert found.tolist() == values, name
        else:
            np.testing.assert_allclose(actual[name], values, rtol=1e-4, atol=1e-5, err_msg=name)


def test_every_signature_answers_as_the_model_does_outside_of_the_graph(served, cases):
    asked = [case["signature"] for case in cases]
    assert asked == ["serving_default", "embeddings", "next_sentence", "fill_mask"]
    assert served.truth.left_out < 3
    for case in cases:
        assert_same(served.ask(case["signature"], **case["inputs"]), case["outputs"])


def test_answers_do_not_depend_on_the_batch(served):
    together = served.ask("fill_mask", text=TEXTS)
    vectors = served.ask("embeddings", text=TEXTS)
    for row, text in enumerate(TEXTS):
        alone = served.ask("fill_mask", text=[text])
        length = alone["lengths"][0]
        assert length == together["lengths"][row]
        assert alone["filled"][0] == together["filled"][row]
        scores = together["scores"][row, :length]
        np.testing.assert_allclose(alone["scores"][0, :length], scores, rtol=1e-4)
        found = served.ask("embeddings", text=[text])
        for name in ("pooled", "mean"):
            np.testing.assert_allclose(found[name][0], vectors[name][row], rtol=1e-4, atol=1e-5)


def test_the_best_piece_fills_each_gap(served):
    answer = served.ask("fill_mask", text=["the [MASK] runs [MASK]"])
    first, second = (x.decode().removeprefix("##") for x in answer["pieces"][0, :, 0])
    assert answer["filled"][0].decode() == f"the {first} runs {second}"
    assert answer["lengths"].tolist() == [2]
    assert (np.diff(answer["scores"][0], axis=1) <= 0).all()


def test_behind_the_gaps_of_a_text_stands_filling(served):
    answer = served.ask("fill_mask", text=["[MASK] and [MASK]", "one [MASK]", "none"])
    assert answer["lengths"].tolist() == [2, 1, 0]
    assert answer["pieces"][1, 1:].tolist() == [[b""] * N_BEST]
    assert answer["pieces"][2].tolist() == [[b""] * N_BEST] * 2
    assert not answer["scores"][1, 1:].any()
    assert not answer["scores"][2].any()


def test_gaps_behind_the_end_of_a_long_text_stay_as_they_are(served):
    text = "[MASK] " + "dog " * 20 + "[MASK]"
    answer = served.ask("fill_mask", text=[text])
    best = answer["pieces"][0, 0, 0].decode().removeprefix("##")
    assert answer["truncated"].tolist() == [True]
    assert answer["lengths"].tolist() == [1]
    assert answer["filled"][0].decode() == f"{best} " + "dog " * 20 + "[MASK]"


def test_the_mean_is_that_of_the_states_of_all_pieces(served):
    answer = served.ask("embeddings", text=["the dog"])
    ids = [[2, PIECES.index("the"), PIECES.index("dog"), 3]]
    inputs = {"token_ids": np.array(ids), "segment_ids": np.zeros((1, 4), "int32")}
    states = served.model.encoder(inputs)
    expected = states["tokens"].numpy().mean(axis=1)
    np.testing.assert_allclose(answer["mean"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answer["pooled"], states["pooled"], rtol=1e-4, atol=1e-5)


def test_the_default_gives_vectors(served):
    answers = [served.ask(name, text=TEXTS) for name in ("serving_default", "embeddings")]
    for name, values in answers[0].items():
        np.testing.assert_array_equal(values, answers[1][name])


def test_the_order_of_two_texts_matters(served):
    one = served.ask("next_sentence", text=["the dog"], text_pair=["runs"])
    other = served.ask("next_sentence", text=["runs"], text_pair=["the dog"])
    assert abs(one["follows"][0] - other["follows"][0]) > 1e-4


def test_an_empty_batch_has_empty_answers(served):
    units = served.model.encoder.config["units"]
    found = served.ask("embeddings", text=[])
    assert {name: x.shape for name, x in found.items()} == {
        "pooled": (0, units),
        "mean": (0, units),
        "truncated": (0,),
    }
    found = served.ask("fill_mask", text=[])
    assert {name: x.shape for name, x in found.items()} == {
        "pieces": (0, 0, N_BEST),
        "scores": (0, 0, N_BEST),
        "lengths": (0,),
        "filled": (0,),
        "truncated": (0,),
    }
    found = served.ask("next_sentence", text=[], text_pair=[])
    assert {name: x.shape for name, x in found.items()} == {"follows": (0,), "truncated": (0,)}


@pytest.mark.parametrize("texts", [[""], ["", " \n"], ["none"]], ids=repr)
def test_texts_without_gaps_come_back(texts, served):
    answer = served.ask("fill_mask", text=texts)
    assert answer["pieces"].shape == (len(texts), 0, N_BEST)
    assert [text.decode() for text in answer["filled"]] == texts


def test_a_text_of_100_kilobytes_is_cut_and_says_so(served):
    texts = ["dog " * 25_000, "e" * 100_000, "dog"]
    assert served.ask("embeddings", text=texts)["truncated"].tolist() == [True, False, False]
    pair = served.ask("next_sentence", text=texts, text_pair=texts[::-1])
    assert pair["truncated"].tolist() == [True, False, True]


def test_what_is_no_utf_8_counts_as_the_replacement_character(served):
    answers = [served.ask("fill_mask", text=[text]) for text in (b"[MASK] \xff", "[MASK] \ufffd")]
    for name, values in answers[0].items():
        np.testing.assert_array_equal(values, answers[1][name])


def test_every_op_is_known_to_the_server_and_none_needs_xla(served):
    assert unsupported_ops(served.folder) == []
    ops = {op for op, _ in _ops(served.folder / "saved_model.pb")}
    assert not [op for op in ops if op.startswith("Xla")]


def test_they_answer_where_neither_keras_nor_this_library_is(served, cases, tmp_path):
    program = (
        "import sys\n"
        "from serving.bare import present\n"
        "from serving.conformance import read_cases\n"
        "from serving.load_220 import run_cases\n"
        "cases = read_cases(sys.argv[2])\n"
        "print([wrong for _, wrong in run_cases(sys.argv[1], cases)], present())\n"
    )
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases))
    done = subprocess.run(
        [sys.executable, "-c", program, str(served.folder), str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=clean_environment(tmp_path),
    )
    assert done.stdout.strip() == "[None, None, None, None] []", done.stderr


def test_texts_without_a_partner_are_refused(served):
    message = "`text_pair` must have one for each of `text`"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served.ask("next_sentence", text=["a", "b"], text_pair=["a"])


@pytest.mark.parametrize("n_best", [0, len(PIECES) + 1])
def test_a_number_of_pieces_out_of_range_is_refused(n_best, served):
    message = (
        f"`n_best` must be from 1 to {len(PIECES)}, the number of pieces. "
        f"Received: n_best={n_best}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        export.pretraining_signatures(served.model, served.text, n_best)


@pytest.mark.parametrize(("positions", "size"), [(LENGTH - 1, len(PIECES)), (LENGTH, 9)])
def test_a_text_that_does_not_fit_the_model_is_refused(positions, size):
    message = (
        f"`text` must have {size} pieces and at most {positions} ids, as the model does. "
        f"Received: text with {len(PIECES)} and {LENGTH}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        export.pretraining_signatures(small_model(positions, size), small_text())
