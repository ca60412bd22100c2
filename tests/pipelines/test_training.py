"""What all train stages share: XLA, TensorBoard, and a run that goes on."""

import argparse
import json
import shutil

import keras
import numpy as np
import pytest

from pipelines import training
from seqnlp.records import read_manifest

SHARED = {"never": "batches are shared"}


@pytest.fixture
def manifest(bert_examples):
    return read_manifest(bert_examples["tfrecord"])


@pytest.fixture
def options(tmp_path):
    return argparse.Namespace(output=tmp_path, seed=1)


@pytest.mark.parametrize(
    ("backend", "choice", "more", "expected"),
    [
        ("jax", "auto", {}, (True, "on: JAX always compiles")),
        ("jax", "false", {}, (False, "off: as asked")),
        ("tensorflow", "true", {}, (True, "on: as asked")),
        ("tensorflow", "auto", SHARED, (False, "off: batches are shared")),
        ("tensorflow", "false", SHARED, (False, "off: as asked")),
    ],
)
def test_the_choice_of_xla_is_told_with_its_reason(
    backend, choice, more, expected, monkeypatch, capsys
):
    monkeypatch.setattr(training.keras.backend, "backend", lambda: backend)
    chosen = training.choose_jit(choice, True, "batches come in one shape", **more)
    assert chosen == expected[0]
    assert capsys.readouterr().out == f"backend {backend}, XLA {expected[1]}\n"


def test_without_tensorflow_the_history_is_named_instead(options, manifest, monkeypatch, capsys):
    monkeypatch.setattr(training.streams, "needs_tensorflow", lambda _: False)
    assert training.tensorboard(options, manifest, pytest.fail) == []
    assert str(options.output / "logs" / "history.json") in capsys.readouterr().out


class Trained:
    """A tiny regression on ones, trained up to an epoch as a pipeline does."""

    def __init__(self, options, manifest, epochs):
        inputs = keras.Input((1,))
        model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
        model.compile("sgd", "mse", metrics=["mae"])
        self.run = training.Run(options, manifest, model, "mae", ["seed"])
        batches = iter(lambda: (np.ones((2, 1)), np.ones((2, 1))), None)
        stream = (batch for batch in batches)
        self.run.fit(stream, 3, epochs, [self.run.best, self.run.backup])

    def steps(self):
        """What the history says of the optimizer's steps."""
        with open(self.run.best.history, encoding="utf-8") as file:
            return [epoch["steps"] for epoch in json.load(file)]


def test_a_model_that_is_there_is_replaced_and_that_is_told(options, manifest, capsys):
    (options.output / "model.keras").touch()
    Trained(options, manifest, 1)
    replaced = f"training anew: {options.output / 'model.keras'} is replaced"
    assert capsys.readouterr().out.splitlines()[0] == replaced


def test_a_run_goes_on_where_one_of_the_same_options_stopped(options, manifest, capsys):
    assert Trained(options, manifest, 2).run.first == 0
    capsys.readouterr()
    again = Trained(options, manifest, 3)
    assert again.run.first == 2
    assert again.steps() == [3, 6, 9]
    assert "going on after epoch 2 of an interrupted run" in capsys.readouterr().out


def test_a_run_of_other_options_begins_anew(options, manifest, capsys):
    Trained(options, manifest, 2)
    options.seed = 2
    again = Trained(options, manifest, 1)
    assert (again.run.first, again.steps()) == (0, [3])
    assert "other options or examples than the interrupted run's" in capsys.readouterr().out


def test_a_run_that_ended_leaves_the_model_and_no_backup(options, manifest):
    Trained(options, manifest, 1).run.end()
    left = {path.name for path in options.output.iterdir()}
    assert left == {"model.keras", "model.text", "logs"}


def test_a_run_without_its_history_begins_anew(options, manifest):
    Trained(options, manifest, 1)
    shutil.rmtree(options.output / "logs")
    assert Trained(options, manifest, 1).run.first == 0
