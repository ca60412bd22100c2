"""Endless streams go on in the middle of an epoch, whatever reads the examples."""

import functools
import inspect
import itertools

import numpy as np
import pytest

from pipelines import streams
from seqnlp.records import OUTPUT_FORMATS, pretraining_batches, read_manifest

BATCH = 16
READERS = {name: name for name in OUTPUT_FORMATS} | {"parquet, without TensorFlow": "parquet"}


class Stream:
    """The stream that a train stage would read, of one kind of examples."""

    def __init__(self, folder):
        self.manifest = read_manifest(folder)
        self.batches = functools.partial(pretraining_batches, folder)
        self.steps = -(-self.manifest.records("train") // BATCH)

    def made(self, first):
        make = functools.partial(self.batches, "train", BATCH, seed=3)
        return streams.endless(make, first, self.manifest)

    def ids(self, first, number):
        """The ids of some batches from number `first` on, `(number, batch, time)`."""
        batches = itertools.islice(iter(self.made(first)), number)
        return np.stack([np.asarray(inputs["token_ids"]) for inputs, _, _ in batches])


@pytest.fixture(params=READERS)
def stream(request, bert_examples, monkeypatch):
    if request.param.endswith("without TensorFlow"):
        monkeypatch.setattr(streams, "needs_tensorflow", lambda _: False)
    return Stream(bert_examples[READERS[request.param]])


def test_it_goes_on_in_the_middle_of_an_epoch(stream):
    assert stream.steps > 3
    number = 2 * stream.steps + 3
    uninterrupted = stream.ids(0, number)
    for first in (1, stream.steps - 1, stream.steps, stream.steps + 2, 2 * stream.steps + 1):
        resumed = stream.ids(first, number - first)
        np.testing.assert_array_equal(resumed, uninterrupted[first:], err_msg=str(first))


def test_epochs_hide_other_pieces(stream):
    ids = stream.ids(0, 2 * stream.steps)
    one, other = (
        {bytes(row) for batch in part for row in batch}
        for part in (ids[: stream.steps], ids[stream.steps :])
    )
    assert len(one & other) < len(one) / 2


def test_the_batches_of_an_epoch_are_counted(stream):
    assert streams.steps_of(stream.batches("train", BATCH)) == stream.steps


def test_held_out_batches_are_the_first_ones_of_their_split(stream):
    every = list(map(first_ids, stream.batches("eval", 4)))
    assert len(every) > 3
    for most in (None, 2):
        found = streams.held_out(stream.batches("eval", 4), stream.manifest, most)
        found = [found[at] for at in range(len(found))] if hasattr(found, "batches") else found
        np.testing.assert_array_equal(list(map(first_ids, found)), every[:most])


def first_ids(batch):
    return np.asarray(batch[0]["token_ids"])


def test_without_tensorflow_fit_takes_a_generator_of_arrays(bert_examples, monkeypatch):
    monkeypatch.setattr(streams, "needs_tensorflow", lambda _: False)
    made = Stream(bert_examples["parquet"]).made(0)
    assert inspect.isgenerator(made)  # other iterators it refuses
    inputs, labels, weights = next(made)
    values = [*inputs.values(), *labels.values(), *weights.values()]
    assert {type(value) for value in values} == {np.ndarray}


@pytest.mark.parametrize(
    ("backend", "output_format", "needed"),
    [
        ("tensorflow", "tfrecord", True),
        ("tensorflow", "parquet", True),
        ("jax", "tfrecord", True),
        ("jax", "parquet", False),
    ],
)
def test_jax_alone_trains_on_parquet_without_tensorflow(
    backend, output_format, needed, bert_examples, monkeypatch
):
    monkeypatch.setattr(streams.keras.backend, "backend", lambda: backend)
    manifest = read_manifest(bert_examples[output_format])
    assert streams.needs_tensorflow(manifest) == needed
