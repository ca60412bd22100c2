import collections
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.preprocessing import prepare_translation
from seqnlp.records import (
    OUTPUT_FORMATS,
    SPLITS,
    TranslationBatches,
    bucket_lengths,
    read_manifest,
    read_pairs,
    read_sentences,
    tagging_batches,
    translation_batches,
)
from seqnlp.records.ragged import Ragged, RaggedTable, concatenate
from seqnlp.text import TranslationText
from tests.preprocessing.small_pairs import pairs, write

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = {"train": 300, "eval": 40, "test": 30}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Dict from format to a folder with the same examples."""
    folder = tmp_path_factory.mktemp("translation")
    files = [
        write(folder, split, pairs(size, seed)) for seed, (split, size) in enumerate(SIZES.items())
    ]
    for name in OUTPUT_FORMATS:
        prepare_translation(folder / name, *files, output_format=name, vocabulary_size=80)
    return {name: str(folder / name) for name in OUTPUT_FORMATS}


@pytest.fixture
def folder(folders):
    return folders["parquet"]


@pytest.fixture(scope="module")
def ids(folders):
    """Dict from split to the ids of its pairs, source with end and target without, in order."""
    text, found = TranslationText.load(folders["parquet"]), {}
    for split in SPLITS:
        sources, targets = zip(*read_pairs(folders["parquet"], split), strict=True)
        source, target = text.encode_source(list(sources)), text.encode_target(list(targets))
        found[split] = list(zip(source.to_list(), target.to_list(), strict=True))
    return found


def arrays(batch):
    inputs, labels, weight = batch
    return [inputs["source_ids"], inputs["target_ids"], labels, weight]


def rows_of(batches):
    """The pairs of ids in batches, in order, taken from their rows of weight 1."""
    found = []
    for batch in batches:
        source_ids, target_ids, labels, weight = map(np.asarray, arrays(batch))
        for row in np.flatnonzero(weight):
            source = source_ids[row][source_ids[row] != 0].tolist()
            target = target_ids[row][target_ids[row] != 0].tolist()
            label = labels[row][labels[row] != 0].tolist()
            assert source[-1] == 3
            assert target[0] == 2
            assert label[-1] == 3
            assert target[1:] == label[:-1]
            found.append((source, label[:-1]))
    return found


def sets(found):
    return collections.Counter((tuple(source), tuple(target)) for source, target in found)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 3, "num_epochs": 2},
        {"seed": 3, "pool": 50},
        {"batch_size": 16},
        {"lengths": [20, 60], "first_epoch": 5, "seed": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("split", SPLITS)
def test_both_formats_give_equal_batches(folders, split, options):
    ours = translation_batches(folders["parquet"], split, 256, **options)
    theirs = translation_batches(folders["tfrecord"], split, 256, **options)
    assert isinstance(ours, TranslationBatches)
    assert isinstance(theirs, tf.data.Dataset)
    assert len(ours) == theirs.cardinality() == len(list(theirs))
    for one, other in zip(ours, theirs, strict=True):
        assert list(one[0]) == list(other[0]) == ["source_ids", "target_ids"]
        for mine, yours in zip(arrays(one), arrays(other), strict=True):
            assert isinstance(mine, np.ndarray)
            assert mine.dtype == yours.dtype.as_numpy_dtype
            np.testing.assert_array_equal(mine, yours, strict=True)


@pytest.mark.parametrize("options", [{}, {"seed": 1}, {"seed": 1, "pool": 7}, {"batch_size": 7}])
@pytest.mark.parametrize("split", SPLITS)
def test_every_pair_comes_exactly_once_an_epoch(folder, ids, split, options):
    batches = translation_batches(folder, split, 200, **options)
    found = rows_of(batches)
    assert sets(found) == sets(ids[split])
    assert len(list(batches)) == len(batches)


def test_batches_have_few_shapes_each_as_large_as_the_tokens_allow(folder):
    batches = list(translation_batches(folder, "train", 256, seed=1))
    shapes = collections.Counter(labels.shape for _, labels, _ in batches)
    assert 2 <= len(shapes) <= 8
    for rows, length in shapes:
        assert rows == 256 // length
    lengths = bucket_lengths(read_manifest(folder).statistics, splits=["train"])
    assert sorted(length for _, length in shapes) == lengths
    for inputs, labels, weight in batches:
        assert inputs["source_ids"].shape == inputs["target_ids"].shape == labels.shape
        assert weight.shape == labels.shape[:1]
        for array in (*inputs.values(), labels):
            assert array.dtype == np.int32
        assert weight.dtype == np.float32


def test_a_pair_is_in_the_shortest_length_that_holds_both_sides(folder):
    lengths = [12, 20, 24, 60]
    seen = set()
    for inputs, labels, weight in translation_batches(folder, "train", 128, lengths=lengths):
        longest = max((inputs["source_ids"] != 0).sum(1).max(), (labels != 0).sum(1).max())
        size = labels.shape[1]
        shorter = lengths[lengths.index(size) - 1] if size > lengths[0] else 0
        needed = np.maximum((inputs["source_ids"] != 0).sum(1), (labels != 0).sum(1))
        assert longest <= size
        assert (needed[weight > 0] > shorter).all()
        seen.add(size)
    assert len(seen) > 2


def test_the_last_batch_of_a_length_is_filled_up_with_rows_of_padding_without_weight(folder):
    batches = list(translation_batches(folder, "train", 256, seed=2))
    short = [batch for batch in batches if not batch[2].all()]
    assert 0 < len(short) <= 8
    assert len({batch[1].shape for batch in short}) == len(short)
    for inputs, labels, weight in short:
        for array in (*inputs.values(), labels):
            assert not array[weight == 0].any()
            assert array[weight == 1].any(axis=1).all()
    # They end the epoch.
    first = next(index for index, batch in enumerate(batches) if not batch[2].all())
    assert first == len(batches) - len(short)


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
@pytest.mark.parametrize("split", SPLITS)
def test_a_batch_size_keeps_the_order_of_the_pairs(folders, ids, split, output_format):
    batches = translation_batches(folders[output_format], split, batch_size=16)
    assert rows_of(batches) == ids[split]
    shapes = {tuple(batch[1].shape) for batch in batches}
    assert {rows for rows, _ in shapes} == {16}
    assert len(shapes) <= 8


def test_the_test_split_lines_up_with_the_lines_of_its_file(folder, ids):
    assert list(read_pairs(folder, "test")) == pairs(SIZES["test"], 2)
    assert rows_of(translation_batches(folder, "test", batch_size=8)) == ids["test"]


def test_without_a_seed_pairs_of_a_length_keep_their_order(folder, ids):
    order = {str(pair): place for place, pair in enumerate(ids["train"])}
    places = collections.defaultdict(list)
    for batch in translation_batches(folder, "train", 256, pool=64):
        places[batch[1].shape] += [order[str(pair)] for pair in rows_of([batch])]
    for found in places.values():
        assert found == sorted(found)


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_an_epoch_depends_on_seed_and_number_alone(folders, output_format):
    def batches(**options):
        found = translation_batches(folders[output_format], "train", 256, pool=64, **options)
        return [[np.asarray(array).tolist() for array in arrays(batch)] for batch in found]

    whole = batches(seed=7, num_epochs=3)
    np.random.seed(123)
    tf.random.set_seed(5)
    third = len(whole) // 3
    assert batches(seed=7, first_epoch=1, num_epochs=2) == whole[third:]
    assert batches(seed=7) == whole[:third]
    assert batches(seed=8) != whole[:third]
    assert whole[:third] != whole[third : 2 * third]


def test_lengths_follow_each_other_at_random(folder):
    """Batches of a length in a row would make the gradient lean to long or short pairs."""
    lengths = [
        labels.shape[1] for _, labels, _ in translation_batches(folder, "train", 64, seed=1)
    ]
    runs = 1 + sum(one != other for one, other in itertools.pairwise(lengths))
    assert runs > len(lengths) / 2


def test_a_stream_without_end_goes_on_as_its_epochs_do(folders):
    expected = rows_of(translation_batches(folders["parquet"], "eval", 256, seed=3, num_epochs=3))
    endless = translation_batches(folders["parquet"], "eval", 256, seed=3, num_epochs=None)
    steps = len(translation_batches(folders["parquet"], "eval", 256))
    assert rows_of(itertools.islice(endless, 3 * steps)) == expected
    with pytest.raises(TypeError, match="batches for ever .* have no length"):
        len(endless)
    dataset = translation_batches(folders["tfrecord"], "eval", 256, seed=3, num_epochs=None)
    assert dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    assert rows_of(dataset.take(3 * steps)) == expected


def test_a_dataset_tells_the_rows_where_all_batches_have_the_same(folders):
    spec = translation_batches(folders["tfrecord"], "eval", batch_size=8).element_spec
    assert spec[1].shape.as_list() == [8, None]
    assert spec[2].shape.as_list() == [8]
    spec = translation_batches(folders["tfrecord"], "eval", 256).element_spec
    assert spec[1].shape.as_list() == [None, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_tokens": 0}, "`batch_tokens` must be at least 1. Received: batch_tokens=0"),
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: batch_size=0"),
        ({"pool": 0}, "`pool` must be at least 1. Received: pool=0"),
        ({"num_epochs": 0}, "`num_epochs` must be at least 1. Received: num_epochs=0"),
        (
            {"batch_size": 4, "seed": 1},
            "`seed` must be None with a `batch_size`, which keeps the order of the files. "
            "Received: seed=1",
        ),
        (
            {"lengths": [8]},
            "`lengths` must hold positive lengths, the last at least {longest}, the longest pair "
            "of train. Received: lengths=[8]",
        ),
        (
            {"batch_tokens": 8},
            "`batch_tokens` must be at least {longest}, the last of the padded lengths. "
            "Received: batch_tokens=8",
        ),
    ],
)
def test_wrong_arguments_are_named(folder, options, message):
    longest = read_manifest(folder).statistics["splits"]["train"]["lengths"]["max"]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        translation_batches(folder, "train", **options)
    assert str(caught.value) == message.format(longest=longest)


def test_an_unknown_split_is_named(folder):
    with pytest.raises(ValueError, match="`split` must be one of train, eval, test"):
        translation_batches(folder, "dev")


def test_examples_of_another_task_are_refused(folder, prepared):
    message = "`folder` must hold examples for {}, and these are for {}. Received: folder={!r}"
    for read in (lambda f: next(read_pairs(f, "test")), lambda f: translation_batches(f, "test")):
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            read(prepared["parquet"])
        expected = message.format("translation", "tagging", prepared["parquet"])
        assert str(caught.value) == expected
    for read in (
        lambda f: next(read_sentences(f, "test")),
        lambda f: tagging_batches(f, "test", 4),
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            read(folder)
        assert str(caught.value) == message.format("tagging", "translation", folder)


def test_a_damaged_shard_is_named_with_its_damage(folders, tmp_path):
    copied = pathlib.Path(shutil.copytree(folders["parquet"], tmp_path / "out"))
    path = copied / "Split-test/examples-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=f"First damage: {path}, from row 1 on: expected an int"):
        read_manifest(copied)


READ = """
import sys
sys.modules["tensorflow"] = sys.modules["apache_beam"] = sys.modules["keras"] = None
from seqnlp.records import read_manifest, read_pairs, translation_batches
folder = sys.argv[1]
read_manifest(folder)
batches = translation_batches(folder, "train", 256, seed=1)
print(sum(1 for _ in read_pairs(folder, "test")), sum(int(w.sum()) for _, _, w in batches))
"""


def test_parquet_is_read_without_tensorflow_beam_and_keras(folder):
    done = subprocess.run(
        [sys.executable, "-c", READ, folder],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )
    assert done.stdout == "30 300\n", done.stderr


def random_table(rng, rows):
    lengths = rng.integers(0, 5, rows)
    return RaggedTable({"x": Ragged(rng.integers(1, 99, lengths.sum()), lengths)})


def lists(table):
    column = table.columns["x"]
    return [column.rows(row, row + 1)[0].tolist() for row in range(len(table))]


def test_rows_of_ragged_tables_are_taken_cut_and_joined_as_lists_are():
    rng = np.random.default_rng(0)
    for rows in (1, 2, 30):
        table, other = random_table(rng, rows), random_table(rng, rows)
        order = rng.permutation(rows)
        assert lists(table.take(order)) == [lists(table)[row] for row in order]
        assert lists(table.take(order[:0])) == []
        assert lists(table[1:]) == lists(table)[1:]
        assert lists(table[: rows - 1]) == lists(table)[: rows - 1]
        assert lists(concatenate([table, other])) == lists(table) + lists(other)
