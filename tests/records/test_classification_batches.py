"""Batches of labelled texts: what they hold, their shapes and their order."""

import collections
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.preprocessing import prepare_classification
from seqnlp.records import (
    OUTPUT_FORMATS,
    ClassificationBatches,
    bucket_lengths,
    classification_batches,
    read_labelled_texts,
    read_manifest,
)
from seqnlp.records.classification_batches import first_rows
from seqnlp.text import BERTText
from tests.preprocessing.small_labelled import pairs, texts, write

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = {"train": 90, "eval": 20, "test": 20}
SETTINGS = {"vocabulary_size": 120, "max_length": 24}
COLUMNS = {"columns": {"text": 0, "text2": 1, "label": 2}}


def prepared(folder, make, **settings):
    """Dict from format to a folder with the same examples."""
    files = [
        write(folder / f"{split}.tsv", make(number, seed))
        for seed, (split, number) in enumerate(SIZES.items())
    ]
    for name in OUTPUT_FORMATS:
        prepare_classification(
            folder / name, *files, output_format=name, num_shards=3, **SETTINGS, **settings
        )
    return {name: str(folder / name) for name in OUTPUT_FORMATS}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("texts"), texts)


@pytest.fixture(scope="module")
def similar(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    return prepared(folder, pairs, task="regression", layout=COLUMNS)


@pytest.fixture
def folder(folders):
    return folders["parquet"]


def flat(batch):
    inputs, labels, weights = batch
    return [np.asarray(x) for x in (inputs["token_ids"], inputs["segment_ids"], labels, weights)]


def rows_of(batches):
    """`(token ids, segment ids, label)` of the rows of weight 1, in order."""
    found = []
    for batch in batches:
        ids, segments, labels, weights = flat(batch)
        for row in np.flatnonzero(weights):
            real = ids[row] != 0
            found.append((ids[row][real].tolist(), segments[row][real].tolist(), labels[row]))
    return found


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_texts_are_encoded_as_a_model_reads_them(folders, output_format):
    folder = folders[output_format]
    text, names = BERTText.load(folder), ["bad", "good"]
    expected = []
    for (sentence,), label in read_labelled_texts(folder, "train"):
        (ids,) = text.encode([sentence])["token_ids"].to_list()
        expected.append((ids, [0] * len(ids), names.index(label)))
    assert rows_of(classification_batches(folder, "train", 16)) == expected


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_pairs_have_two_segments_and_a_number(similar, output_format):
    folder = similar[output_format]
    text, expected = BERTText.load(folder), []
    for (first, second), value in read_labelled_texts(folder, "eval"):
        encoded = text.encode([first], [second])
        ids, segments = (encoded[name].to_list()[0] for name in ("token_ids", "segment_ids"))
        expected.append((ids, segments, np.float32(value)))
    assert rows_of(classification_batches(folder, "eval", 16)) == expected


@pytest.mark.parametrize("seed", [None, 3])
def test_both_formats_give_equal_batches(folders, similar, seed):
    for made in (folders, similar):
        settings = {"seed": seed, "num_epochs": 2, "pool": 2}
        batches = [classification_batches(made[name], "train", 8, **settings) for name in made]
        for one, other in zip(*batches, strict=True):
            for x, y in zip(flat(one), flat(other), strict=True):
                np.testing.assert_array_equal(x, y)
                assert x.dtype == y.dtype


def test_batches_have_one_size_and_few_lengths(folder):
    shapes = [
        inputs["token_ids"].shape for inputs, _, _ in classification_batches(folder, "train", 16)
    ]
    allowed = bucket_lengths(read_manifest(folder).statistics, splits=["train"])
    assert {size for size, _ in shapes} == {16}
    assert {length for _, length in shapes} <= set(allowed)


def test_the_last_batch_is_filled_up_with_rows_of_weight_0(folder):
    batches = list(classification_batches(folder, "train", 32))
    assert len(batches) == len(classification_batches(folder, "train", 32)) == 3
    ids, _, labels, weights = flat(batches[-1])
    assert weights.tolist() == [1.0] * 26 + [0.0] * 6
    assert not ids[26:].any()
    assert not labels[26:].any()


def test_an_epoch_holds_every_example_once(folder):
    found = rows_of(classification_batches(folder, "train", 8, seed=1, pool=2))
    expected = rows_of(classification_batches(folder, "train", 8))
    count = lambda rows: collections.Counter(str(row) for row in rows)  # noqa: E731
    assert count(found) == count(expected)


def test_a_seed_sorts_by_length_within_a_pool(folder):
    def padding(**settings):
        batches = classification_batches(folder, "train", 8, lengths=range(1, 25), **settings)
        return sum(
            (flat(batch)[0][flat(batch)[3] > 0] == 0).sum() for batch in batches
        )  # of real rows

    assert padding(seed=0) < padding() / 2


def test_an_epoch_depends_on_its_number_alone(folder):
    whole = list(classification_batches(folder, "train", 8, seed=5, num_epochs=3))
    last = list(classification_batches(folder, "train", 8, seed=5, first_epoch=2))
    for one, other in zip(whole[-len(last) :], last, strict=True):
        np.testing.assert_array_equal(flat(one)[0], flat(other)[0])
    first = rows_of(whole[: len(last)])
    assert str(first) != str(rows_of(last))


@pytest.mark.parametrize("most", [1, 10, 31, 89, 90, 500])
def test_so_many_examples_are_read(folders, most):
    for folder in folders.values():
        found = rows_of(classification_batches(folder, "train", 8, most=most))
        assert len(found) == min(most, 90)


def test_more_examples_hold_the_fewer_ones(folder):
    few, many = (
        {str(row) for row in rows_of(classification_batches(folder, "train", 8, most=most))}
        for most in (20, 50)
    )
    assert few < many


@pytest.mark.parametrize(
    ("counts", "most", "expected"),
    [
        ([5, 5], None, [5, 5]),
        ([5, 5], 10, [5, 5]),
        ([5, 5], 4, [2, 2]),
        ([5, 5], 5, [2, 3]),
        ([1, 9, 2], 9, [1, 6, 2]),
        ([7], 3, [3]),
    ],
)
def test_rows_are_taken_evenly(counts, most, expected):
    assert first_rows(counts, most) == expected


@pytest.mark.parametrize("backend", ["jax"])
def test_parquet_needs_neither_tensorflow_nor_beam(folder, backend):
    program = (
        "import sys\n"
        "sys.modules['tensorflow'] = sys.modules['apache_beam'] = None\n"
        "from seqnlp.records import classification_batches\n"
        f"print(len(list(classification_batches({folder!r}, 'train', 16, seed=0))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.strip() == "6", done.stderr


def test_parquet_becomes_a_dataset(folder):
    batches = classification_batches(folder, "eval", 16)
    assert isinstance(batches, ClassificationBatches)
    dataset = batches.dataset()
    assert isinstance(dataset, tf.data.Dataset)
    assert len(dataset) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: batch_size=0"),
        ({"most": 0}, "`most` must be at least 1. Received: most=0"),
        ({"pool": 0}, "`pool` must be at least 1. Received: pool=0"),
        (
            {"lengths": [4]},
            "`lengths` must hold positive lengths, the last at least {longest}, the longest "
            "example of train. Received: lengths=[4]",
        ),
    ],
)
def test_wrong_arguments_are_refused(folder, settings, message):
    longest = read_manifest(folder).statistics["splits"]["train"]["lengths"]["max"]
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        classification_batches(folder, "train", **settings)
    assert str(error.value) == message.format(longest=longest)
