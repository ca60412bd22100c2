import gzip
import json
import os
import re

import pytest
import tensorflow as tf

from seqnlp.preprocessing import prepare_tagging
from seqnlp.preprocessing.split import split_of
from seqnlp.records import SPLITS, read_manifest, read_sentences, read_tfrecord, tagging_batches
from seqnlp.tag_schemes import convert
from seqnlp.text import TaggingText
from tests.preprocessing.small_corpus import conll, content, corpus, tree, write


@pytest.fixture(scope="module")
def prepared(files, tmp_path_factory):
    """A folder prepared from three files of training sentences, one of dev, one of test."""
    output = str(tmp_path_factory.mktemp("prepared") / "examples")
    train, dev, test = files
    prepare_tagging(output, train, dev, test, encoding="bio")
    return output


def test_the_folder_is_shaped_as_tfx_does(prepared):
    shards = [f"Split-train/examples-0000{n}-of-00004.tfrecord.gz" for n in range(4)]
    shards += [f"Split-{s}/examples-00000-of-00001.tfrecord.gz" for s in ("eval", "test")]
    names = ["characters.txt", "manifest.json", "rejects/rejects.jsonl", "schema.pbtxt"]
    names += ["statistics.json", "tags.txt", "text.json", "vocabulary.txt"]
    assert sorted(tree(prepared)) == sorted(shards + names)


def test_every_sentence_comes_out_once_in_its_split(files, prepared):
    expected = {"train": "".join(map(content, files[0]))}
    expected["eval"], expected["test"] = map(content, files[1:])
    for split in SPLITS:
        found = [
            conll([zip(*sentence, strict=True)]) for sentence in read_sentences(prepared, split)
        ]
        assert sorted(found) == sorted(f"{s}\n\n" for s in expected[split].split("\n\n") if s)


def test_ids_are_those_of_the_saved_text(prepared):
    text = TaggingText.load(prepared)
    payload = next(read_tfrecord(read_manifest(prepared).shards("test")[0]))
    feature = tf.train.Example.FromString(payload).features.feature
    tokens = feature["tokens"].bytes_list.value
    ids = text.ids(tf.ragged.constant([tokens]))
    assert list(feature["word_ids"].int64_list.value) == ids["word_ids"].values.numpy().tolist()
    assert (
        list(feature["char_ids"].int64_list.value) == ids["char_ids"].flat_values.numpy().tolist()
    )
    counts = ids["char_ids"].values.row_lengths().numpy().tolist()
    assert list(feature["char_counts"].int64_list.value) == counts


def test_the_vocabulary_is_ordered_by_count_then_token(files, prepared):
    counts = {}
    for path in files[0]:
        for line in content(path).split("\n"):
            if line.strip():
                word = re.sub(r"\d", "0", line.split("\t")[0].lower())
                counts[word] = counts.get(word, 0) + 1
    expected = sorted(counts, key=lambda word: (-counts[word], word))
    assert TaggingText.load(prepared).words.tokens[2:] == expected


def test_tags_begin_with_o(prepared):
    assert TaggingText.load(prepared).tags == ["O", "B-city"]


def test_statistics_count_what_is_there(files, prepared):
    statistics = json.loads(tree(prepared)["statistics.json"])
    lengths = [len(tokens) for tokens, _ in read_sentences(prepared, "train")]
    train = statistics["splits"]["train"]
    assert train["sentences"] == 300
    assert train["tokens"] == sum(lengths)
    assert train["lengths"]["max"] == max(lengths)
    assert dict(train["lengths"]["histogram"])[max(lengths)] == lengths.count(max(lengths))
    assert train["lengths"]["quantiles"]["0.5"] == sorted(lengths)[149]
    assert train["tags"] == {"B-city": 300, "O": sum(lengths) - 300}
    assert train["duplicates"] == {"within": 2, "also_in": {}}
    assert train["out_of_vocabulary"] == 0.0


def test_duplicates_across_splits_and_unknown_words_are_counted(tmp_path):
    train = corpus(20)
    dev = [train[3], train[3], [("new", "O"), ("words", "O")]]
    args = [
        write(tmp_path / n, s) for n, s in [("a", train), ("b", dev), ("c", [train[4], dev[2]])]
    ]
    manifest = prepare_tagging(tmp_path / "out", *args)
    splits = manifest.statistics["splits"]
    assert splits["eval"]["duplicates"] == {"within": 1, "also_in": {"train": 2}}
    assert splits["test"]["duplicates"] == {"within": 0, "also_in": {"train": 1, "eval": 1}}
    tokens = 2 * len(train[3]) + 2
    assert splits["eval"]["out_of_vocabulary"] == pytest.approx(2 / tokens, abs=1e-6)


