"""Kills at random moments: nothing looks whole that is not, and the same command finishes."""

import hashlib
import shutil

import pytest

from tests.pipelines.killing import histories_of_killed_training, killed_after, moments, took


def tree(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.mark.slow
def test_killed_prepare_never_looks_whole_and_ends_with_the_same_bytes(command, files, tmp_path):
    clean, output = tmp_path / "clean", tmp_path / "killed"
    seconds = took(command, "prepare", f"--output={clean}", *files)
    for moment in moments(seconds):
        running = killed_after(moment, "prepare", f"--output={output}", *files)
        manifest = output / "examples" / "manifest.json"
        if running and manifest.exists():  # killed between the manifest and the exit
            assert tree(output) == tree(clean)
            manifest.unlink()
    took(command, "prepare", f"--output={output}", *files)
    assert tree(output) == tree(clean)


@pytest.mark.slow
def test_killed_train_resumes_and_ends_with_the_same_metrics(command, files, tiny, tmp_path):
    folders = tmp_path / "clean", tmp_path / "killed"
    for folder in folders:
        took(command, "prepare", f"--output={folder}", *files)
    histories = histories_of_killed_training(command, folders, [*tiny, "--epochs=6"])
    assert [len(history) for history in histories] == [6, 6]
    for name, noise in (("loss", 0.15), ("val_token_accuracy", 0.05)):
        ends = [history[-1][name] for history in histories]
        assert ends[0] == pytest.approx(ends[1], abs=noise), (name, ends)


def test_interrupted_training_keeps_the_best_model_and_stops_the_run(
    finished, tiny, tmp_path, monkeypatch, capsys
):
    from pipelines import tagging
    from seqnlp.callbacks import Backup

    shutil.copytree(finished / "examples", tmp_path / "examples")
    saved = Backup.on_epoch_end

    def interrupted(self, epoch, logs=None):
        saved(self, epoch, logs)
        raise KeyboardInterrupt

    monkeypatch.setattr(Backup, "on_epoch_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tagging.run(["train", f"--output={tmp_path}", *tiny])
    monkeypatch.undo()
    assert "stopped after 1 epochs; the train stage goes on from there" in capsys.readouterr().out
    assert (tmp_path / "model.keras").exists()
    tagging.run(["train", f"--output={tmp_path}", *tiny, "--name=other", "--export_anyway"])
    assert "going on after epoch 1 of an interrupted run" in capsys.readouterr().out
