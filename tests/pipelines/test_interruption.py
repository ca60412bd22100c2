"""Kills at random moments: nothing looks whole that is not, and the same command finishes."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

KILLS = 10


def tree(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.tagging", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process):
    """Kills it and all its children; returns whether it was still running."""
    running = process.poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return running


def killed_after(seconds, *arguments):
    process = start(*arguments)
    time.sleep(seconds)
    return kill(process)


def moments(seconds):
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed of the kills: {seed}")
    return [random.Random(seed + kill).uniform(0, seconds) for kill in range(KILLS)]


def took(function, *arguments):
    started = time.monotonic()
    done = function(*arguments)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


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
    clean, output = tmp_path / "clean", tmp_path / "killed"
    options = [*tiny, "--epochs=6"]
    for folder in (clean, output):
        took(command, "prepare", f"--output={folder}", *files)
    seconds = took(command, "train", f"--output={clean}", *options)
    for moment in moments(0.7 * seconds):
        killed_after(moment, "train", f"--output={output}", *options)
    process = start("train", f"--output={output}", *options)
    while process.poll() is None and not any((output / "backup").glob("epoch-[0-9].weights.h5")):
        time.sleep(0.01)
    assert kill(process)  # whatever the moments were, one kill falls between two epochs
    done = command("train", f"--output={output}", *options)
    assert done.returncode == 0, done.stderr
    assert "going on after epoch" in done.stdout
    histories = [
        json.loads((folder / "logs" / "history.json").read_text()) for folder in (clean, output)
    ]
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
