import gzip
import io
import itertools
import json
import random
import shutil

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.preprocessing import prepare_tagging
from seqnlp.records import (
    bucket_lengths,
    read_manifest,
    read_sentences,
    read_tfrecord,
    tagging_batches,
    write_tfrecord,
)

PAYLOADS = [b"", b"one", b"\0\xff" * 500, b"four"]
COUNT = 150


def sentence(number, rng):
    """Sentences of 1 to 12 tokens; the first token names the sentence."""
    tokens = [f"id{number:03d}", *(f"w{rng.randrange(9)}" for _ in range(rng.randrange(12)))]
    return "".join(f"{token}\t{rng.choice(['A', 'B'])}\n" for token in tokens) + "\n"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    rng, paths = random.Random(1), []
    for name, count in [("train", COUNT), ("dev", 20), ("test", 20)]:
        paths.append(folder / name)
        text = "".join(sentence(number, rng) for number in range(count))
        paths[-1].write_text(text, encoding="utf-8")
    prepare_tagging(folder / "out", *paths, digits=False)
    return str(folder / "out")


@pytest.fixture
def copied(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "out")


def packed(payloads):
    file = io.BytesIO()
    write_tfrecord(file, payloads)
    return file.getvalue()


def test_tensorflow_reads_what_is_written(tmp_path):
    path = tmp_path / "x.tfrecord.gz"
    path.write_bytes(packed(PAYLOADS))
    assert list(tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator()) == PAYLOADS


def test_what_tensorflow_writes_is_read(tmp_path):
    path = str(tmp_path / "x.tfrecord.gz")
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for payload in PAYLOADS:
            writer.write(payload)
    assert list(read_tfrecord(path)) == PAYLOADS


def test_write_tfrecord_counts_its_records():
    assert write_tfrecord(io.BytesIO(), iter(PAYLOADS)) == 4


def test_the_gzip_header_holds_neither_time_nor_name():
    assert packed(PAYLOADS)[3:8] == b"\0\0\0\0\0"


def damaged(data, position):
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


