"""The whole path on a small corpus, and what each stage leaves."""

import json
import shutil

import numpy as np
import pytest

from pipelines import tagging
from pipelines.tagging_evaluation import most_frequent_tags


def test_run_leaves_the_results_of_every_stage(finished):
    expected = [
        "examples/manifest.json",
        "model.keras",
        "logs/history.json",
        "logs/projector_config.pbtxt",
        "evaluation.json",
        "confusion.png",
        "errors.txt",
        "serving/tagger/1/saved_model.pb",
        "serving/tagger/1/assets.extra/tf_serving_warmup_requests",
    ]
    assert [name for name in expected if not (finished / name).exists()] == []


def test_a_finished_training_leaves_no_backup(finished):
    assert not (finished / "backup").exists()


def test_evaluation_scores_every_sentence_of_the_test_split(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    assert report["sentences"] == 60
    assert set(report["scores"]) == {"model", "most frequent tag"}
    assert 0 < report["scores"]["model"]["token_accuracy"] < 1


def test_blessing_follows_the_scores(finished):
    report = json.loads((finished / "evaluation.json").read_text())
    better = report["scores"]["model"]["f1"] > report["scores"]["most frequent tag"]["f1"]
    assert report["blessed"] == better
    assert (finished / "BLESSED").exists() == better
    assert (finished / "NOT_BLESSED").exists() != better


def copy_of(finished, tmp_path, *names):
    for name in names:
        source, target = finished / name, tmp_path / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    return tmp_path


def test_a_model_does_not_beat_itself(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras")
    tagging.run(["evaluate", f"--output={output}", f"--previous={finished / 'model.keras'}"])
    report = json.loads((output / "evaluation.json").read_text())
    assert report["scores"]["previous model"] == report["scores"]["model"]
    assert (output / "NOT_BLESSED").exists()


def test_a_model_that_is_not_blessed_is_not_exported(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras")
    with pytest.raises(ValueError, match="expected the mark of a model that beat its rivals"):
        tagging.run(["export", f"--output={output}"])


def test_export_numbers_its_versions_upwards(finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples", "model.keras")
    (output / "serving" / "tagger" / "9").mkdir(parents=True)
    tagging.run(["export", f"--output={output}", "--export_anyway"])
    names = sorted(path.name for path in (output / "serving" / "tagger").iterdir())
    assert names == ["10", "9"]


def test_most_frequent_tag_of_a_token_and_of_all_where_it_is_unseen(monkeypatch):
    train = [(["a", "b"], ["X", "O"]), (["a", "a"], ["Y", "Y"]), (["c", "c"], ["O", "O"])]
    monkeypatch.setattr("pipelines.tagging_evaluation.read_sentences", lambda *_: iter(train))
    assert most_frequent_tags("", [(["a", "b", "new"], ["O"] * 3)]) == [["Y", "O", "O"]]


def test_the_same_seed_trains_the_same_model(files, tiny, finished, tmp_path):
    output = copy_of(finished, tmp_path, "examples")
    tagging.run(["train", f"--output={output}", *tiny])
    first, second = (
        json.loads((folder / "logs" / "history.json").read_text()) for folder in (finished, output)
    )
    for name in ("loss", "val_f1"):
        losses = [[epoch[name] for epoch in history] for history in (first, second)]
        np.testing.assert_allclose(*losses, rtol=0.02)
