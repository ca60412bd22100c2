"""The whole path with a label of each sentence: intents beside slots."""

import json
import shutil

import pytest

from pipelines import tagging


@pytest.fixture(scope="module")
def labelled(tmp_path_factory, files, tiny, command):
    """Folder in which every stage ran with `--label`, and what was printed."""
    output = tmp_path_factory.mktemp("labelled")
    done = command("run", f"--output={output}", *files, "--label=intent", *tiny, "--export_anyway")
    assert done.returncode == 0, done.stderr
    return output, done.stdout


def copied(folder, target, *names):
    for name in names:
        source = folder / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, target / name)
    return target


def test_evaluation_scores_both_tasks_and_sentences_as_a_whole(labelled):
    report = json.loads((labelled[0] / "evaluation.json").read_text())
    names = {"token_accuracy", "precision", "recall", "f1"}
    names |= {"label_accuracy", "exact_match", "joint_score"}
    assert set(report["scores"]) == {"model", "most frequent tag"}
    for scores in report["scores"].values():
        assert set(scores) == names
        mean = (scores["f1"] + scores["label_accuracy"]) / 2
        assert scores["joint_score"] == pytest.approx(mean)
    assert report["measure"] == "joint_score"
    model, baseline = report["scores"].values()
    assert report["blessed"] == (model["joint_score"] > baseline["joint_score"])


def test_the_best_epoch_is_that_of_the_joint_score(labelled):
    history = json.loads((labelled[0] / "logs" / "history.json").read_text())
    assert {"val_label_accuracy", "val_exact_match"} <= set(history[0])
    best = max(epoch["val_joint_score"] for epoch in history)
    assert f"val_joint_score {best:.4f}" in labelled[1]


def test_errors_show_the_labels(labelled):
    lines = (labelled[0] / "errors.txt").read_text().splitlines()
    assert lines[0].endswith("sentences have wrong tags or labels; the worst first")
    assert lines[3].startswith("# label\t")
    assert (labelled[0] / "label_confusion.png").stat().st_size


def test_the_client_prints_the_label(labelled):
    shown = labelled[1].split("$ python serving/tagging_client.py")[1].splitlines()
    assert shown[2].startswith("  label: ")
    assert '"label_scores": [[' in labelled[1].split("answer (serving_default")[1].splitlines()[0]


def test_a_model_of_tags_alone_is_refused_on_labelled_examples(
    program, labelled, finished, tmp_path
):
    copied(labelled[0], tmp_path, "examples")
    copied(finished, tmp_path, "model.keras", "model.text")
    done = program("evaluate", f"--output={tmp_path}")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        f"error: {tmp_path}/model.keras: expected a model that labels sentences, as the examples "
        "were prepared with --label intent; run the train stage again. Received: a model of tags "
        "alone"
    )


def test_a_previous_model_of_tags_alone_is_compared_in_them(labelled, finished, tmp_path):
    copied(labelled[0], tmp_path, "examples", "model.keras", "model.text")
    tagging.run(["evaluate", f"--output={tmp_path}", f"--previous={finished / 'model.keras'}"])
    report = json.loads((tmp_path / "evaluation.json").read_text())
    scores = report["scores"]
    assert "label_accuracy" not in scores["previous model"]
    better = scores["model"]["f1"] > scores["previous model"]["f1"]
    more = scores["model"]["joint_score"] > scores["most frequent tag"]["joint_score"]
    assert report["blessed"] == (better and more)


@pytest.mark.slow
def test_learns_intents_and_slots_of_the_sample_corpus(tmp_path, command):
    for stage in ("prepare", "train", "evaluate"):
        done = command(stage, f"--output={tmp_path}", "--epochs=6", timeout=1200)
        assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "evaluation.json").read_text())["scores"]["model"]
    assert scores["f1"] > 0.95
    assert scores["label_accuracy"] > 0.95
    assert scores["exact_match"] > 0.85
