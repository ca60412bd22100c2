import itertools
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.records import SPLITS, ParquetBatches, parquet, tagging_batches

ROOT = pathlib.Path(__file__).resolve().parents[2]
COUNT = 300


@pytest.fixture
def folder(prepared):
    return prepared["parquet"]


def arrays(batch):
    inputs, tags, weight = batch
    return [*inputs.values(), tags, weight]


def assert_equal(ours, theirs):
    assert list(ours[0]) == list(theirs[0])
    for one, other in zip(arrays(ours), arrays(theirs), strict=True):
        assert isinstance(one, np.ndarray)
        assert one.dtype == np.asarray(other).dtype
        np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    "options",
    [{}, {"lengths": [4, 9]}, {"characters": False}, {"pool": 1, "num_epochs": 2}],
    ids=str,
)
def test_without_a_seed_batches_equal_those_of_tfrecord(prepared, split, options):
    ours = tagging_batches(prepared["parquet"], split, 16, **options)
    theirs = list(tagging_batches(prepared["tfrecord"], split, 16, **options))
    assert isinstance(ours, ParquetBatches)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert_equal(one, other)


def examples(batches):
    """The examples of some batches as sets of bytes, and the shapes of the batches."""
    found, shapes = [], []
    for inputs, tags, weight in batches:
        shapes.append(tuple(inputs["char_ids"].shape))
        for row in range(int(np.sum(weight))):
            values = (np.asarray(value)[row] for value in (*inputs.values(), tags))
            found.append(tuple(np.trim_zeros(value.ravel(), "b").tobytes() for value in values))
    return found, shapes


def test_with_a_seed_an_epoch_holds_the_examples_and_shapes_of_tfrecord(prepared):
    """Which sentences share a batch is drawn by other generators, so shapes agree roughly."""
    options = {"seed": 3, "lengths": [4, 6, 9], "pool": 99}
    ours = examples(tagging_batches(prepared["parquet"], "train", 16, **options))
    theirs = examples(tagging_batches(prepared["tfrecord"], "train", 16, **options))
    assert len(set(ours[0])) == COUNT
    assert sorted(ours[0]) == sorted(theirs[0])
    assert ours[0] != theirs[0]
    # One pool holds all: sorted by length, up to the noise of 1.5 tokens, it is cut alike.
    lengths = [np.sort([shape[1] for shape in shapes]) for shapes in (ours[1], theirs[1])]
    assert np.sum(lengths[0] != lengths[1]) <= 2


def ids_of(batches):
    """The last token names the sentence."""
    return [
        row[row != 0][-1]
        for inputs, _, weight in batches
        for row in inputs["word_ids"][weight > 0]
    ]


@pytest.mark.parametrize("group", [10, 8192])
@pytest.mark.parametrize("pool", [1, 3, 64])
def test_every_example_comes_exactly_once(folder, pool, group, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", group)
    batches = tagging_batches(folder, "train", 16, seed=1, pool=pool)
    found = ids_of(batches)
    assert len(found) == len(set(found)) == COUNT
    assert len(list(batches)) == len(batches) == 19


def test_an_epoch_depends_on_seed_and_number_alone(folder):
    def orders(**options):
        flat = ids_of(tagging_batches(folder, "train", 16, pool=3, **options))
        return [flat[start : start + COUNT] for start in range(0, len(flat), COUNT)]

    whole = orders(seed=7, num_epochs=3)
    np.random.seed(123)
    assert orders(seed=7, first_epoch=1, num_epochs=2) == whole[1:]
    assert orders(seed=8)[0] != whole[0]
    assert whole[0] != whole[1]


def test_a_stream_without_end_goes_on_as_its_epochs_do(folder):
    endless = tagging_batches(folder, "train", 16, seed=3, num_epochs=None)
    expected = ids_of(tagging_batches(folder, "train", 16, seed=3, num_epochs=3))
    assert ids_of(itertools.islice(endless, 57)) == expected
    with pytest.raises(TypeError, match="batches for ever .* have no length"):
        len(endless)


def test_neighbours_in_the_files_are_not_neighbours_in_an_epoch(folder):
    """The order of the files is a shuffled one already: draws must mix it across pools."""
    order = {name: place for place, name in enumerate(ids_of(tagging_batches(folder, "train", 1)))}
    batches = tagging_batches(folder, "train", 5, seed=2, pool=4)
    places = np.array([order[name] for name in ids_of(batches)]).reshape(-1, 20)
    assert np.median(np.ptp(places, axis=1)) > 60  # within a pool, of 300 in all


def test_sorted_pools_hold_less_padding(folder):
    def padding(**options):
        batches = tagging_batches(folder, "train", 16, **options)
        return np.mean([(inputs["word_ids"] == 0).mean() for inputs, _, _ in batches])

    assert padding(seed=1) < 0.12 < 0.25 < padding()


@pytest.mark.parametrize("lengths", [None, [5, 9]])
@pytest.mark.parametrize("characters", [True, False])
def test_a_dataset_holds_the_same_batches(folder, lengths, characters):
    batches = tagging_batches(folder, "eval", 8, lengths=lengths, characters=characters)
    dataset = batches.dataset()
    assert dataset.cardinality() == len(batches) == 4
    for ours, theirs in zip(batches, dataset, strict=True):
        assert_equal(ours, theirs)


def test_the_dataset_of_a_stream_without_end_has_none(folder):
    batches = tagging_batches(folder, "eval", 8, num_epochs=None)
    assert batches.dataset().cardinality() == tf.data.INFINITE_CARDINALITY


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: batch_size=0"),
        ({"lengths": [4]}, "`lengths` must hold positive lengths, the last at least 9, the "),
    ],
)
def test_wrong_arguments_are_named(folder, options, message):
    with pytest.raises(ValueError, match=message):
        tagging_batches(folder, "train", **{"batch_size": 4, **options})


READ = """
import sys
sys.modules["tensorflow"] = sys.modules["apache_beam"] = sys.modules["keras"] = None
from seqnlp.records import read_manifest, read_sentences, tagging_batches
folder = sys.argv[1]
read_manifest(folder)
batches = tagging_batches(folder, "train", 16, seed=1)
print(sum(1 for _ in read_sentences(folder, "test")), sum(len(tags) for _, tags, _ in batches))
"""


def test_parquet_is_read_without_tensorflow_beam_and_keras(folder):
    done = subprocess.run(
        [sys.executable, "-c", READ, folder],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )
    assert done.stdout == "20 300\n", done.stderr


def test_a_missing_pyarrow_is_an_error_that_names_its_extra(folder):
    program = READ.replace('sys.modules["tensorflow"]', 'sys.modules["pyarrow"]', 1)
    done = subprocess.run(
        [sys.executable, "-c", program, folder], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stderr.splitlines()[-1] == (
        'ImportError: Parquet files need pyarrow: pip install "seqnlp[parquet]".'
    )