RAW = gzip.decompress(packed([b"one", b"two"]))
DAMAGES = {
    "data": (
        gzip.compress(damaged(RAW, 19 + 13)),
        "record 2 at byte 19 of the decompressed data: "
        "expected the checksum 0x09c99089 of its data. Received: 0x",
    ),
    "length": (
        gzip.compress(damaged(RAW, 0)),
        "record 1 at byte 0 of the decompressed data: expected the checksum",
    ),
    "cut data": (
        gzip.compress(RAW[:-2]),
        "record 2 at byte 19 of the decompressed data: expected 7 bytes. Received: 5 bytes",
    ),
    "cut header": (
        gzip.compress(RAW[:24]),
        "record 2 at byte 19 of the decompressed data: expected a header of 12 bytes. "
        "Received: 5 bytes",
    ),
    "cut gzip": (
        packed([b"one", b"two"])[:-9],
        "of the decompressed data: expected intact gzip data. Received: Compressed file ended",
    ),
    "no gzip": (
        RAW,
        "record 1 at byte 0 of the decompressed data: expected intact gzip data. "
        "Received: Not a gzipped file",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_with_record_and_position(name, tmp_path):
    data, message = DAMAGES[name]
    path = tmp_path / "x.tfrecord.gz"
    path.write_bytes(data)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        list(read_tfrecord(path))
    assert str(caught.value).startswith(f"{path}, record ")
    assert message in str(caught.value)


def test_records_before_the_damage_are_read(tmp_path):
    path = tmp_path / "x.tfrecord.gz"
    path.write_bytes(DAMAGES["data"][0])
    assert next(read_tfrecord(path)) == b"one"


def refusal(folder):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        read_manifest(folder)
    return str(caught.value)


def test_a_folder_without_manifest_is_refused(copied):
    (copied / "manifest.json").unlink()
    assert refusal(copied) == (
        "`folder` must hold manifest.json, which is written last: the preparation did not "
        f"finish. Run it again into the same folder. Received: folder={str(copied)!r}"
    )


def test_a_missing_folder_is_refused(tmp_path):
    assert refusal(tmp_path / "none") == (
        "`folder` must be a folder of prepared examples, and there is none: run the preparation "
        f"first. Received: folder={str(tmp_path / 'none')!r}"
    )


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"inputs": {}'])
def test_a_manifest_that_cannot_be_understood_is_refused(copied, text):
    (copied / "manifest.json").write_text(text)
    assert refusal(copied).startswith(
        f"{copied}/manifest.json: expected a manifest of prepared examples; run the preparation "
        "again. Received: "
    )


def test_a_corrupt_shard_is_named_with_the_position_of_its_first_bad_record(copied):
    path = copied / "Split-train/examples-00002-of-00004.tfrecord.gz"
    raw = gzip.decompress(path.read_bytes())
    sizes = [len(payload) + 16 for payload in read_tfrecord(path)]
    path.write_bytes(gzip.compress(damaged(raw, sum(sizes[:5]) + 40), mtime=0))
    assert (
        f"First damage: {path}, record 6 at byte {sum(sizes[:5])} of the decompressed data: "
        "expected the checksum 0x"
    ) in refusal(copied)


def test_a_shard_that_differs_without_damage_is_named(copied):
    path = copied / "Split-test/examples-00000-of-00001.tfrecord.gz"
    path.write_bytes(packed(PAYLOADS))
    assert refusal(copied).startswith(f"{path}: expected ")
    assert "First damage" not in refusal(copied)


def test_a_missing_shard_is_named(copied):
    path = copied / "Split-eval/examples-00000-of-00001.tfrecord.gz"
    path.unlink()
    assert refusal(copied) == (
        f"{path}: expected the file that manifest.json lists. Received: no file. "
        "Run the preparation again."
    )


def test_a_changed_vocabulary_is_named(copied):
    with open(copied / "vocabulary.txt", "a") as file:
        file.write("more\n")
    assert refusal(copied).startswith(f"{copied}/vocabulary.txt: expected ")


def test_an_unknown_split_is_named(prepared):
    with pytest.raises(ValueError, match="`split` must be one of train, eval, test"):
        read_manifest(prepared).shards("dev")


def ids_of(batches):
    """The first token of every real row names the sentence."""
    return [
        row[0]
        for inputs, _, weights in batches
        for row in inputs["word_ids"].numpy()[weights.numpy() > 0]
    ]


def shape_of(batches):
    return [inputs["word_ids"].shape.as_list() for inputs, _, _ in batches]


def test_without_a_seed_examples_keep_the_order_of_the_files(prepared):
    words = {}
    with open(f"{prepared}/vocabulary.txt", encoding="utf-8") as file:
        words = {line.rstrip("\n"): index for index, line in enumerate(file)}
    expected = [words[tokens[0]] for tokens, _ in read_sentences(prepared, "train")]
    assert ids_of(tagging_batches(prepared, "train", 16)) == expected


@pytest.mark.parametrize(
    "options", [{}, {"seed": 1}, {"seed": 1, "pool": 2}, {"lengths": [5, 12]}]
)
def test_every_example_comes_exactly_once(prepared, options):
    batches = tagging_batches(prepared, "train", 16, **options)
    assert sorted(ids_of(batches)) == sorted(ids_of(tagging_batches(prepared, "train", 1)))
    assert len(set(ids_of(batches))) == COUNT
    assert batches.cardinality() == len(list(batches)) == 10


def test_inputs_are_those_of_the_sentences(prepared):
    from seqnlp.text import TaggingText

    text = TaggingText.load(prepared)
    sentences = list(itertools.islice(read_sentences(prepared, "train"), 16))
    expected = text.inputs(tf.ragged.constant([tokens for tokens, _ in sentences]))
    inputs, tags, weights = next(iter(tagging_batches(prepared, "train", 16)))
    for name in ("word_ids", "char_ids"):
        assert inputs[name].dtype == tf.int32
        np.testing.assert_array_equal(inputs[name], expected[name])
    named = [
        [text.tags[i] for i in row[: len(s[0])]]
        for row, s in zip(tags.numpy(), sentences, strict=True)
    ]
    assert named == [s[1] for s in sentences]
    np.testing.assert_array_equal(weights, np.ones(16, np.float32))


def test_an_epoch_depends_on_seed_and_number_alone(prepared):
    def orders(**options):
        flat = ids_of(tagging_batches(prepared, "train", 16, pool=3, **options))
        return [flat[start : start + COUNT] for start in range(0, len(flat), COUNT)]

    whole = orders(seed=7, num_epochs=3)
    tf.random.set_seed(123)
    assert orders(seed=7, first_epoch=1, num_epochs=2) == whole[1:]
    assert orders(seed=8)[0] != whole[0]
    assert whole[0] != whole[1]
    assert sorted(whole[0]) == sorted(whole[1])


def test_a_stream_without_end_goes_on_as_its_epochs_do(prepared):
    endless = tagging_batches(prepared, "train", 16, seed=3, num_epochs=None)
    assert endless.cardinality() == tf.data.INFINITE_CARDINALITY
    expected = ids_of(tagging_batches(prepared, "train", 16, seed=3, num_epochs=3))
    assert ids_of(endless.take(30)) == expected


def test_sorted_pools_hold_less_padding(prepared):
    def padding(**options):
        batches = tagging_batches(prepared, "train", 16, **options)
        return np.mean([(inputs["word_ids"].numpy() == 0).mean() for inputs, _, _ in batches])

    assert padding(seed=1) < 0.15 < 0.4 < padding()


def test_lengths_fix_the_shapes_and_pad_the_last_batch_with_weightless_rows(prepared):
    batches = list(tagging_batches(prepared, "train", 16, seed=1, lengths=[4, 12]))
    assert {tuple(shape) for shape in shape_of(batches)} == {(16, 4), (16, 12)}
    shapes = {tuple(inputs["char_ids"].shape) for inputs, _, _ in batches}
    assert shapes == {(16, 4, 20), (16, 12, 20)}
    weights = np.concatenate([weight for _, _, weight in batches])
    assert weights.sum() == COUNT
    for inputs, tags, weight in batches:
        assert not inputs["word_ids"].numpy()[weight.numpy() == 0].any()
        assert not tags.numpy()[weight.numpy() == 0].any()


def test_a_batch_takes_the_smallest_length_that_fits(prepared):
    batches = tagging_batches(prepared, "train", 1, lengths=[3, 6, 12])
    for (inputs, _, _), (tokens, _) in zip(
        batches, read_sentences(prepared, "train"), strict=True
    ):
        assert inputs["word_ids"].shape[1] == next(n for n in (3, 6, 12) if n >= len(tokens))


def test_characters_can_be_left_out(prepared):
    inputs, _, _ = next(iter(tagging_batches(prepared, "train", 4, characters=False)))
    assert list(inputs) == ["word_ids"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: batch_size=0"),
        ({"pool": 0}, "`pool` must be at least 1. Received: pool=0"),
        ({"num_epochs": 0}, "`num_epochs` must be at least 1. Received: num_epochs=0"),
        (
            {"lengths": [4, 8]},
            "`lengths` must hold positive lengths, the last at least 12, the longest sentence "
            "of train. Received: lengths=[4, 8]",
        ),
    ],
)
def test_wrong_arguments_are_named(prepared, options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        tagging_batches(prepared, "train", **{"batch_size": 4, **options})
    assert str(caught.value) == message


def test_batches_of_an_unfinished_folder_are_refused(copied):
    (copied / "manifest.json").unlink()
    with pytest.raises(ValueError, match="the preparation did not finish"):
        tagging_batches(copied, "train", 4)


def statistics_of(histogram):
    empty = {"lengths": {"histogram": []}}
    train = {"lengths": {"histogram": [list(pair) for pair in histogram.items()]}}
    return {"splits": {"train": train, "eval": empty, "test": empty}}


def padded(histogram, lengths):
    return sum(n * next(x for x in lengths if x >= length) for length, n in histogram.items())


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_bucket_lengths_waste_as_little_as_any_choice(count):
    rng = random.Random(count)
    for _ in range(20):
        histogram = {length: rng.randint(1, 99) for length in rng.sample(range(1, 40), 8)}
        chosen = bucket_lengths(statistics_of(histogram), count)
        last = max(histogram)
        choices = itertools.combinations(sorted(histogram), count)
        best = min(padded(histogram, choice) for choice in choices if choice[-1] == last)
        assert len(chosen) == count
        assert padded(histogram, chosen) == best


def test_bucket_lengths_are_no_more_than_there_are_lengths():
    assert bucket_lengths(statistics_of({3: 1, 5: 2}), 8) == [3, 5]


def test_bucket_lengths_fit_every_split(prepared):
    with open(f"{prepared}/statistics.json", encoding="utf-8") as file:
        statistics = json.load(file)
    assert bucket_lengths(statistics, 2)[-1] == 12


def test_bucket_lengths_can_be_those_of_some_splits():
    statistics = statistics_of({3: 1, 5: 2})
    statistics["splits"]["test"] = {"lengths": {"histogram": [[9, 1]]}}
    assert bucket_lengths(statistics, 8, ["train"]) == [3, 5]
    assert bucket_lengths(statistics, 8, ["test", "train"]) == [3, 5, 9]


def test_bucket_lengths_need_a_count():
    with pytest.raises(ValueError, match="`count` must be at least 1. Received: count=0"):
        bucket_lengths(statistics_of({1: 1}), 0)
