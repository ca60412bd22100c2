"""The export and check stages of translation, on a model without training."""

import itertools
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines import exports, trained_model, translation, translation_serving
from pipelines.translation_truth import TranslationTruth
from seqnlp.models import TransformerSeq2Seq
from seqnlp.samples import write_parallel
from seqnlp.text import TranslationText
from serving.check import CheckFailed
from serving.warmup import read_warmup
from tests.translators import SOURCES, small_model, small_text

DECODING = ["--beam_width=3", "--n_best=2", "--max_output_length=12"]
ANYWAY = [*DECODING, "--export_anyway"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Folder with examples, and a model of them with random weights."""
    folder = tmp_path_factory.mktemp("prepared")
    paths = write_parallel(folder / "corpus", limit=60)
    names = {"train": "--train", "eval": "--dev", "test": "--test"}
    files = [str(x) for split, name in names.items() for x in (name, *paths[split][:2])]
    translation.run(["prepare", f"--output={folder}", *files, "--vocabulary_size=200"])
    text = TranslationText.load(str(folder / "examples"))
    small_model("conv", text).save(folder / "model.keras")
    trained_model.save_text(folder / "model.keras", str(folder / "examples"))
    return folder


@pytest.fixture
def output(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


def run(stage, output, *options):
    translation.run([stage, f"--output={output}", *options])


def test_each_export_is_a_version_with_all_that_a_check_needs(output):
    run("export", output, *ANYWAY)
    run("export", output, *ANYWAY)
    home = output / "serving" / "translator"
    assert sorted(path.name for path in home.iterdir()) == ["1", "2"]
    extra = home / "2" / "assets.extra"
    assert json.loads((extra / "decoding.json").read_text()) == {
        "max_length": 12,
        "beam_width": 3,
        "length_penalty": 0.6,
        "n_best": 2,
    }
    assert TranslationText.load(str(extra / "text")).joint
    requests = [log.predict_log.request for log in read_warmup(home / "2")]
    signatures = [request.model_spec.signature_name for request in requests]
    assert signatures == ["serving_default", "n_best", "score"]
    assert requests[0].inputs["text"].tensor_shape.dim[0].size == 20


def test_a_model_that_is_not_blessed_is_not_exported(output):
    with pytest.raises(ValueError, match="BLESSED: expected the mark of a model that beat its ri"):
        run("export", output, *DECODING)
    assert not (output / "serving").exists()


def test_more_answers_than_hypotheses_are_refused(output):
    message = "`--n_best` must be at most --beam_width, the hypotheses that there are. Received: "
    message += "--n_best 4 --beam_width 3"
    with pytest.raises(ValueError, match=message):
        run("export", output, *ANYWAY, "--n_best=4")
    assert not (output / "serving").exists()


def test_requests_hold_from_one_to_64_sentences():
    texts = [f"sentence {number}" for number in range(150)]
    batches = translation_serving.asked_together([*texts, b"\xff", "long " * 100, texts[0]])
    sizes = [len(batch) for batch in batches]
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 23, 1, 1]
    assert list(itertools.chain(*batches)) == [*texts, b"\xff", "long " * 100]


def test_a_check_needs_an_export(output):
    with pytest.raises(ValueError, match="expected an exported version; run the export stage fir"):
        run("check", output)


def test_translations_that_nothing_tells_apart_are_no_check(output, monkeypatch):
    run("export", output, *ANYWAY)
    model = keras.models.load_model(output / "model.keras")
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.save(output / "model.keras")
    monkeypatch.setattr(translation_serving, "CHECKED", 24)
    message = "of 24 texts have translations too close to each other to be ranked in float32"
    with pytest.raises(CheckFailed, match=message):
        run("check", output)


@pytest.mark.slow
def test_the_check_agrees_with_its_model_and_not_with_another(output, capsys, monkeypatch):
    monkeypatch.setattr(translation_serving, "CHECKED", 60)
    run("export", output, *ANYWAY)
    run("check", output, "--beam_width=7")  # the export knows what it was made with
    printed = capsys.readouterr().out
    report, _ = json.JSONDecoder().raw_decode(printed[printed.index("\n{") + 1 :])
    assert report["ops"] == "every op is in TensorFlow Serving 2.20"
    assert report["client"] == report["gRPC"] == f"{report['cases']} requests agree"
    assert report["texts"].endswith("left out that float32 cannot rank")
    model = keras.models.load_model(output / "model.keras")
    model.set_weights([weight * 1.05 for weight in model.get_weights()])
    model.save(output / "model.keras")
    with pytest.raises(CheckFailed, match="client: a request to serving_default: the client's"):
        run("check", output)


def test_a_model_of_mixed_precision_is_served_in_float32():
    model = TransformerSeq2Seq(20, 20, 8, 2, 12, num_layers=1, dtype="mixed_bfloat16")
    inputs = {name: np.array([[5, 6, 3]]) for name in ("source_ids", "target_ids")}
    rough = model(inputs)
    copy = exports.in_float32(model)
    assert (copy.compute_dtype, copy.encoder.compute_dtype) == ("float32", "float32")
    for ours, theirs in zip(copy.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(copy(inputs), rough, atol=0.05)
    assert exports.in_float32(copy) is copy


@pytest.fixture(scope="module")
def truth():
    text = small_text()
    return TranslationTruth(small_model("rnn", text), text, 10, 3, 0.6, 2)


def test_the_truth_has_the_scores_of_the_model_that_reads_all_at_once(truth):
    (answer,) = truth.answers(SOURCES[:1])
    for one in answer.hypotheses:
        inputs = {
            "source_ids": np.array([answer.source]),
            "target_ids": np.array([[2, *one.ids]]),
        }
        chances = tf.nn.softmax(truth.model(inputs)[0]).numpy()
        tokens = [*one.ids, 3]
        product = np.prod([chances[at, token] for at, token in enumerate(tokens)])
        assert len(tokens) < 10
        expected = np.log(product) / ((5 + len(one.ids)) / 6) ** 0.6
        assert one.score == pytest.approx(expected, rel=1e-4)


def test_steps_that_score_otherwise_than_the_model_are_found(truth, monkeypatch):
    step = truth.model.step

    def other(token_ids, state):
        logits, state = step(token_ids, state)
        return logits * 1.01, state

    monkeypatch.setattr(truth.model, "step", other)
    wrong = TranslationTruth(truth.model, truth.text, 10, 3, 0.6, 2)
    with pytest.raises(ValueError, match="`step` must score as the model does that reads a tran"):
        wrong.answers(SOURCES[:1])
