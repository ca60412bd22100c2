"""Pretraining on two devices that share each batch, and on one."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ["--units=8", "--num_layers=1", "--num_heads=2", "--max_positions=64", "--dropout=0"]
TINY += ["--steps=4", "--steps_per_epoch=2", "--batch_size=8", "--validation_batches=2"]
TINY += ["--most_predictions=4", "--learning_rate=0.02", "--warmup_steps=1", "--clip=0"]
FORMATS = {"tensorflow": "tfrecord", "jax": "parquet"}
# A replica weighs its own hidden tokens alike, of which the halves of a batch have not as many.
TOLERANCE = {"tensorflow": 0.02, "jax": 1e-4}


@pytest.mark.slow
@pytest.mark.parametrize("backend", FORMATS)
def test_two_devices_learn_what_one_does(backend, bert_examples, tmp_path):
    losses = []
    for replicas in (1, 2):
        output = tmp_path / str(replicas)
        shutil.copytree(bert_examples[FORMATS[backend]], output / "examples")
        command = [sys.executable, "-m", "pipelines.pretraining", "train", f"--output={output}"]
        flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"
        subprocess.run(
            [*command, *TINY, f"--replicas={replicas}"],
            cwd=ROOT,
            env={**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": flags},
            check=True,
        )
        history = json.loads((output / "logs" / "history.json").read_text())
        losses.append([epoch[name] for epoch in history for name in ("loss", "val_loss")])
    assert losses[0] == pytest.approx(losses[1], rel=TOLERANCE[backend])
    assert losses[0] != losses[1]  # another order of sums: two did share the batches
    assert losses[0][2] < losses[0][0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--batch_size=9", "--replicas=2"],
            "`--batch_size` must be a multiple of --replicas, which share a batch. Received: "
            "--batch_size 9 --replicas 2",
        ),
        (
            ["--jit=true", "--replicas=2"],
            "`--jit` must not be true with --replicas on TensorFlow, whose strategies do not go "
            "with XLA. Received: --jit true",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(program, tmp_path, options, message):
    done = program("train", f"--output={tmp_path / 'none'}", *options, task="pretraining")
    assert (done.returncode, done.stderr.strip().split("\n")[-1]) == (1, f"error: {message}")
    assert not (tmp_path / "none").exists()


def test_more_replicas_than_devices_are_refused(program, bert_examples, tmp_path):
    shutil.copytree(bert_examples["tfrecord"], tmp_path / "examples")
    options = [f"--output={tmp_path}", *TINY, "--replicas=8"]
    done = program("train", *options, task="pretraining")
    assert done.returncode == 1
    said = done.stderr.strip().split("\n")[-1]
    assert said.startswith("error: `--replicas` must be at most ")
    assert said.endswith("the number of devices. Received: --replicas=8")
    assert not (tmp_path / "model.keras").exists()
