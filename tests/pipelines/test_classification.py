"""The path of classification on a small corpus, and what each stage leaves."""

import json
import math
import shutil

import keras
import numpy as np
import pytest

from pipelines import classification, trained_model
from pipelines.classification_evaluation import beats, predict, softmax
from pipelines.classification_serving import Expected
from seqnlp.models import BERTEncoder, BERTPretrainer
from seqnlp.records import read_labelled_texts, read_manifest
from seqnlp.text import BERTText
from tests.preprocessing.small_labelled import pairs, texts, write

SIZES = {"train": 160, "dev": 40, "test": 40}
PREPARE = ["--vocabulary_size=120", "--max_length=24"]
TRAIN = ["--epochs=2", "--batch_size=16", "--jit=false", "--learning_rate=1e-3"]
COLUMNS = ["--task=regression", "--columns=text=0,text2=1,label=2"]


def files(folder, make):
    return [
        f"--{name}={write(folder / f'{name}.tsv', make(number, seed))}"
        for seed, (name, number) in enumerate(SIZES.items())
    ]


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """Path of a small pretrained model, with its text beside it."""
    folder = tmp_path_factory.mktemp("pretrained")
    corpus = files(folder, texts)
    classification.run(["prepare", f"--output={folder}", *corpus, *PREPARE, "--lowercase"])
    pieces = len(BERTText.load(str(folder / "examples")).names.pieces)
    sizes = {"units": 16, "num_layers": 1, "num_heads": 2, "feed_forward_units": 16}
    model = BERTPretrainer(BERTEncoder(pieces, **sizes, max_length=24))
    model.build(dict.fromkeys(("token_ids", "segment_ids", "positions"), (None, None)))
    model.save(folder / "model.keras")
    trained_model.save_text(folder / "model.keras", str(folder / "examples"))
    return folder / "model.keras"


@pytest.fixture(scope="module")
def encoder(pretrained):
    return f"--encoder={pretrained}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory, encoder):
    """Folder in which all but the last stage ran on texts with labels."""
    folder = tmp_path_factory.mktemp("finished")
    output, corpus = f"--output={folder}", files(folder, texts)
    classification.run(["prepare", output, *corpus, encoder, "--max_length=24"])
    for stage in ("train", "evaluate", "export"):
        classification.run([stage, output, encoder, *TRAIN, "--export_anyway"])
    return folder


@pytest.fixture(scope="module")
def similar(tmp_path_factory, encoder):
    """The same on pairs with numbers."""
    folder = tmp_path_factory.mktemp("similar")
    output, corpus = f"--output={folder}", files(folder, pairs)
    classification.run(["prepare", output, *corpus, *COLUMNS, encoder, "--max_length=24"])
    # A rate at which answers spread: those that are nearly equal correlate by their last digits.
    options = [encoder, *TRAIN, "--learning_rate=0.02", "--export_anyway"]
    for stage in ("train", "evaluate", "export"):
        classification.run([stage, output, *options])
    return folder


def copy_of(finished, tmp_path, *names):
    for name in names:
        source, target = finished / name, tmp_path / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    return tmp_path


def report_of(folder):
    return json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))


def test_the_stages_leave_their_results(finished):
    expected = [
        "examples/manifest.json",
        "model.keras",
        "model.text/vocab.txt",
        "model.text/labels.txt",
        "logs/history.json",
        "evaluation.json",
        "confusion.png",
        "errors.txt",
        "serving/classifier/1/saved_model.pb",
        "serving/classifier/1/assets.extra/tf_serving_warmup_requests",
    ]
    assert [name for name in expected if not (finished / name).exists()] == []
    assert not (finished / "backup").exists()


def test_the_vocabulary_is_that_of_the_encoder(finished, pretrained):
    taken, given = (
        (folder / "vocab.txt").read_text()
        for folder in (finished / "examples", pretrained.with_suffix(".text"))
    )
    assert taken == given
    assert read_manifest(str(finished / "examples")).options["lowercase"]


def test_the_best_epoch_is_that_of_the_accuracy_on_dev(finished):
    history = json.loads((finished / "logs" / "history.json").read_text())
    sentences, truth = zip(*read_labelled_texts(str(finished / "examples"), "eval"), strict=True)
    answer = predict(finished / "model.keras", list(sentences), False, 16)
    right = np.mean([x == y for x, y in zip(truth, answer.labels, strict=True)])
    assert right == pytest.approx(max(epoch["val_accuracy"] for epoch in history), abs=1e-6)


