"""Parquet examples: training on JAX with neither TensorFlow nor Beam, and what is refused."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from pipelines import tagging, tagging_streams
from pipelines.tagging_streams import forget_rates, forgetful
from seqnlp.records import read_manifest
from seqnlp.text import TaggingNames
from tests.preprocessing.small_corpus import CITIES, write

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def prepared(files, tmp_path_factory):
    """Folder with Parquet examples of the corpus."""
    output = tmp_path_factory.mktemp("parquet")
    tagging.run(["prepare", f"--output={output}", *files, "--output_format=parquet"])
    return output


@pytest.fixture
def output(prepared, tmp_path):
    shutil.copytree(prepared / "examples", tmp_path / "output" / "examples")
    return tmp_path / "output"


def run(environment, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pipelines.tagging", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )


BLOCKED = ("tensorflow", "tensorflow_text", "apache_beam", "tensorboard")
SMALL = ["--units=8", "--word_units=8", "--char_encoder=none", "--batch_size=32", "--epochs=3"]


def two_lengths(name, number):
    """A sentence of 4 or 6 tokens: two shapes to compile for."""
    start = [("please", "O"), ("now", "O")] if number % 2 else []
    city = CITIES[number % len(CITIES)]
    return [*start, ("to", "O"), (city, "B-city"), ("by", "O"), (f"{name}{number}", "O")]


@pytest.fixture(scope="module")
def trained(without, tmp_path_factory):
    """Folder in which JAX trained without TensorFlow and Beam, killed once on its way."""
    output = tmp_path_factory.mktemp("trained")
    files = []
    for name, number in (("train", 200), ("dev", 40), ("test", 40)):
        path = write(output / f"{name}.conll", [two_lengths(name, at) for at in range(number)])
        files.append(f"--{name}={path}")
    options = ["--encoding=bio", "--output_format=parquet"]
    tagging.run(["prepare", f"--output={output}", *files, *options])
    environment = without(*BLOCKED)
    arguments = ["train", f"--output={output}", *SMALL, "--learning_rate=0.03"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.tagging", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    backup = output / "backup" / "epoch-1.weights.h5"
    while process.poll() is None and not backup.exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() != 0
    done = run(environment, *arguments)
    assert done.returncode == 0, done.stderr
    return output, done.stdout


@pytest.mark.slow
def test_jax_trains_resumes_and_keeps_the_best_without_tensorflow_and_beam(trained):
    output, printed = trained
    assert "backend jax, XLA on: JAX always compiles" in printed
    assert "going on after epoch 1 of an interrupted run" in printed
    logs = output / "logs" / "history.json"
    assert f"nothing for TensorBoard, which needs TensorFlow; see {logs}" in printed
    history = json.loads(logs.read_text())
    assert len(history) == 3
    assert history[2]["loss"] < history[0]["loss"]
    best = max(range(3), key=lambda epoch: history[epoch]["val_f1"])
    value = history[best]["val_f1"]
    assert f"best epoch {best + 1}: val_f1 {value:.4f} -> {output}/model.keras" in printed
    assert (output / "model.text" / "vocabulary.txt").exists()
    assert not (output / "backup").exists()


@pytest.mark.slow
def test_a_model_of_jax_is_evaluated_exported_and_checked_on_tensorflow(trained, command):
    output, _ = trained
    for stage in ("evaluate", "export", "check"):
        done = command(stage, f"--output={output}", "--export_anyway")
        assert done.returncode == 0, done.stderr
    assert json.loads((output / "evaluation.json").read_text())["sentences"] == 40
    # The same weights score the same on either backend.
    from pipelines.tagging_evaluation import predict
    from seqnlp.callbacks import tag_scores
    from seqnlp.records import read_sentences

    sentences = list(read_sentences(output / "examples", "eval"))
    scores = tag_scores(
        [tags for _, tags in sentences],
        predict(output / "model.keras", sentences, "bio", 32).tags,
        "bio",
    )
    history = json.loads((output / "logs" / "history.json").read_text())
    best = max(history, key=lambda epoch: epoch["val_f1"])
    assert scores["f1"] == pytest.approx(best["val_f1"], abs=1e-6)


def test_tensorflow_trains_on_parquet(output, tiny):
    tagging.run(["train", f"--output={output}", *tiny])
    history = json.loads((output / "logs" / "history.json").read_text())
    assert history[1]["loss"] < history[0]["loss"]
    assert list((output / "logs" / "train").glob("events*"))


class Options:
    batch_size, seed, word_dropout = 16, 5, 1.0


def stream(output, first_epoch, steps, monkeypatch):
    """The batches of JAX' stream, its words unforgotten."""
    monkeypatch.setattr(tagging_streams, "needs_tensorflow", lambda _: False)
    manifest = read_manifest(str(output / "examples"), verify=False)
    words = len(TaggingNames.load(manifest.folder).words)
    options = Options()
    options.word_dropout = 0.0
    return tagging_streams.training_batches(options, manifest, words, steps, first_epoch, {})


def test_a_resumed_stream_goes_on_where_the_first_one_would(prepared, monkeypatch):
    """12 epochs of 7 steps: more than the 19 batches of a pass over the examples."""
    whole, resumed = (stream(prepared, epoch, 7, monkeypatch) for epoch in (0, 4))
    for _ in range(4 * 7):
        next(whole)
    for _ in range(30):
        one, other = next(whole), next(resumed)
        np.testing.assert_array_equal(one[0]["word_ids"], other[0]["word_ids"])