def test_the_manifest_lists_inputs_shards_and_files_with_checksums(files, prepared):
    manifest = read_manifest(prepared)
    assert [entry["file"] for entry in manifest.inputs["train"]] == [
        "part0.conll",
        "part1.conll",
        "part2.conll",
    ]
    assert manifest.inputs["eval"][0]["bytes"] == os.path.getsize(files[1])
    assert manifest.records("train") == 300
    assert set(manifest.versions) == {"python", "seqnlp", "beam", "tensorflow"}


def test_the_manifest_holds_no_path_of_this_machine(files, prepared):
    assert os.path.dirname(files[1]) not in tree(prepared)["manifest.json"].decode()
    assert prepared not in tree(prepared)["manifest.json"].decode()


def test_the_order_of_the_input_files_changes_no_byte(files, prepared, tmp_path):
    train, dev, test = files
    prepare_tagging(tmp_path / "out", train[::-1], dev, test, encoding="bio")
    assert tree(tmp_path / "out") == tree(prepared)


def test_a_second_preparation_replaces_the_first_and_what_a_kill_left(files, prepared, tmp_path):
    train, dev, test = files
    prepare_tagging(tmp_path / "out", train, dev, test, num_shards=9, characters=False)
    (tmp_path / "out/Split-train/.tmp-examples-00000-of-00004.tfrecord.gz-1").write_bytes(b"half")
    (tmp_path / "out/failure.json").write_bytes(b"{}")
    (tmp_path / "out/characters.txt").write_bytes(b"old")
    prepare_tagging(tmp_path / "out", train, dev, test, encoding="bio")
    assert tree(tmp_path / "out") == tree(prepared)


