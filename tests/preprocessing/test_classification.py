"""Labelled texts to what a classifier reads, and back from the files."""

import json

import pytest

from seqnlp.preprocessing import PrepareError, prepare_classification
from seqnlp.preprocessing.classification_examples import in_float32
from seqnlp.preprocessing.split import split_of
from seqnlp.records import OUTPUT_FORMATS, SPLITS, read_labelled_texts, read_manifest
from seqnlp.text import BERTNames, BERTText
from tests.preprocessing.small_corpus import tree
from tests.preprocessing.small_labelled import pairs, texts, write

SETTINGS = {"vocabulary_size": 120, "max_length": 16}
PAIRED = {"layout": {"columns": {"text": 0, "text2": 1, "label": 2}}, "task": "regression"}
SIZES = {"train": 90, "eval": 20, "test": 20}


def given(folder, make):
    return [
        write(folder / f"{split}.tsv", make(number, seed))
        for seed, (split, number) in enumerate(SIZES.items())
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return given(tmp_path_factory.mktemp("texts"), texts)


@pytest.fixture(scope="module")
def prepared(files, tmp_path_factory):
    """Dict from format to a prepared folder."""
    folder = tmp_path_factory.mktemp("prepared")
    for name in OUTPUT_FORMATS:
        prepare_classification(folder / name, *files, output_format=name, **SETTINGS)
    return {name: str(folder / name) for name in OUTPUT_FORMATS}


@pytest.fixture(scope="module")
def similar(tmp_path_factory):
    """A prepared folder of pairs with numbers."""
    folder = tmp_path_factory.mktemp("pairs")
    paths = given(folder, pairs)
    prepare_classification(folder / "out", *paths, **PAIRED, **SETTINGS)
    return str(folder / "out")


def test_the_folder_holds_what_readers_need(prepared):
    names = {"manifest.json", "rejects/rejects.jsonl", "schema.pbtxt", "statistics.json"}
    names |= {"text.json", "vocab.txt", "labels.txt"}
    shards = {f"Split-{s}/examples-00000-of-00001.tfrecord.gz" for s in SPLITS}
    assert set(tree(prepared["tfrecord"])) == names | shards
    read_manifest(prepared["tfrecord"], task="classification")


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_every_text_comes_back_with_its_label(prepared, output_format):
    for seed, (split, number) in enumerate(SIZES.items()):
        found = read_labelled_texts(prepared[output_format], split)
        assert sorted((text, label) for (text,), label in found) == sorted(texts(number, seed))


def test_pairs_come_back_with_their_numbers(similar):
    found = [(*sides, value) for sides, value in read_labelled_texts(similar, "eval")]
    assert sorted(found) == sorted(pairs(20, 1))


def test_labels_are_in_the_order_of_the_alphabet(prepared):
    assert tree(prepared["tfrecord"])["labels.txt"] == b"bad\ngood\n"


def test_numbers_have_no_list_of_labels(similar):
    assert "labels.txt" not in tree(similar)


def test_statistics_tell_labels_lengths_and_what_is_cut(prepared):
    text = BERTText.load(prepared["tfrecord"])
    statistics = read_manifest(prepared["tfrecord"]).statistics["splits"]["train"]
    encoded = text.encode([text for text, _ in texts(90)])
    lengths = encoded["token_ids"].row_lengths().numpy()
    labels = [label for _, label in texts(90)]
    assert statistics["labels"] == {name: labels.count(name) for name in ("bad", "good")}
    assert statistics["examples"] == 90
    assert statistics["lengths"]["max"] == lengths.max()
    assert statistics["lengths"]["mean"] == pytest.approx(lengths.mean(), abs=1e-5)
    assert statistics["truncated"] == encoded["truncated"].numpy().sum()


def test_statistics_tell_numbers(similar):
    values = sorted(value for *_, value in pairs(90))
    found = read_manifest(similar).statistics["splits"]["train"]["values"]
    assert (found["min"], found["max"]) == (values[0], values[-1])
    assert found["mean"] == pytest.approx(sum(values) / 90, abs=1e-6)
    assert found["quantiles"]["0.5"] == values[44]


def test_the_schema_names_the_feature_of_the_label(prepared, similar):
    for folder, name in ((prepared["parquet"], b"label_id"), (similar, b"value")):
        assert b'name: "%s"' % name in tree(folder)["schema.pbtxt"]


@pytest.mark.parametrize("options", [{}, {"output_format": "parquet"}])
def test_neither_the_order_nor_the_number_of_files_changes_a_byte_of_the_examples(
    files, options, prepared, tmp_path
):
    with open(files[0], encoding="utf-8") as file:
        lines = file.readlines()
    parts = [tmp_path / f"{n}.tsv" for n in range(3)]
    for number, part in enumerate(parts):
        part.write_text("".join(lines[number::3][::-1]), encoding="utf-8")
    out = tmp_path / "out"
    prepare_classification(out, parts[::-1], *files[1:], **SETTINGS, **options)
    first, second = tree(prepared[options.get("output_format", "tfrecord")]), tree(out)
    del first["manifest.json"], second["manifest.json"]  # these name the files
    assert first == second


def test_the_examples_are_in_the_order_of_a_hash(prepared, files, tmp_path):
    """So the first of them are the same ones where others are left out of the file."""
    rows = [row for row in texts(90) if row[0] not in {text for text, _ in texts(90)[:30]}]
    path = write(tmp_path / "less.tsv", rows)
    vocabulary = f"{prepared['tfrecord']}/vocab.txt"
    prepare_classification(tmp_path / "out", path, *files[1:], vocabulary=vocabulary, **SETTINGS)
    kept = {text for text, _ in rows}
    before = list(read_labelled_texts(prepared["tfrecord"], "train"))
    after = list(read_labelled_texts(str(tmp_path / "out"), "train"))
    assert [row for row in before if row[0][0] in kept] == after


def test_a_given_vocabulary_is_taken(files, prepared, tmp_path):
    path = f"{prepared['tfrecord']}/vocab.txt"
    prepare_classification(tmp_path / "out", *files, vocabulary=path, **SETTINGS)
    assert BERTNames.load(str(tmp_path / "out")) == BERTNames.load(prepared["tfrecord"])


def test_missing_splits_are_split_off_by_their_texts(tmp_path):
    path = write(tmp_path / "all.tsv", texts(90))
    manifest = prepare_classification(tmp_path / "out", path, **SETTINGS)
    fractions = manifest.options["fractions"]
    shares = {split: fractions[split] for split in SPLITS}
    expected = [split_of((text,), 0, shares) for text, _ in texts(90)]
    for split in SPLITS:
        assert manifest.records(split) == expected.count(split)


def test_texts_of_two_splits_are_counted(files, tmp_path):
    manifest = prepare_classification(tmp_path / "out", files[0], files[0], files[2], **SETTINGS)
    found = manifest.statistics["splits"]["eval"]["duplicates"]
    assert found == {"within": 0, "also_in": {"train": 90}}


def test_a_label_that_training_lacks_is_rejected(files, tmp_path):
    path = write(tmp_path / "dev.tsv", [*texts(20, 1), ("so so", "middling")])
    out = tmp_path / "out"
    manifest = prepare_classification(out, files[0], path, files[2], **SETTINGS)
    (reject,) = (out / "rejects" / "rejects.jsonl").read_text().splitlines()
    assert json.loads(reject) == {
        "file": path,
        "line": 21,
        "kind": "unseen_label",
        "reason": "label 'middling' does not occur in the training split; its labels are bad, "
        "good",
        "text": "so so",
    }
    assert manifest.statistics["rejects"] == {"count": 1, "kinds": {"unseen_label": 1}}


def test_one_label_alone_is_refused(files, tmp_path):
    path = write(tmp_path / "one.tsv", [(text, "good") for text, _ in texts(90)])
    with pytest.raises(PrepareError) as error:
        prepare_classification(tmp_path / "out", path, path, path, **SETTINGS)
    assert str(error.value) == (
        "The preparation did not finish: the training split has one label only, 'good', and needs "
        "two. Check which column or field holds the label."
    )
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_one_number_alone_is_refused(tmp_path):
    path = write(tmp_path / "one.tsv", [(text, 2) for text, _ in texts(90)])
    with pytest.raises(PrepareError, match="the training split has one number only, 2.0, and"):
        prepare_classification(tmp_path / "o", path, path, path, task="regression", **SETTINGS)


@pytest.mark.parametrize(
    ("number", "expected"), [(0.1, "0.100000001"), (2.0, "2"), (-1e-9, "-9.99999972e-10")]
)
def test_numbers_are_compared_as_float32_holds_them(number, expected):
    assert in_float32(number) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 4}, "`max_length` must be at least 5. Received: max_length=4"),
        (
            {"vocabulary_size": 5},
            "`vocabulary_size` must be at least 6. Received: vocabulary_size=5",
        ),
        ({"num_shards": 0}, "`num_shards` must be at least 1. Received: num_shards=0"),
    ],
)
def test_wrong_options_write_nothing(files, tmp_path, options, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        prepare_classification(tmp_path / "out", *files, **options)
    assert str(error.value) == message
    assert not (tmp_path / "out").exists()