def test_words_are_forgotten_at_their_rates_and_padding_never():
    rates = forget_rates(np.array([999, 0, 1, 3]), 1.0)
    np.testing.assert_allclose(rates, [0, 1 / 2, 1 / 2, 1 / 4])
    words = np.tile(np.array([0, 2, 3], "int32"), (10_000, 1))
    batch = ({"word_ids": words, "char_ids": "kept"}, "tags", "weight")
    ((inputs, *rest),) = forgetful([batch], rates, np.random.default_rng(0))
    assert rest == ["tags", "weight"]
    assert inputs["char_ids"] == "kept"
    assert inputs["word_ids"].dtype == np.int32
    assert set(np.unique(inputs["word_ids"])) == {0, 1, 2, 3}
    unknown = (inputs["word_ids"] == 1).mean(axis=0)
    np.testing.assert_allclose(unknown, [0, 1 / 2, 1 / 4], atol=0.02)


def refused(done):
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip().split("\n")[-1]


def test_a_missing_pyarrow_names_its_extra(output, without):
    done = run(without("pyarrow"), "train", f"--output={output}", *SMALL)
    assert refused(done) == 'error: Parquet files need pyarrow: pip install "seqnlp[parquet]".'


def test_tfrecord_without_tensorflow_names_its_extra(finished, tmp_path, without):
    shutil.copytree(finished / "examples", tmp_path / "examples")
    done = run(without("tensorflow"), "train", f"--output={tmp_path}", *SMALL)
    assert refused(done) == (
        'error: TFRecord examples need tensorflow: pip install "seqnlp[tensorflow]", or prepare '
        "them as Parquet."
    )


def test_options_of_beam_without_beam_name_its_extra(output, without):
    done = run(without("apache_beam"), "train", f"--output={output}", "--runnner=x")
    assert refused(done) == (
        "error: the options --runnner=x are not the pipeline's (--help), and Apache Beam's need "
        'apache-beam: pip install "seqnlp[beam]"'
    )


@pytest.mark.parametrize("stage", ["run", "evaluate", "export", "check"])
def test_stages_on_strings_are_refused_on_jax(output, stage):
    done = run({**os.environ, "KERAS_BACKEND": "jax"}, stage, f"--output={output}")
    assert refused(done) == (
        f"error: KERAS_BACKEND must be tensorflow for {stage}, which works on strings; the model "
        "of a train stage on JAX does there. Received: KERAS_BACKEND=jax"
    )


SHARD = "examples/Split-train/examples-00002-of-00004.parquet"
COLUMNS = "tokens, word_ids, tag_ids, char_ids, char_counts"


def entry_of(path):
    manifest = read_manifest(str(path.parents[1]), verify=False)
    listed = {entry["file"]: entry for entry in manifest.content["shards"]["train"]}
    return listed[f"Split-train/{path.name}"]


def checksums(entry):
    return f"{entry['bytes']} bytes with SHA-256 {entry['sha256']}"


def checksums_of(path):
    data = path.read_bytes()
    return checksums({"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})


def test_a_truncated_shard(program, output, tiny):
    path = output / SHARD
    path.write_bytes(path.read_bytes()[:-100])
    message = refused(program("train", f"--output={output}", *tiny))
    assert message == (
        f"error: {path}: expected {checksums(entry_of(path))}. Received: {checksums_of(path)}. "
        f"First damage: {path}, from row 1 on: expected an intact Parquet file. Received: Parquet "
        "magic bytes not found in footer. Either the file is corrupted or this is not a parquet "
        "file. Run the preparation again."
    )
    assert not (output / "model.keras").exists()


def without_column(path, column):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(table.drop_columns([column]), path)


def test_a_shard_that_lacks_a_column(program, output, tiny):
    path = output / SHARD
    without_column(path, "tag_ids")
    message = refused(program("train", f"--output={output}", *tiny))
    assert message == (
        f"error: {path}: expected {checksums(entry_of(path))}. Received: {checksums_of(path)}. "
        f"First damage: {path}, column 'tag_ids': expected the columns {COLUMNS}. Received: "
        "tokens, word_ids, char_ids, char_counts. Run the preparation again."
    )


def test_a_manifest_that_says_the_other_format(program, output, tiny):
    path = output / "examples" / "manifest.json"
    text = path.read_text()
    assert '"output_format": "parquet"' in text
    path.write_text(text.replace('"output_format": "parquet"', '"output_format": "tfrecord"'))
    assert refused(program("train", f"--output={output}", *tiny)) == (
        f"error: {path}: expected a manifest of prepared examples; run the preparation again. "
        "Received: ValueError: output_format 'tfrecord' and "
        "Split-eval/examples-00000-of-00001.parquet"
    )


def test_a_manifest_beside_files_of_the_other_format(program, output, finished, tiny):
    shutil.copytree(finished / "examples", output / "examples", dirs_exist_ok=True)
    shard = output / "examples" / "Split-train" / "examples-00000-of-00004"
    shard.with_name(shard.name + ".tfrecord.gz").unlink()
    assert refused(program("train", f"--output={output}", *tiny)) == (
        f"error: {shard}.tfrecord.gz: expected the file that manifest.json lists. Received: "
        f"{shard}.parquet. Run the preparation again."
    )
