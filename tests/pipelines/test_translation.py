"""The path of translation on a small corpus, and what each stage leaves."""

import gzip
import itertools
import json
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from pipelines import trained_model, translation, translation_evaluation
from pipelines.translator import Attended, Translator
from seqnlp.records import SPLITS, read_pairs
from seqnlp.samples import write_parallel
from seqnlp.text.names import START_ID
from tests.pipelines.killing import histories_of_killed_training, took
from tests.translators import SOURCES, TARGETS, small_text

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ["--model=rnn", "--units=8", "--embedding_units=8", "--dropout=0", "--epochs=2"]
N_BEST = ["--n_best=1"]
TINY += ["--batch_tokens=512", "--jit=false", "--learning_rate=0.02", "--warmup_steps=5"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The paths of a slice of the sample corpus, by split: source, target, links."""
    return write_parallel(tmp_path_factory.mktemp("parallel"), limit=150)


@pytest.fixture(scope="module")
def files(corpus):
    names = {"train": "train", "eval": "dev", "test": "test"}
    options = [f"--{names[split]}" for split in corpus]
    return [
        str(part)
        for option, paths in zip(options, corpus.values(), strict=True)
        for part in (option, *paths[:2])
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, corpus, files):
    """Folder in which prepare, train and evaluate ran on the corpus."""
    folder = tmp_path_factory.mktemp("finished")
    output = f"--output={folder}"
    translation.run(["prepare", output, *files, "--vocabulary_size=300"])
    translation.run(["train", output, *TINY])
    source, target, links = map(str, corpus["test"])
    also = ["--also_test", source, target]
    translation.run(["evaluate", output, f"--links={links}", *also, "--beam_width=2", *N_BEST])
    return folder


def test_each_stage_leaves_its_results(finished):
    expected = [
        "examples/manifest.json",
        "model.keras",
        "model.text/joint.spm",
        "logs/history.json",
        "evaluation.json",
        "errors.txt",
        "translations.txt",
        *(f"alignment-{number}.png" for number in (1, 2, 3, 4)),
    ]
    assert [name for name in expected if not (finished / name).exists()] == []
    assert not (finished / "backup").exists()


def test_the_history_holds_the_scores_of_every_epoch(finished):
    history = json.loads((finished / "logs" / "history.json").read_text())
    assert len(history) == 2
    assert {"loss", "perplexity", "val_loss", "val_perplexity", "val_bleu"} <= set(history[0])


def test_every_line_of_the_test_split_is_translated_and_scored(finished, corpus):
    report = json.loads((finished / "evaluation.json").read_text())
    lines = (finished / "translations.txt").read_text(encoding="utf-8").split("\n")
    assert report["pairs"] == len(lines) - 1 == 150
    assert set(report["scores"]) == {"model", "source, copied"}
    assert report["scores"]["model"]["signatures"]["bleu"].startswith("nrefs:1|case:mixed|eff:no")
    assert 0 < report["alignment_error_rate"] < 1
    assert 0 < report["attention_entropy"] < 4


def test_another_test_set_is_scored_beside_it(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    assert report["also"]["pairs"] == 150
    assert report["also"]["scores"] == report["scores"]["model"]


def test_blessing_follows_the_scores(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    scores = report["scores"]
    assert report["blessed"] == (scores["model"]["bleu"] > scores["source, copied"]["bleu"])
    assert (finished / "BLESSED").exists() == report["blessed"]
    assert (finished / "NOT_BLESSED").exists() != report["blessed"]


def test_a_model_does_not_beat_itself(finished, tmp_path):
    for name in ("examples", "model.text"):
        shutil.copytree(finished / name, tmp_path / name)
    shutil.copy(finished / "model.keras", tmp_path)
    previous = f"--previous={finished / 'model.keras'}"
    translation.run(["evaluate", f"--output={tmp_path}", previous, "--beam_width=1", *N_BEST])
    report = json.loads((tmp_path / "evaluation.json").read_text())
    assert report["scores"]["previous model"] == report["scores"]["model"]
    assert (tmp_path / "NOT_BLESSED").exists()


def test_links_of_another_test_split_are_refused(finished, tmp_path, files):
    (tmp_path / "short.links").write_text("0-0\n")
    links = f"--links={tmp_path / 'short.links'}"
    with pytest.raises(
        ValueError, match="expected 150 lines, one a pair of the test split; pairs"
    ):
        translation.run(["evaluate", f"--output={finished}", *files, links])


def test_a_line_that_is_no_alignment_is_named(finished, tmp_path, files):
    (tmp_path / "bad.links").write_text("0-0\n" * 149 + "0:0\n")
    links = f"--links={tmp_path / 'bad.links'}"
    with pytest.raises(ValueError, match="bad.links, line 150: `line` must hold links as 3-4"):
        translation.run(["evaluate", f"--output={finished}", *files, links])


def test_links_are_those_of_the_sample_only_where_its_test_split_was_prepared(finished, tmp_path):
    report = json.loads((finished / "evaluation.json").read_text())
    for name in ("examples", "model.text"):
        shutil.copytree(finished / name, tmp_path / name)
    shutil.copy(finished / "model.keras", tmp_path)
    corpus = write_parallel(tmp_path / "corpus", limit=150)["test"]
    evaluate = ["evaluate", f"--output={tmp_path}", "--beam_width=1", *N_BEST]
    translation.run(evaluate)
    found = json.loads((tmp_path / "evaluation.json").read_text())
    assert found["alignment_error_rate"] == report["alignment_error_rate"]
    corpus[0].write_text("another file\n")
    translation.run(evaluate)
    assert "alignment_error_rate" not in json.loads((tmp_path / "evaluation.json").read_text())


def test_a_damaged_other_test_set_is_named_before_anything_is_translated(finished, tmp_path):
    whole = gzip.compress(b"one line\n" * 1000)
    source, target = tmp_path / "a.en.gz", tmp_path / "a.de"
    source.write_bytes(whole[:-20])
    target.write_text("eine Zeile\n" * 1000)
    also = ["--also_test", str(source), str(target)]
    with pytest.raises(ValueError, match=f"{source} \\+ {target}, line .*source: .*"):
        translation.run(["evaluate", f"--output={finished}", *also])


def test_columns_of_a_file_are_chosen(tmp_path, corpus):
    paths = [path.read_text(encoding="utf-8").splitlines() for path in corpus["train"][:2]]
    rows = [f"{target}\t{source}\tCC BY\n" for source, target in zip(*paths, strict=True)]
    table = tmp_path / "a.tsv"
    table.write_text("".join(["target\tsource\tlicence\n", *rows]), encoding="utf-8")
    options = ["--input_format=tsv", "--columns=source=1,target=0,licence=2", "--header"]
    output = f"--output={tmp_path}"
    translation.run(["prepare", output, "--train", str(table), *options, "--vocabulary_size=300"])
    manifest = json.loads((tmp_path / "examples" / "manifest.json").read_text())
    assert manifest["options"]["layout"]["columns"] == {"source": 1, "target": 0, "licence": 2}
    splits = (read_pairs(str(tmp_path / "examples"), split) for split in SPLITS)
    assert sorted(itertools.chain(*splits)) == sorted(set(zip(*paths, strict=True)))


@pytest.mark.parametrize("split", ["train", "dev"])
def test_parallel_text_is_two_files(tmp_path, split, files):
    options = [*files, f"--{split}", "one.en"]
    with pytest.raises(ValueError, match=f"`--{split}` must name two files or patterns with"):
        translation.run(["prepare", f"--output={tmp_path}", *options])


def test_dev_files_need_training_files(tmp_path):
    with pytest.raises(ValueError, match="`--train` must be given with --dev or --test. Received"):
        translation.run(["prepare", f"--output={tmp_path}", "--dev", "a", "b"])


def test_every_option_says_what_it_is():
    silent = [action.dest for action in translation.arguments()._actions if not action.help]
    assert silent == []


def test_the_worst_translations_come_first_and_no_right_one(tmp_path):
    references = ["a red house", "the sea", "one", "a green tree"]
    hypotheses = ["a red mouse", "the sea", "six", "a tree green"]
    translation_evaluation._write_errors(
        tmp_path / "errors.txt", ["s0", "s1", "s2", "s3"], references, hypotheses
    )
    lines = (tmp_path / "errors.txt").read_text().splitlines()
    assert lines[0] == "# 3 of 4 translations differ; the worst by chrF first"
    assert [x.split()[-1] for x in lines if x.startswith("source")] == ["s2", "s0", "s3"]
    assert lines[2:6] == ["# 0.0", "source     s2", "reference  one", "translated six"]


def test_attention_is_that_of_each_piece_over_the_pieces_of_its_own_source():
    """A model that says in its weights where it was asked: row 10 i + column j."""

    class Stub:
        def attention(self, inputs):
            rows, columns = (np.asarray(x).shape[1] for x in reversed(inputs.values()))
            self.read = {name: np.asarray(ids).tolist() for name, ids in inputs.items()}
            return np.tile(10.0 * np.arange(rows)[:, None] + np.arange(columns), (2, 1, 1))

    stub, text = Stub(), small_text()
    translator = Translator(stub, text)
    (first, one), (second, other) = translator.attention(SOURCES[:2], TARGETS[:2])
    assert [first, second] == [0, 1]
    for found, source, target in zip((one, other), SOURCES, TARGETS, strict=False):
        rows, columns = len(found.target), len(found.source)
        assert found.target[-1] == found.source[-1] == "[END]"
        assert "".join(found.source[:-1]).replace("▁", " ").strip() == source
        assert "".join(found.target[:-1]).replace("▁", " ").strip() == target
        expected = 10.0 * np.arange(rows)[:, None] + np.arange(columns)
        np.testing.assert_array_equal(found.weights, expected)
    read, source = stub.read["target_ids"], stub.read["source_ids"]
    assert [row[0] for row in read] == [START_ID] * 2
    assert len(read[0]) == max(len(one.target), len(other.target))
    assert len(source[0]) == max(len(one.source), len(other.source))


def test_links_of_words_come_from_their_pieces():
    weights = [[0.1, 0.4, 0.5, 0.0], [0.9, 0.0, 0.0, 0.1], [0.0, 0.0, 0.0, 1.0]]
    attended = Attended(weights, ["▁a", "▁b", "c", "[END]"], ["▁x", "▁y", "[END]"])
    assert attended.links() == [(1, 0), (0, 1)]
    assert not attended.is_of_words()


def steps(finished, output, number, *options):
    """The weights that a model has after so many steps."""
    shutil.copytree(finished / "examples", output / "examples", dirs_exist_ok=True)
    of_one_epoch = ["--epochs=1", f"--steps_per_epoch={number}", *options]
    translation.run(["train", f"--output={output}", *TINY, *of_one_epoch])
    return trained_model.load_translator(output / "model.keras")[0].get_weights()


@pytest.mark.slow
def test_a_moving_average_of_the_weights_is_what_is_saved(finished, tmp_path):
    one, two = (steps(finished, tmp_path / str(number), number) for number in (1, 2))
    mean = steps(finished, tmp_path / "mean", 2, "--ema=0.75")
    assert any(np.abs(b - a).max() > 1e-3 for a, b in zip(one, two, strict=True))
    for a, b, found in zip(one, two, mean, strict=True):
        np.testing.assert_allclose(found, 0.75 * a + 0.25 * b, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["transformer", "rnn", "conv"])
def test_mixed_precision_trains_weights_of_float32(finished, tmp_path, model):
    options = [f"--model={model}", "--num_heads=2", "--num_layers=1", "--mixed_precision"]
    weights = steps(finished, tmp_path, 4, *options)
    assert {w.dtype for w in weights if w.dtype.kind == "f"} == {np.dtype("float32")}
    history = json.loads((tmp_path / "logs" / "history.json").read_text())
    assert np.isfinite(list(history[0].values())).all()
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
@pytest.mark.parametrize("model", ["transformer", "conv"])
def test_word_pieces_and_other_models_go_all_the_way(command, files, tmp_path, model):
    options = ["--subwords=wordpiece", f"--model={model}", "--num_heads=2", "--num_layers=1"]
    output = [f"--output={tmp_path}", "--vocabulary_size=300", "--beam_width=2", "--n_best=2"]
    given = [*output, *files, *TINY, *options, "--export_anyway", "--max_output_length=20"]
    done = command("run", *given, task="translation")
    assert done.returncode == 0, done.stderr
    assert "requests agree" in done.stdout


@pytest.mark.slow
def test_training_on_jax_needs_neither_tensorflow_nor_beam(tmp_path, files, without):
    output = f"--output={tmp_path}"
    translation.run(
        ["prepare", output, *files, "--vocabulary_size=300", "--output_format=parquet"]
    )
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.translation", "train", output, *files, *TINY],
        cwd=ROOT,
        env=without("tensorflow", "tensorflow_text", "apache_beam", "tensorboard"),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    assert "nothing for TensorBoard, which needs TensorFlow" in done.stdout
    assert len(json.loads((tmp_path / "logs" / "history.json").read_text())) == 2
    translation.run(["evaluate", output, "--beam_width=1", *N_BEST])
    assert json.loads((tmp_path / "evaluation.json").read_text())["pairs"] == 150


@pytest.mark.slow
def test_killed_train_resumes_and_ends_with_the_same_metrics(command, files, tmp_path):
    folders = tmp_path / "clean", tmp_path / "killed"
    for folder in folders:
        output = f"--output={folder}"
        took(command, "prepare", output, *files, "--vocabulary_size=300", task="translation")
    options = [*files, *TINY, "--epochs=6", "--average=2"]
    histories = histories_of_killed_training(command, folders, options, task="translation")
    assert [len(history) for history in histories] == [6, 6]
    ends = [history[-1]["val_loss"] for history in histories]
    assert ends[0] == pytest.approx(ends[1], abs=0.1)
    assert [(folder / "logs" / "mean.json").exists() for folder in folders] == [True, True]


@pytest.mark.slow
def test_the_sample_corpus_goes_all_the_way(command, tmp_path):
    """Without files; the model learns nothing in so few steps, which no stage minds."""
    options = ["--sample=en-ko", "--units=16", "--num_layers=1", "--dropout=0", "--epochs=1"]
    options += ["--steps_per_epoch=5", "--beam_width=2", "--n_best=2", "--max_output_length=12"]
    output = f"--output={tmp_path}"
    done = command("run", output, *options, "--export_anyway", task="translation")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "evaluation.json").read_text())
    assert 0 < report["alignment_error_rate"] <= 1
    assert "requests agree" in done.stdout
