"""The tagger on BERT from a corpus to a served model, and the options it refuses."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf

from pipelines import tagging
from seqnlp.records import read_manifest, read_sentences
from tests.pipelines.conftest import ROOT

# Parts of 12 ids: most sentences come in several.
PIECES = ["--encoder=bert", "--vocabulary_size=1000", "--max_pieces=12"]
SHORT = ["--encoder=bert", "--max_pieces=12", "--epochs=1", "--steps_per_epoch=3"]
SHORT += ["--batch_size=8"]


@pytest.fixture(scope="module")
def prepared(files, tmp_path_factory):
    """Folder with examples in pieces."""
    output = tmp_path_factory.mktemp("pieces")
    settings = ["--max_train_examples=250", "--output_format=parquet"]
    tagging.run(["prepare", f"--output={output}", *files, *PIECES, *settings])
    return output


@pytest.fixture(scope="module")
def trained(prepared):
    """The same with a model, and what was printed."""
    command = [sys.executable, "-m", "pipelines.tagging", "train", f"--output={prepared}", *SHORT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return prepared, done.stdout


def test_a_part_of_the_training_is_prepared_in_parts_of_pieces(prepared):
    manifest = read_manifest(str(prepared / "examples"))
    train = manifest.statistics["splits"]["train"]
    assert (manifest.records("train"), train["left_out"]) == (250, 50)
    assert train["part_lengths"]["max"] == 12
    assert train["in_several_parts"] > 100
    assert not (prepared / "examples" / "characters.txt").exists()


@pytest.mark.slow
def test_training_keeps_the_pieces_beside_the_model(trained):
    output, printed = trained
    assert re.search(r"encoder of \d+ weights, \d+ pieces, from random weights", printed)
    for name in (
        "vocabulary.txt",
        "tags.txt",
        "encoding.json",
        "bert/vocab.txt",
        "bert/text.json",
    ):
        assert (output / "model.text" / name).exists(), name
    assert set(json.loads((output / "logs" / "history.json").read_text())[0]) >= {"loss", "val_f1"}
    assert (output / "logs" / "projector_config.pbtxt").exists()
    assert not (output / "backup").exists()


@pytest.mark.slow
def test_every_token_of_the_test_is_tagged_and_the_model_is_served(trained, capsys):
    output, _ = trained
    options = [f"--output={output}", "--export_anyway"]
    tagging.run(["evaluate", f"--output={output}"])
    report = json.loads((output / "evaluation.json").read_text())
    sentences = list(read_sentences(str(output / "examples"), "test"))
    assert report["tokens"] == sum(len(tokens) for tokens, _ in sentences)
    tagging.run(["export", *options])
    tagging.run(["check", *options])
    assert "requests agree" in capsys.readouterr().out
    served = tf.saved_model.load(str(output / "serving" / "tagger" / "1"))
    assert set(served.signatures) == {
        "serving_default",
        "pretokenized",
        "spans",
        "marginals",
        "k_best",
    }


@pytest.mark.slow
def test_jax_trains_without_tensorflow_and_beam(prepared, tmp_path, without):
    shutil.copytree(prepared / "examples", tmp_path / "examples")
    command = [sys.executable, "-m", "pipelines.tagging", "train", f"--output={tmp_path}", *SHORT]
    environment = without("tensorflow", "tensorflow_text", "apache_beam")
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "backend jax, XLA on: JAX always compiles" in done.stdout
    tagging.run(["evaluate", f"--output={tmp_path}"])
    assert json.loads((tmp_path / "evaluation.json").read_text())["sentences"] == 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--bert=x.keras"],
            "`--bert` must not be given but with --encoder bert. "
            "Received: --bert=x.keras and --encoder=bilstm",
        ),
        (
            ["--layer_decay=0.9"],
            "`--layer_decay` must not be given but with --encoder bert. "
            "Received: --layer_decay=0.9 and --encoder=bilstm",
        ),
        (
            ["--encoder=bert", "--char_encoder=lstm"],
            "`--char_encoder` must not be given but with --encoder bilstm. "
            "Received: --char_encoder=lstm and --encoder=bert",
        ),
        (
            ["--encoder=bert", "--bert=x.h5"],
            "`--bert` must be a .keras file of pipelines.pretraining, or a folder with the "
            "config.json of Hugging Face's BERT or the bert_config.json of Google's. "
            "Received: x.h5",
        ),
        (
            ["--encoder=bert", "--random_weights"],
            "`--random_weights` must be given with --bert, whose size and vocabulary it takes. "
            "Received: no --bert",
        ),
        (
            ["--encoder=bert", "--bert=x.keras"],
            "`--bert` must name a file that is there. Received: x.keras",
        ),
        (
            ["--encoder=bert", "--max_pieces=4"],
            "`bert['max_length']` must be at least 5. Received: bert['max_length']=4",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(files, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tagging.run(["prepare", f"--output={tmp_path}", *files, *arguments])
    assert not (tmp_path / "examples").exists()


@pytest.mark.parametrize("kind", ["bilstm", "bert"])
def test_examples_for_another_encoder_are_refused(kind, request, tmp_path):
    prepared = request.getfixturevalue("prepared" if kind == "bert" else "finished")
    shutil.copytree(prepared / "examples", tmp_path / "examples")
    other = "bilstm" if kind == "bert" else "bert"
    message = (
        f"`--encoder` must be {kind}, for which the examples were prepared; run the prepare stage "
        f"to change it. Received: --encoder={other}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tagging.run(["train", f"--output={tmp_path}", f"--encoder={other}"])


def test_segments_need_tags_that_mark_spans_with_a_bert_too(prepared, tmp_path):
    shutil.copytree(prepared / "examples", tmp_path / "examples")
    message = (
        "`--max_segment_length` must be given with --head semi_markov_crf alone, as no other head "
        "scores segments. Received: --max_segment_length=3"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tagging.run(["train", f"--output={tmp_path}", *SHORT, "--max_segment_length=3"])