def test_the_best_epoch_of_numbers_is_that_of_the_correlation_on_dev(similar):
    history = json.loads((similar / "logs" / "history.json").read_text())
    sides, truth = zip(*read_labelled_texts(str(similar / "examples"), "eval"), strict=True)
    answer = predict(similar / "model.keras", list(sides), True, 16)
    found = np.corrcoef(truth, answer.labels)[0, 1]
    assert found == pytest.approx(max(epoch["val_pearson"] for epoch in history), abs=1e-4)


def test_training_of_numbers_begins_at_their_mean(similar):
    history = json.loads((similar / "logs" / "history.json").read_text())
    values = [value for *_, value in pairs(160)]
    assert history[0]["loss"] < np.var(values) + np.mean(values) ** 2 / 2


def test_evaluation_scores_labels(finished):
    report = report_of(finished)
    assert report["examples"] == 40
    assert set(report["scores"]) == {"model", "most frequent label"}
    assert set(report["scores"]["model"]["classes"]) == {"bad", "good"}
    counts = [label for _, label in texts(160)]
    truth = [label for _, label in texts(40, 2)]
    frequent = max(("bad", "good"), key=counts.count)
    expected = truth.count(frequent) / 40
    assert report["scores"]["most frequent label"]["accuracy"] == pytest.approx(expected)


def test_evaluation_scores_numbers(similar):
    scores = report_of(similar)["scores"]
    assert set(scores) == {"model", "mean"}
    mean = sum(value for *_, value in pairs(160)) / 160
    errors = [(value - mean) ** 2 for *_, value in pairs(40, 2)]
    assert scores["mean"]["mse"] == pytest.approx(sum(errors) / 40, rel=1e-4)
    assert scores["mean"]["pearson"] == 0
    assert not (similar / "confusion.png").exists()


def test_blessing_follows_the_scores(finished, similar):
    for folder, rival in ((finished, "most frequent label"), (similar, "mean")):
        report = report_of(folder)
        better = beats(report["scores"]["model"], report["scores"][rival])
        assert report["blessed"] == better
        assert (folder / "BLESSED").exists() == better
        assert (folder / "NOT_BLESSED").exists() != better


@pytest.mark.parametrize(
    ("scores", "rival", "expected"),
    [
        ({"accuracy": 0.6}, {"accuracy": 0.5}, True),
        ({"accuracy": 0.5}, {"accuracy": 0.5}, False),
        ({"pearson": 0.5, "mse": 1.0}, {"pearson": 0.0, "mse": 2.0}, True),
        ({"pearson": 0.5, "mse": 3.0}, {"pearson": 0.0, "mse": 2.0}, False),
        ({"pearson": 0.5, "mse": 1.0}, {"pearson": 0.6, "mse": 2.0}, False),
    ],
)
def test_numbers_must_correlate_more_and_err_less(scores, rival, expected):
    assert beats(scores, rival) == expected


def test_errors_are_in_the_order_of_confidence(finished, similar):
    for folder, order in ((finished, "the most confident first"), (similar, "the furthest off ")):
        first, *lines = (folder / "errors.txt").read_text().splitlines()
        assert order in first
        weights = [float(line.removeprefix("# ")) for line in lines if line.startswith("# ")]
        assert weights == sorted(weights, reverse=True)


