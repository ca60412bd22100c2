import gzip
import itertools
import json
import os
import random

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.preprocessing import prepare_translation
from seqnlp.preprocessing.split import split_of
from seqnlp.records import (
    OUTPUT_FORMATS,
    SPLITS,
    TRANSLATION_COLUMNS,
    read_manifest,
    read_pairs,
    read_parquet,
    read_tfrecord,
)
from seqnlp.text import TranslationText, WordPiece
from tests.preprocessing.small_corpus import content, tree
from tests.preprocessing.small_pairs import pairs, write

SETTINGS = {"vocabulary_size": 80}


@pytest.fixture(scope="module")
def texts():
    """Dict from split to its pairs."""
    texts = {"train": pairs(200), "eval": pairs(30, 1), "test": pairs(30, 2)}
    texts["train"][7] = texts["train"][90]
    return texts


@pytest.fixture(scope="module")
def files(texts, tmp_path_factory):
    """The paths of three training files a side, of dev and of test."""
    folder = tmp_path_factory.mktemp("pairs")
    parts = [write(folder, f"part{n}", texts["train"][n::3]) for n in range(3)]
    train = tuple(list(side) for side in zip(*parts, strict=True))
    return train, *(write(folder, split, texts[split]) for split in ("eval", "test"))


@pytest.fixture(scope="module")
def prepared(files, tmp_path_factory):
    """Dict from format to a prepared folder."""
    folder = tmp_path_factory.mktemp("prepared")
    for name in OUTPUT_FORMATS:
        prepare_translation(folder / name, *files, output_format=name, **SETTINGS)
    return {name: str(folder / name) for name in OUTPUT_FORMATS}


def test_the_folder_is_shaped_as_tfx_does(prepared):
    shards = [f"Split-train/examples-0000{n}-of-00004.tfrecord.gz" for n in range(4)]
    shards += [f"Split-{s}/examples-00000-of-00001.tfrecord.gz" for s in ("eval", "test")]
    names = ["joint.spm", "manifest.json", "rejects/rejects.jsonl", "schema.pbtxt"]
    names += ["statistics.json", "text.json"]
    assert sorted(tree(prepared["tfrecord"])) == sorted(shards + names)
    listed = {entry["file"] for entry in read_manifest(prepared["tfrecord"]).content["files"]}
    assert listed == {*names} - {"manifest.json"}


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_every_pair_comes_out_once_and_held_out_ones_in_the_order_of_their_file(
    prepared, texts, output_format
):
    folder = prepared[output_format]
    found = list(read_pairs(folder, "train"))
    assert sorted(found) == sorted(texts["train"])
    assert found != texts["train"]
    for split in ("eval", "test"):
        assert list(read_pairs(folder, split)) == texts[split]


def features(payload):
    feature = tf.train.Example.FromString(payload).features.feature
    return {
        name: list(feature[name].bytes_list.value or feature[name].int64_list.value)
        for name in TRANSLATION_COLUMNS
    }


def test_ids_are_those_of_the_saved_text(prepared, texts):
    text = TranslationText.load(prepared["tfrecord"])
    assert text.joint
    assert text.source_vocabulary_size == 80
    assert text.max_length == 257
    (shard,) = read_manifest(prepared["tfrecord"]).shards("test")
    sources, targets = zip(*texts["test"], strict=True)
    source_ids = text.encode_source(tf.constant(sources)).to_list()
    target_ids = text.encode_target(tf.constant(targets)).to_list()
    for index, payload in enumerate(read_tfrecord(shard)):
        assert features(payload) == {
            "source": [sources[index].encode()],
            "target": [targets[index].encode()],
            "source_ids": source_ids[index],
            "target_ids": target_ids[index],
        }
    assert {ids[-1] for ids in source_ids} == {3}


def test_both_formats_hold_the_same_features_in_the_same_order(prepared):
    one, other = (read_manifest(folder) for folder in prepared.values())
    for split in SPLITS:
        for records, rows in zip(one.shards(split), other.shards(split), strict=True):
            tables = read_parquet(rows, TRANSLATION_COLUMNS)
            rows = [row for table in tables for row in table.to_pylist()]
            for payload, row in zip(read_tfrecord(records), rows, strict=True):
                for name in ("source", "target"):
                    row[name] = [text.encode() for text in row[name]]
                assert features(payload) == row


