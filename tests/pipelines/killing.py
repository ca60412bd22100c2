"""Starts stages in processes of their own and kills them at random moments."""

import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

KILLS = 10


def start(*arguments, task="tagging"):
    """Starts a stage without waiting for it."""
    return subprocess.Popen(
        [sys.executable, "-m", f"pipelines.{task}", *map(str, arguments)],
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


def killed_after(seconds, *arguments, task="tagging"):
    """Kills a stage after so long; returns whether it was still running."""
    process = start(*arguments, task=task)
    time.sleep(seconds)
    return kill(process)


def moments(seconds):
    """Random times up to `seconds`, one a kill."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed of the kills: {seed}")
    return [random.Random(seed + kill).uniform(0, seconds) for kill in range(KILLS)]


def took(function, *arguments, **settings):
    """Seconds that a command took, which must succeed."""
    started = time.monotonic()
    done = function(*arguments, **settings)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def histories_of_killed_training(command, folders, options, task="tagging"):
    """Trains to the end in one folder, and with kills in the other; returns both histories.

    Args:
        command: The fixture.
        folders: Two folders with prepared examples.
        options: Of the train stage.
        task: Name of the pipeline.
    """
    clean, output = folders
    seconds = took(command, "train", f"--output={clean}", *options, task=task)
    for moment in moments(0.7 * seconds):
        killed_after(moment, "train", f"--output={output}", *options, task=task)
    process = start("train", f"--output={output}", *options, task=task)
    while process.poll() is None and not any((output / "backup").glob("epoch-[0-9].weights.h5")):
        time.sleep(0.01)
    assert kill(process)  # whatever the moments were, one kill falls between two epochs
    done = command("train", f"--output={output}", *options, task=task)
    assert done.returncode == 0, done.stderr
    assert "going on after epoch" in done.stdout
    return [json.loads((folder / "logs" / "history.json").read_text()) for folder in folders]
