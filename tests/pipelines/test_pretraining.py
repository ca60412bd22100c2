"""The path of pretraining on a small corpus, and what each stage leaves."""

import json
import pathlib
import random
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from pipelines import (
    pretraining,
    pretraining_evaluation,
    pretraining_serving,
    pretraining_training,
    trained_model,
)
from seqnlp.callbacks import Backup
from seqnlp.text.bert_names import BERTNames
from serving.check import CheckFailed
from serving.warmup import read_warmup
from tests.pipelines.killing import histories_of_killed_training

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ["--units=8", "--num_layers=2", "--num_heads=2", "--max_positions=64", "--dropout=0"]
TINY += ["--steps=8", "--steps_per_epoch=4", "--batch_size=8", "--validation_batches=2"]
TINY += ["--most_predictions=4", "--learning_rate=0.02", "--warmup_steps=2", "--jit=false"]
SPEEDS = {"sequences_per_second", "tokens_per_second", "tflops", "flops_used"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, bert_examples):
    """Folder in which train, evaluate and export ran on the examples."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copytree(bert_examples["tfrecord"], folder / "examples")
    for stage in ("train", "evaluate", "export"):
        pretraining.run([stage, f"--output={folder}", *TINY, "--export_anyway"])
    return folder


@pytest.fixture
def output(bert_examples, tmp_path):
    """Folder with examples alone."""
    shutil.copytree(bert_examples["tfrecord"], tmp_path / "examples")
    return tmp_path


def history(folder):
    """What the history says of each epoch, but for the speed."""
    epochs = json.loads((folder / "logs" / "history.json").read_text())
    return [{k: v for k, v in epoch.items() if k not in SPEEDS} for epoch in epochs]


def assert_same_history(one, other):
    assert len(one) == len(other) > 0
    for mine, theirs in zip(one, other, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-3)


def train(folder, *options):
    pretraining.run(["train", f"--output={folder}", *TINY, *options])
    return history(folder)


def test_each_stage_leaves_its_results(finished):
    expected = [
        "examples/manifest.json",
        "model.keras",
        "model.text/vocab.txt",
        "model.text/text.json",
        "logs/history.json",
        "evaluation.json",
        "curves.png",
        "heads.png",
        "guesses.md",
        "serving/bert/1/saved_model.pb",
        "serving/bert/1/assets.extra/text/vocab.txt",
    ]
    assert [name for name in expected if not (finished / name).exists()] == []
    assert not (finished / "backup").exists()
    assert list((finished / "logs" / "pretrainer").glob("events*"))


def test_the_history_holds_losses_accuracies_and_the_speed_of_every_epoch(finished):
    epochs = json.loads((finished / "logs" / "history.json").read_text())
    assert len(epochs) == 2
    judged = {f"{x}_{y}" for x in ("masked_lm", "next_sentence") for y in ("loss", "accuracy")}
    speeds = {"sequences_per_second", "tokens_per_second", "tflops"}
    expected = {"loss", "steps", *judged} | speeds | {f"val_{name}" for name in ("loss", *judged)}
    assert [set(epoch) for epoch in epochs] == [expected] * 2


def test_curves_are_drawn_against_the_steps_of_the_optimizer(finished):
    epochs = json.loads((finished / "logs" / "history.json").read_text())
    axes = pretraining_evaluation._curves(epochs).axes[0]
    assert axes.get_xlabel() == "Step"
    assert axes.lines[0].get_xdata().tolist() == [4, 8]


def test_curves_of_a_history_without_steps_are_drawn_against_the_epoch(finished):
    epochs = json.loads((finished / "logs" / "history.json").read_text())
    del epochs[0]["steps"]  # of a run that an older version began
    axes = pretraining_evaluation._curves(epochs).axes[0]
    assert axes.get_xlabel() == "Epoch"
    assert axes.lines[0].get_xdata().tolist() == [1, 2]


def test_the_test_split_is_scored_beside_the_most_frequent_piece(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    scores, split = (
        report["scores"],
        json.loads((finished / "examples" / "statistics.json").read_text())["splits"]["test"],
    )
    assert report["pairs"] == split["pairs"] > 10
    assert set(scores) == {"model", "most frequent piece"}
    rival = scores["most frequent piece"]
    assert rival["next_sentence_accuracy"] == pytest.approx(max(split["next"], 1 - split["next"]))
    assert report["blessed"] == (
        scores["model"]["masked_lm_accuracy"] > rival["masked_lm_accuracy"]
    )
    assert (finished / "BLESSED").exists() == report["blessed"]
    assert (finished / "NOT_BLESSED").exists() != report["blessed"]


def test_the_most_frequent_answers_are_those_of_what_counts():
    labels = {"masked_lm": np.array([[7, 7, 5], [7, 0, 0]]), "next_sentence": np.array([1, 0])}
    weights = {
        "masked_lm": np.array([[1, 1, 1], [1, 0, 0]]),
        "next_sentence": np.array([1.0, 0.0]),
    }
    found = pretraining_evaluation._most_frequent([({}, labels, weights)])
    assert found == {"masked_lm_accuracy": 3 / 4, "next_sentence_accuracy": 1.0}


def test_guesses_are_of_pairs_of_the_test_split(finished):
    lines = (finished / "guesses.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 + 8  # a batch
    assert all(line.startswith("|&#91;CLS&#93; ") for line in lines[2:])


def test_a_model_does_not_beat_itself(finished, tmp_path):
    for name in ("examples", "model.text"):
        shutil.copytree(finished / name, tmp_path / name)
    shutil.copy(finished / "model.keras", tmp_path)
    previous = f"--previous={finished / 'model.keras'}"
    pretraining.run(["evaluate", f"--output={tmp_path}", *TINY, previous])
    report = json.loads((tmp_path / "evaluation.json").read_text())
    assert report["scores"]["previous model"] == report["scores"]["model"]
    assert (tmp_path / "NOT_BLESSED").exists()
    assert not (tmp_path / "curves.png").exists()  # there is no history of its training


def test_warm_up_asks_every_signature(finished):
    logs = read_warmup(finished / "serving" / "bert" / "1")
    requests = [log.predict_log.request for log in logs]
    signatures = [request.model_spec.signature_name for request in requests]
    assert sorted(signatures) == ["embeddings", "fill_mask", "next_sentence", "serving_default"]


def test_a_model_that_is_not_blessed_is_not_exported(finished, tmp_path):
    (tmp_path / "NOT_BLESSED").touch()
    message = (
        f"{tmp_path / 'BLESSED'}: expected the mark of a model that beat its rivals; improve "
        "the model, or give --export_anyway. Received: NOT_BLESSED"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        pretraining.run(["export", f"--output={tmp_path}"])
    assert not (tmp_path / "serving").exists()


def test_words_are_put_together_from_pieces():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sea", "##side", "a"]
    assert pretraining_serving.words([2, 7, 5, 6, 6, 3, 4, 6, 3, 0], pieces) == [
        "a",
        "seasidesideside",
    ]


def test_a_checked_text_has_a_gap_at_least():
    seeds = range(40)
    texts = {pretraining_serving._with_gaps(["one", "two"], random.Random(x)) for x in seeds}
    assert {"[MASK] two", "one [MASK]"} <= texts
    assert texts <= {"[MASK] two", "one [MASK]", "[MASK] [MASK]"}


def test_an_interrupted_training_goes_on_as_the_uninterrupted_one(
    finished, output, monkeypatch, capsys
):
    saved = Backup.on_epoch_end

    def interrupted(self, epoch, logs=None):
        saved(self, epoch, logs)
        raise KeyboardInterrupt

    monkeypatch.setattr(Backup, "on_epoch_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(output)
    monkeypatch.undo()
    assert "stopped after 1 epochs; the train stage goes on from there" in capsys.readouterr().out
    found = train(output)
    assert "going on after epoch 1 of an interrupted run" in capsys.readouterr().out
    assert_same_history(found, history(finished))


@pytest.mark.parametrize(
    ("most", "steps", "epochs"), [(4, 4, 2), (3, 3, 3), (5, 4, 2), (8, 8, 1), (500, 8, 1)]
)
def test_epochs_are_equal_parts_of_all_steps(most, steps, epochs):
    assert pretraining_training.equal_epochs(8, most) == (steps, epochs)


def longer(finished, folder, bert_files, vocabulary):
    """Prepares pairs of 64 ids with a vocabulary."""
    settings = ["--max_length=64", f"--vocabulary={vocabulary}"]
    pretraining.run(["prepare", f"--output={folder}", *bert_files, *settings])


def test_a_second_phase_begins_with_the_weights_of_the_first(
    finished, tmp_path, bert_files, capsys
):
    longer(finished, tmp_path, bert_files, finished / "model.text" / "vocab.txt")
    initial = finished / "model.keras"
    still = ["--steps=2", "--warmup_steps=0", "--learning_rate=1e-9", "--weight_decay=0"]
    train(tmp_path, f"--initial={initial}", *still)
    assert f"going on from {initial}" in capsys.readouterr().out
    models = [trained_model.load_bert(x / "model.keras")[0] for x in (finished, tmp_path)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert trained_model.load_bert(tmp_path / "model.keras")[1].max_length == 64


@pytest.fixture
def first_phase(finished, tmp_path):
    """Folder of a trained model that can be changed."""
    folder = tmp_path / "first"
    shutil.copytree(finished / "model.text", folder / "model.text")
    shutil.copy(finished / "model.keras", folder)
    return folder


def test_a_first_phase_of_another_vocabulary_is_refused(first_phase, output):
    path = first_phase / "model.text" / "vocab.txt"
    pieces = BERTNames.load(path.parent).pieces
    path.write_text("".join(f"{x}\n" for x in [*pieces[:-2], pieces[-1], pieces[-2]]))
    message = (
        f"{first_phase / 'model.keras'}: expected the vocabulary of the examples; prepare them "
        f"with its vocab.txt as --vocabulary. Received: in line {len(pieces) - 1} "
        f"{pieces[-1]!r}, where the examples have {pieces[-2]!r}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        train(output, f"--initial={first_phase / 'model.keras'}")
    assert not (output / "model.keras").exists()


def test_a_first_phase_without_case_is_refused_for_examples_with_case(first_phase, output):
    path = first_phase / "model.text" / "text.json"
    path.write_text(path.read_text().replace("false", "true"))
    message = (
        f"{first_phase / 'model.keras'}: expected the lowercase of the examples; prepare them "
        "with --lowercase. Received: True, where the examples have False"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        train(output, f"--initial={first_phase / 'model.keras'}")


def test_a_first_phase_of_another_size_is_refused(finished, output):
    initial = finished / "model.keras"
    sizes = dict(trained_model.load_bert(initial)[0].encoder.config)
    other = sizes | {"units": 12, "feed_forward_units": 48}
    message = f"{initial}: expected a BERT of the size of the options {other}. Received: {sizes}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        train(output, f"--initial={initial}", "--units=12")
    assert not (output / "model.keras").exists()


@pytest.mark.slow
def test_computing_layers_twice_changes_no_loss(finished, output, monkeypatch):
    made, remat = [], keras.remat
    monkeypatch.setattr(keras, "remat", lambda function: made.append(1) or remat(function))
    assert_same_history(train(output, "--remat"), history(finished))
    assert len(made) >= 2  # both layers


@pytest.mark.slow
def test_batches_are_accumulated(output):
    found = train(output, "--batch_size=4", "--accumulate=2", "--steps=16", "--steps_per_epoch=8")
    assert found[1]["loss"] < found[0]["loss"]


@pytest.mark.slow
def test_mixed_precision_trains_weights_of_float32(output):
    found = train(output, "--mixed_precision")
    assert np.isfinite(list(found[0].values())).all()
    assert found[1]["loss"] < found[0]["loss"]
    model, _ = trained_model.load_bert(output / "model.keras")
    assert model.dtype_policy.name == "mixed_bfloat16"
    assert {weight.dtype for weight in model.get_weights()} <= {
        np.dtype("float32"),
        np.dtype("uint32"),
    }
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
def test_without_clipping_gradients_are_taken_as_they_are(output):
    assert train(output, "--clip=0") != train(output, "--clip=0.001")


@pytest.mark.slow
def test_pieces_that_are_hidden_once_and_for_all_are_trained_on(tmp_path, bert_files):
    settings = ["--vocabulary_size=300", "--max_length=32", "--dupe_factor=2", "--whole_words"]
    settings += ["--most_predictions=4", "--output_format=parquet"]
    pretraining.run(["prepare", f"--output={tmp_path}", *bert_files, *settings])
    assert len(train(tmp_path)) == 2


@pytest.mark.slow
def test_training_on_jax_needs_neither_tensorflow_nor_beam(bert_examples, tmp_path, without):
    shutil.copytree(bert_examples["parquet"], tmp_path / "examples")
    output = f"--output={tmp_path}"
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.pretraining", "train", output, *TINY, "--jit=auto"],
        cwd=ROOT,
        env=without("tensorflow", "tensorflow_text", "apache_beam", "tensorboard"),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    assert "backend jax, XLA on: JAX always compiles" in done.stdout
    assert "nothing for TensorBoard, which needs TensorFlow" in done.stdout
    assert len(history(tmp_path)) == 2
    pretraining.run(["evaluate", output, *TINY])
    assert json.loads((tmp_path / "evaluation.json").read_text())["pairs"] > 10


@pytest.mark.slow
def test_killed_train_resumes_and_ends_with_the_same_metrics(command, bert_examples, tmp_path):
    folders = tmp_path / "clean", tmp_path / "killed"
    for folder in folders:
        shutil.copytree(bert_examples["tfrecord"], folder / "examples")
    options = [*TINY, "--steps=24"]
    one, other = histories_of_killed_training(command, folders, options, task="pretraining")
    drop = lambda epochs: [{k: v for k, v in x.items() if k not in SPEEDS} for x in epochs]  # noqa: E731
    assert len(one) == 6
    assert_same_history(drop(one), drop(other))


@pytest.mark.slow
def test_the_check_agrees_with_its_model_and_not_with_another(
    finished, tmp_path, capsys, monkeypatch
):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(pretraining_serving, "CHECKED", 60)
    pretraining.run(["check", f"--output={tmp_path}"])
    printed = capsys.readouterr().out
    report, _ = json.JSONDecoder().raw_decode(printed[printed.index("\n{") + 1 :])
    assert report["ops"] == "every op is in TensorFlow Serving 2.20"
    assert report["client"] == report["gRPC"] == f"{report['cases']} requests agree"
    assert report["texts"].startswith("60")
    model, _ = trained_model.load_bert(tmp_path / "model.keras")
    model.set_weights([weight * 1.05 for weight in model.get_weights()])
    model.save(tmp_path / "model.keras")
    with pytest.raises(CheckFailed, match="client: a request to serving_default: the client's"):
        pretraining.run(["check", f"--output={tmp_path}"])


@pytest.mark.slow
def test_the_sample_corpus_goes_all_the_way(command, tmp_path):
    """Without files; the model learns nothing in so few steps, which no stage minds."""
    options = [*TINY, "--max_length=32", "--steps=4", "--export_anyway"]
    done = command("run", f"--output={tmp_path}", *options, task="pretraining")
    assert done.returncode == 0, done.stderr
    assert "requests agree" in done.stdout


def test_every_option_says_what_it_is():
    silent = [action.dest for action in pretraining.arguments()._actions if not action.help]
    assert silent == []