def test_the_manifest_vouches_for_inputs_and_versions(prepared, files):
    manifest = read_manifest(prepared["parquet"])
    assert manifest.task == "translation"
    names = [f"part{n}.{side}" for n in range(3) for side in ("de", "en")]
    assert [entry["file"] for entry in manifest.inputs["train"]] == names
    assert manifest.inputs["eval"][0]["bytes"] == os.path.getsize(files[1][1])
    assert manifest.options["max_length"] == 256
    expected = {"beam", "pyarrow", "python", "sentencepiece", "seqnlp", "tensorflow"}
    assert set(manifest.versions) == {*expected, "tensorflow_text"}


def test_no_file_holds_a_path_of_this_machine(prepared, files):
    here = os.path.dirname(files[1][0]).encode()
    for name, data in tree(prepared["parquet"]).items():
        assert here not in data, name
        assert prepared["parquet"].encode() not in data, name


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_the_order_of_the_files_and_the_number_of_workers_change_no_byte(
    prepared, files, tmp_path, output_format
):
    train, dev, test = files
    shuffled = tuple([side[2], side[0], side[1]] for side in train)
    workers = ["--direct_num_workers=2", "--direct_running_mode=multi_threading"]
    prepare_translation(
        tmp_path / "out",
        shuffled,
        dev,
        test,
        output_format=output_format,
        pipeline_options=workers,
        **SETTINGS,
    )
    assert tree(tmp_path / "out") == tree(prepared[output_format])


def test_compressed_input_in_columns_or_json_gives_the_same_examples(
    prepared, texts, files, tmp_path
):
    rows = "".join(f"{target}\t{source}\n" for source, target in texts["train"])
    (tmp_path / "train.tsv.gz").write_bytes(gzip.compress(rows.encode()))
    given = {"train": tmp_path / "train.tsv.gz"}
    for split in ("eval", "test"):
        rows = "".join(f"{target}\t{source}\n" for source, target in texts[split])
        (tmp_path / f"{split}.tsv").write_text(rows)
        given["dev" if split == "eval" else "test"] = tmp_path / f"{split}.tsv"
    layout = {"columns": {"source": 1, "target": 0}}
    prepare_translation(tmp_path / "tsv", **given, input_format="tsv", layout=layout, **SETTINGS)
    found, expected = tree(tmp_path / "tsv"), tree(prepared["tfrecord"])
    differing = {name for name in expected if found[name] != expected[name]}
    assert set(found) == set(expected)
    assert differing == {"manifest.json", "statistics.json"}  # they name the files