def test_files_of_others_in_the_folder_are_kept(files, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    prepare_tagging(tmp_path, *files)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_missing_splits_are_split_off_by_content(files, tmp_path):
    prepare_tagging(tmp_path / "out", files[0])
    for split in SPLITS:
        for tokens, _ in read_sentences(tmp_path / "out", split):
            assert split_of(tokens, 0, {"train": 0.8, "eval": 0.1, "test": 0.1}) == split


def test_a_given_split_is_kept_and_the_missing_one_split_off(files, tmp_path):
    manifest = prepare_tagging(tmp_path / "out", files[0], dev=files[1])
    assert manifest.records("eval") == 30
    assert manifest.records("train") + manifest.records("test") == 300
    assert 15 <= manifest.records("test") <= 45


def test_compressed_input_gives_the_same_examples(files, prepared, tmp_path):
    train = []
    for path in files[0]:
        train.append(tmp_path / (os.path.basename(path) + ".gz"))
        train[-1].write_bytes(gzip.compress(content(path).encode()))
    prepare_tagging(tmp_path / "out", train, *files[1:], encoding="bio")
    found, expected = tree(tmp_path / "out"), tree(prepared)
    assert found.pop("manifest.json") != expected["manifest.json"]
    assert found == {name: data for name, data in expected.items() if name != "manifest.json"}


def test_records_out_are_records_in_less_the_rejects(files, tmp_path):
    bad = tmp_path / "bad.conll"
    bad.write_bytes(b"a\tO\n\nb\n\nc\xe9\tO\n\nd\tO\n\n")
    manifest = prepare_tagging(tmp_path / "out", [*files[0], bad], *files[1:], max_rejects=0.1)
    assert manifest.records("train") == 302
    assert manifest.statistics["rejects"] == {
        "count": 2,
        "kinds": {"columns": 1, "not_utf8": 1},
    }
    rows = [
        json.loads(row) for row in tree(tmp_path / "out")["rejects/rejects.jsonl"].splitlines()
    ]
    assert rows == [
        {
            "file": str(bad),
            "line": 3,
            "kind": "columns",
            "reason": "column 2 (tag): expected 2 columns, received 1",
            "text": "b",
        },
        {
            "file": str(bad),
            "line": 5,
            "kind": "not_utf8",
            "reason": "byte 2 of the line: expected UTF-8, received 0xE9",
            "text": "c\\xe9\tO",
        },
    ]


def test_a_dev_sentence_with_a_tag_that_training_lacks_is_rejected(files, tmp_path):
    dev = write(tmp_path / "dev.conll", [[("the", "O"), ("Titanic", "B-ship")], *corpus(3)])
    manifest = prepare_tagging(tmp_path / "out", files[0], dev, files[2], max_rejects=1.0)
    assert manifest.records("eval") == 3
    row = json.loads(tree(tmp_path / "out")["rejects/rejects.jsonl"])
    assert (row["file"], row["line"], row["text"]) == (dev, 1, "the\tO\nTitanic\tB-ship")
    assert row["reason"] == (
        "tag 'B-ship' does not occur in the training split; its tags are O, B-city"
    )


def test_tags_are_converted_and_the_rest_stays_as_it_was(files, tmp_path):
    two = [[("New", "B-city"), ("York", "I-city"), ("is", "O"), ("big", "O")]]
    dev = write(tmp_path / "dev.conll", [*two, [("Titanic", "B-ship")], *corpus(3)])
    train = [*files[0], write(tmp_path / "two.conll", two)]
    given = {"train": train, "dev": dev, "test": files[2], "encoding": "bio", "max_rejects": 1.0}
    plain = prepare_tagging(tmp_path / "plain", **given)
    manifest = prepare_tagging(tmp_path / "out", **given, train_encoding="bioes")
    assert manifest.options["encoding"] == "bioes"
    assert manifest.options["input_encoding"] == "bio"
    tags = content(tmp_path / "out" / "tags.txt").split()
    assert tags == ["O", "B-city", "I-city", "E-city", "S-city"]
    for split in ("train", "eval", "test"):
        before = list(read_sentences(plain.folder, split))
        after = list(read_sentences(manifest.folder, split))
        assert after == [(tokens, convert(tags, "bio", "bioes")) for tokens, tags in before]
    new_york = (["New", "York", "is", "big"], ["B-city", "E-city", "O", "O"])
    assert new_york in read_sentences(manifest.folder, "eval")
    row = json.loads(tree(tmp_path / "out")["rejects/rejects.jsonl"])
    assert row["text"] == "Titanic\tB-ship"  # as in the file


def test_hostile_tokens_come_back_as_they_were(tmp_path):
    tokens, tags = (
        ["[PAD]", "[UNK]", "a\nb", "c\r", "한\u2028"],
        ["O", "B-[PAD]", "O", "B- x", "O"],
    )
    path = tmp_path / "f.jsonl"
    path.write_text(json.dumps({"tokens": tokens, "tags": tags}) + "\n")
    output = tmp_path / "out"
    prepare_tagging(output, path, path, path, input_format="jsonl", lowercase=False)
    assert list(read_sentences(output, "train")) == [(tokens, tags)]
    assert TaggingText.load(output).words.tokens == ["[PAD]", "[UNK]", "한\u2028"]
    inputs, _, _ = next(iter(tagging_batches(output, "train", 1)))
    assert inputs["word_ids"].numpy().tolist() == [[1, 1, 1, 1, 2]]


def test_the_schema_describes_the_examples(prepared):
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = text_format.Parse(tree(prepared)["schema.pbtxt"].decode(), schema_pb2.Schema())
    domains = {f.name: (f.int_domain.min, f.int_domain.max) for f in schema.feature}
    text = TaggingText.load(prepared)
    assert domains == {
        "char_counts": (1, 20),
        "char_ids": (1, len(text.characters) - 1),
        "tag_ids": (0, 1),
        "tokens": (0, 0),
        "word_ids": (1, len(text.words) - 1),
    }


def test_parquet_is_the_same_from_any_order_of_the_files(files, tmp_path):
    train, dev, test = files
    for name, parts in (("one", train), ("other", train[::-1])):
        prepare_tagging(tmp_path / name, parts, dev, test, encoding="bio", output_format="parquet")
    one = tree(tmp_path / "one")
    assert one == tree(tmp_path / "other")
    shards = {name for name in one if name.startswith("Split-")}
    expected = {f"Split-train/examples-0000{n}-of-00004.parquet" for n in range(4)}
    held_out = {f"Split-{s}/examples-00000-of-00001.parquet" for s in ("eval", "test")}
    assert shards == expected | held_out


def test_a_preparation_in_another_format_removes_the_first(files, tmp_path):
    for output_format in ("parquet", "tfrecord", "parquet"):
        prepare_tagging(tmp_path / "out", *files, output_format=output_format)
        ending = ".parquet" if output_format == "parquet" else ".tfrecord.gz"
        shards = [name for name in tree(tmp_path / "out") if name.startswith("Split-")]
        assert len(shards) == 6
        assert all(name.endswith(ending) for name in shards)
    assert read_manifest(tmp_path / "out").versions["pyarrow"]