def test_a_model_does_not_beat_itself(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    previous = f"--previous={finished / 'model.keras'}"
    classification.run(["evaluate", f"--output={output}", previous])
    scores = report_of(output)["scores"]
    assert scores["previous model"] == scores["model"]
    assert (output / "NOT_BLESSED").exists()


def test_a_previous_model_of_numbers_is_refused_for_labels(finished, similar, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    previous = similar / "model.keras"
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        classification.run(["evaluate", f"--output={output}", f"--previous={previous}"])
    assert str(error.value) == (
        f"{previous}: expected a model of labels, as the examples have. "
        "Received: a model of numbers"
    )


def test_a_pretrained_model_is_no_classifier(finished, pretrained, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        classification.run(["evaluate", f"--output={output}", f"--previous={pretrained}"])
    assert str(error.value) == (
        f"{pretrained}: expected a model of pipelines.classification. Received: a BERTPretrainer"
    )


def test_fewer_examples_make_shorter_epochs(finished, encoder, tmp_path, capfd):
    output = copy_of(finished, tmp_path, "examples")
    options = [encoder, *TRAIN, "--epochs=1", "--max_train_examples=40"]
    classification.run(["train", f"--output={output}", *options])
    assert "3/3 - " in capfd.readouterr().out


def test_an_encoder_without_its_training_keeps_its_size(finished, encoder, pretrained, tmp_path):
    output = copy_of(finished, tmp_path, "examples")
    options = [encoder, "--random_weights", *TRAIN, "--learning_rate=1e-9", "--epochs=1"]
    classification.run(["train", f"--output={output}", *options])
    ours, theirs = (
        keras.models.load_model(path).encoder for path in (output / "model.keras", pretrained)
    )
    assert ours.config | {"dropout": 0} == theirs.config | {
        "dropout": 0,
        "attention_dropout": ours.config["attention_dropout"],
    }
    kernel = [encoder.token_embedding.embeddings.numpy() for encoder in (ours, theirs)]
    assert not np.allclose(*kernel)


def test_examples_of_another_vocabulary_are_refused(encoder, tmp_path):
    corpus = files(tmp_path, texts)
    classification.run(["prepare", f"--output={tmp_path}", *corpus, "--vocabulary_size=60"])
    with pytest.raises(
        ValueError, match="vocab.txt: expected the vocabulary of .*Received: other"
    ):
        classification.run(["train", f"--output={tmp_path}", encoder, *TRAIN])


def test_numbers_of_pairs_are_exported_with_two_inputs(similar):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(similar / "serving" / "classifier" / "1"))
    answer = loaded.signatures["serving_default"](
        text=tf.constant(["a film"]), text2=tf.constant(["a film of music"])
    )
    assert set(answer) == {"value", "truncated"}


def test_a_model_that_is_not_blessed_is_not_exported(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras", "model.text")
    with pytest.raises(ValueError, match="expected the mark of a model that beat its rivals"):
        classification.run(["export", f"--output={output}"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["finished", "similar"])
def test_an_export_is_served_as_the_model_answers(kind, request, capsys):
    folder = request.getfixturevalue(kind)
    classification.run(["check", f"--output={folder}"])
    assert '"client": "' in capsys.readouterr().out


def test_what_is_expected_of_an_export_follows_from_the_model(finished):
    model, text, labels = trained_model.load_classifier(finished / "model.keras")
    cases = list(Expected(model, text, labels).cases([("a fine film",), ("dull",)]))
    assert [case["signature"] for case in cases] == ["serving_default", "embeddings"]
    assert cases[0]["inputs"] == {"text": ["a fine film", "dull"]}
    assert all(math.isclose(sum(row), 1) for row in cases[0]["outputs"]["label_scores"])


def test_softmax_of_large_logits_is_finite():
    scores = softmax(np.array([[1000.0, 0.0], [2.0, 2.0]]))
    np.testing.assert_allclose(scores, [[1, 0], [0.5, 0.5]])


@pytest.mark.slow
def test_jax_trains_without_tensorflow_and_beam(encoder, pretrained, tmp_path, without, command):
    corpus = files(tmp_path, texts)
    output = f"--output={tmp_path}"
    options = [encoder, "--max_length=24", "--output_format=parquet"]
    classification.run(["prepare", output, *corpus, *options])
    environment = without("tensorflow", "tensorflow_text", "apache_beam", "tensorboard")
    done = run_in(environment, "train", output, encoder, *TRAIN, "--jit=auto")
    assert done.returncode == 0, done.stderr
    assert "backend jax, XLA on: JAX always compiles" in done.stdout
    done = command("evaluate", output, task="classification")
    assert done.returncode == 0, done.stderr
    assert report_of(tmp_path)["examples"] == 40


def run_in(environment, *arguments):
    import subprocess
    import sys

    from tests.pipelines.conftest import ROOT

    words = [sys.executable, "-m", "pipelines.classification", *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_every_option_says_what_it_is():
    silent = [action.dest for action in classification.arguments()._actions if not action.help]
    assert silent == []