def test_a_missing_split_is_split_off_by_the_source_alone(tmp_path):
    train = pairs(150)
    train += [(source, f"{target} {n}") for n, (source, target) in enumerate(train)]
    prepare_translation(tmp_path / "out", write(tmp_path, "all", train), **SETTINGS)
    fractions = {"train": 0.8, "eval": 0.1, "test": 0.1}
    found = {split: list(read_pairs(tmp_path / "out", split)) for split in SPLITS}
    assert sorted(itertools.chain(*found.values())) == sorted(train)
    for split in SPLITS:
        assert {split_of([source], 0, fractions) for source, _ in found[split]} == {split}
    for split in ("eval", "test"):  # in the order of the lines
        assert found[split] == [pair for pair in train if pair in found[split]]
    duplicates = read_manifest(tmp_path / "out").statistics["splits"]["test"]["duplicates"]
    assert duplicates == {"within": len(found["test"]) // 2, "also_in": {"train": 0, "eval": 0}}


def test_statistics_count_what_is_there(prepared, texts):
    manifest = read_manifest(prepared["tfrecord"])
    text = TranslationText.load(manifest.folder)
    statistics = manifest.statistics
    assert statistics["vocabulary"] == {"joint": True, "source": 80, "target": 80}
    assert statistics["warnings"] == []
    for split in SPLITS:
        sources, targets = zip(*texts[split], strict=True)
        source = text.encode_source(tf.constant(sources)).row_lengths().numpy() - 1
        target = text.encode_target(tf.constant(targets)).row_lengths().numpy()
        found = statistics["splits"][split]
        assert found["pairs"] == len(texts[split])
        for side, lengths in (("source", source), ("target", target)):
            assert found[side]["pieces"] == lengths.sum()
            described = found[side]["lengths"]
            assert dict(described["histogram"])[lengths.max()] == np.sum(lengths == lengths.max())
            assert described["quantiles"]["0.5"] == np.sort(lengths)[(len(lengths) - 1) // 2]
        padded = np.maximum(source, target) + 1
        assert found["lengths"]["max"] == padded.max()
        assert found["lengths"]["mean"] == pytest.approx(padded.mean(), abs=1e-6)
        assert found["length_ratio"]["mean"] == pytest.approx(
            target.sum() / source.sum(), abs=1e-6
        )
        ratios = np.sort(target / source)
        middle = ratios[(len(ratios) - 1) // 2]
        assert found["length_ratio"]["quantiles"]["0.5"] == pytest.approx(middle, abs=0.026)
    assert statistics["splits"]["train"]["duplicates"] == {"within": 1, "also_in": {}}


def test_unknown_pieces_equal_sides_and_duplicates_across_splits_are_counted(tmp_path):
    train = pairs(60)
    dev = [(train[3][0], "der Hund 漢漢 ."), ("the dog .", "the dog ."), ("x 漢 y", "der Igel .")]
    test = [("the dog .", "der Hund ."), train[3]]
    given = [write(tmp_path, n, p) for n, p in [("a", train), ("b", dev), ("c", test)]]
    settings = {"vocabulary_size": 60, "subword_settings": {"character_coverage": 1.0}}
    splits = prepare_translation(tmp_path / "out", *given, **settings).statistics["splits"]
    assert splits["eval"]["duplicates"] == {"within": 0, "also_in": {"train": 1}}
    assert splits["test"]["duplicates"] == {"within": 0, "also_in": {"train": 1, "eval": 2}}
    assert splits["eval"]["equal"] == pytest.approx(1 / 3, abs=1e-6)
    assert splits["train"]["equal"] == 0
    # One run of characters without a piece is one unknown.
    (payloads,) = [list(read_tfrecord(p)) for p in read_manifest(tmp_path / "out").shards("eval")]
    for side in ("source", "target"):
        ids = [features(payload)[f"{side}_ids"] for payload in payloads]
        pieces = [piece for row in ids for piece in row if piece != 3]
        unknown = pieces.count(1) / len(pieces)
        assert unknown > 0
        assert splits["eval"][side]["out_of_vocabulary"] == pytest.approx(unknown, abs=1e-6)


def test_separate_vocabularies_have_files_of_their_own(files, tmp_path):
    manifest = prepare_translation(
        tmp_path / "out", *files, joint=False, subwords="unigram", vocabulary_size=30
    )
    assert {"source.spm", "target.spm"} <= set(tree(tmp_path / "out"))
    text = TranslationText.load(tmp_path / "out")
    assert not text.joint
    assert manifest.statistics["vocabulary"] == {"joint": False, "source": 30, "target": 30}
    source, target = ("".join(side.tokens) for side in (text.source, text.target))
    assert "ö" not in source
    assert "ö" in target


def test_word_pieces_are_learned_with_their_settings(files, tmp_path):
    settings = {"subwords": "wordpiece", "subword_settings": {"lowercase": True}}
    manifest = prepare_translation(tmp_path / "out", *files, **settings, vocabulary_size=90)
    text = TranslationText.load(tmp_path / "out")
    assert text.joint
    assert isinstance(text.source, WordPiece)
    assert text.source.lowercase
    assert "hund" in text.source.tokens
    assert manifest.statistics["vocabulary"]["source"] == len(text.source.tokens) <= 90
    assert "joint.txt" in {entry["file"] for entry in manifest.content["files"]}
    pair = next(read_pairs(tmp_path / "out", "test"))
    (shard,) = manifest.shards("test")
    ids = features(next(read_tfrecord(shard)))
    assert ids["source_ids"] == text.encode_source(tf.constant([pair[0]])).to_list()[0]
    assert ids["target_ids"] == text.encode_target(tf.constant([pair[1]])).to_list()[0]


def test_another_preparation_into_the_folder_leaves_nothing_of_the_first(files, tmp_path):
    prepare_translation(tmp_path / "out", *files, joint=False, vocabulary_size=50)
    prepare_translation(tmp_path / "out", *files, output_format="parquet", **SETTINGS)
    names = set(tree(tmp_path / "out"))
    assert "joint.spm" in names
    assert not {"source.spm", "target.spm"} & names
    assert not any(name.endswith(".tfrecord.gz") for name in names)


def test_the_schema_describes_the_examples(prepared):
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    text = tree(prepared["tfrecord"])["schema.pbtxt"].decode()
    schema = text_format.Parse(text, schema_pb2.Schema())
    domains = {f.name: (f.int_domain.min, f.int_domain.max) for f in schema.feature}
    ids = (1, 79)
    assert domains == {"source": (0, 0), "target": (0, 0), "source_ids": ids, "target_ids": ids}
    assert {f.name for f in schema.feature if f.value_count.max == 1} == {"source", "target"}


def test_long_pairs_of_training_are_rejects_and_those_held_out_are_cut_in_their_ids(tmp_path):
    train = pairs(60)
    long = (" ".join(["the dog"] * 90), " ".join(["der Hund"] * 90))
    given = [
        write(tmp_path, name, [*some[:1], long, *some[1:]])
        for name, some in [("train", train), ("dev", train[:2]), ("test", train[2:4])]
    ]
    settings = {"max_length": 80, "vocabulary_size": 60, "max_rejects": 0.1}
    manifest = prepare_translation(tmp_path / "out", *given, **settings)
    assert manifest.records("train") == 60
    (row,) = map(json.loads, tree(tmp_path / "out")["rejects/rejects.jsonl"].splitlines())
    text = TranslationText.load(tmp_path / "out")
    whole = text.encode_target(tf.constant([long[1]])).to_list()[0]
    assert row == {
        "file": f"{given[0][0]} + {given[0][1]}",
        "line": 2,
        "kind": "long_pair",
        "reason": row["reason"],
        "text": "\t".join(long),
    }
    side, size = row["reason"].removesuffix("0").split(":")[0], row["reason"].rsplit(" ", 1)[1]
    lengths = {"source": len(text.source.tokenize([long[0]])[0]), "target": len(whole)}
    assert int(size) == lengths[side] > 80
    assert row["reason"] == f"{side}: expected at most 80 pieces, received {size}"
    assert list(read_pairs(tmp_path / "out", "test")) == [train[2], long, train[3]]
    payload = list(read_tfrecord(manifest.shards("test")[0]))[1]
    ids = features(payload)
    assert ids["source_ids"] == text.encode_source(tf.constant([long[0]])).to_list()[0]
    assert len(ids["source_ids"]) == 81
    assert ids["target_ids"] == whole[:80]
    splits = manifest.statistics["splits"]
    assert [splits[split]["cut"] for split in SPLITS] == [0, 1, 1]
    assert max(splits[split]["lengths"]["max"] for split in SPLITS) == 81


def test_without_a_maximum_length_nothing_is_too_long(tmp_path):
    long = (" ".join(["the dog"] * 300), "der Hund")
    given = write(tmp_path, "all", [*pairs(100), long])
    manifest = prepare_translation(tmp_path / "out", given, max_length=None, vocabulary_size=60)
    assert sum(manifest.records(split) for split in SPLITS) == 101
    assert TranslationText.load(tmp_path / "out").max_length is None


def test_several_held_out_files_come_in_the_order_of_their_paths(tmp_path):
    train = write(tmp_path, "train", pairs(60))
    first, second = pairs(5, 1), pairs(5, 2)
    one, other = write(tmp_path, "a", first), write(tmp_path, "b", second)
    test = tuple(map(list, zip(other, one, strict=True)))
    prepare_translation(tmp_path / "out", train, one, test, vocabulary_size=60)
    assert list(read_pairs(tmp_path / "out", "test")) == first + second


def test_an_exchanged_test_split_is_warned_of(files, tmp_path):
    train, dev, (source, target) = files
    manifest = prepare_translation(tmp_path / "out", train, dev, (target, source), **SETTINGS)
    assert manifest.statistics["warnings"] == [
        "test, test.de + test.en: source and target look exchanged: 100% of the words that tell "
        "the languages of the training files apart stand on the wrong side. Check the order of "
        "the files or columns."
    ]
    flagged = [entry for entry in manifest.statistics["files"] if entry["exchanged"]]
    assert flagged == [
        {
            "split": "test",
            "file": "test.de + test.en",
            "exchanged": True,
            "exchanged_share": 1.0,
        }
    ]


def test_one_exchanged_training_file_of_several_is_warned_of(files, tmp_path):
    (source, target), dev, test = files
    train = ([source[0], target[1], source[2]], [target[0], source[1], target[2]])
    manifest = prepare_translation(tmp_path / "out", train, dev, test, **SETTINGS)
    (warning,) = manifest.statistics["warnings"]
    assert warning.startswith("train, part1.de + part1.en: source and target look exchanged: ")


def test_bad_lines_are_rejects_with_both_files_and_the_rest_is_kept(tmp_path):
    rng = random.Random(4)
    given = pairs(60)
    source, target = ([pair[side].encode() for pair in given] for side in (0, 1))
    bad = {
        "empty_line": (b"", b"ja", "source line: expected text, received ''"),
        "not_utf8": (
            b"yes",
            b"j\xe4",
            "byte 2 of the target line: expected UTF-8, received 0xE4",
        ),
        "nul_byte": (
            b"y\0s",
            b"ja",
            "byte 2 of the source line: expected text, received a NUL byte",
        ),
        "control_character": (
            b"yes",
            b"\x1bja",
            "target line, character 1: expected text on one line, received the control "
            "character U+001B",
        ),
        "long_line": (
            b"yes " * 10_000,
            b"ja",
            "source line: expected at most 1000 tokens, received 10000",
        ),
    }
    expected = []
    for kind, (one, other, reason) in sorted(bad.items(), key=lambda _: rng.random()):
        source.append(one)
        target.append(other)
        expected.append((len(source), kind, reason))
    paths = [tmp_path / "a.en", tmp_path / "a.de"]
    for path, lines in zip(paths, (source, target), strict=True):
        path.write_bytes(b"".join(line + b"\n" for line in lines))
    settings = {"max_rejects": 0.1, "vocabulary_size": 60}
    manifest = prepare_translation(tmp_path / "out", paths, **settings)
    assert sum(manifest.records(split) for split in SPLITS) == 60
    assert manifest.statistics["rejects"] == {"count": 5, "kinds": dict.fromkeys(bad, 1)}
    lines = tree(tmp_path / "out")["rejects/rejects.jsonl"].splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["line"], row["kind"], row["reason"]) for row in rows] == expected
    assert {row["file"] for row in rows} == {f"{paths[0]} + {paths[1]}"}


def test_text_without_pieces_is_a_reject(tmp_path):
    given = write(tmp_path, "a", [*pairs(60), ("\u200b", "ja")])
    manifest = prepare_translation(
        tmp_path / "out", given, given, given, max_rejects=0.1, vocabulary_size=60
    )
    assert [manifest.records(split) for split in SPLITS] == [60, 60, 60]
    rows = [
        json.loads(row) for row in tree(tmp_path / "out")["rejects/rejects.jsonl"].splitlines()
    ]
    reason = "source: expected text, received nothing that has pieces"
    assert {(row["line"], row["kind"], row["reason"]) for row in rows} == {
        (61, "empty_line", reason)
    }
    assert len(rows) == 3
    assert content(given[0]).endswith("\u200b\n")
