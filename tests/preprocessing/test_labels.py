"""Sentences with a label of their own: what the preparation writes, and how it is read."""

import json

import numpy as np
import pytest

from seqnlp.preprocessing import PrepareError, prepare_tagging
from seqnlp.records import OUTPUT_FORMATS, SPLITS, read_labels, read_sentences, tagging_batches
from seqnlp.text import TaggingText
from tests.preprocessing.small_corpus import conll, corpus, tree

LABELS = ["ask", "book flight", "예매"]


def labelled(sentences, labels=LABELS):
    return [(sentence, labels[len(sentence) % len(labels)]) for sentence in sentences]


def write(path, pairs):
    text = "".join(f"# intent = {label}\n{conll([sentence])}" for sentence, label in pairs)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def splits():
    train, dev, test = corpus(60), corpus(12, 1), corpus(12, 2)
    return dict(zip(SPLITS, map(labelled, (train, dev, test)), strict=True))


def files_of(splits, folder):
    return [write(folder / f"{split}.conll", splits[split]) for split in SPLITS]


@pytest.fixture(scope="module", params=OUTPUT_FORMATS)
def manifest(request, splits, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    files, layout = files_of(splits, folder), {"label": "intent"}
    settings = {"output_format": request.param, "layout": layout}
    return prepare_tagging(folder / "out", *files, encoding="bio", **settings)


def test_the_labels_of_training_are_listed_in_order(manifest):
    assert TaggingText.load(manifest.folder).labels == LABELS
    assert tree(manifest.folder)["labels.txt"].decode() == "".join(f"{x}\n" for x in LABELS)
    assert "labels.txt" in {entry["file"] for entry in manifest.content["files"]}
    assert manifest.label == "intent"


@pytest.mark.parametrize("split", SPLITS)
def test_every_sentence_keeps_its_label(manifest, splits, split):
    tokens = [tuple(tokens) for tokens, _ in read_sentences(manifest.folder, split)]
    found = dict(zip(tokens, read_labels(manifest.folder, split), strict=True))
    assert found == {tuple(w for w, _ in sentence): label for sentence, label in splits[split]}


def test_statistics_count_the_labels(manifest, splits):
    labels = [label for _, label in splits["train"]]
    statistics = manifest.statistics
    expected = {label: labels.count(label) for label in LABELS}
    assert statistics["splits"]["train"]["labels"] == expected
    assert statistics["vocabulary"]["labels"] == 3


def test_the_schema_describes_the_label(manifest):
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    text = tree(manifest.folder)["schema.pbtxt"].decode()
    (feature,) = (
        f for f in text_format.Parse(text, schema_pb2.Schema()).feature if f.name == "label_id"
    )
    assert (feature.int_domain.min, feature.int_domain.max) == (0, 2)
    assert (feature.value_count.min, feature.value_count.max) == (1, 1)


@pytest.mark.parametrize("lengths", [None, [4, 12]])
def test_batches_hold_tags_and_label(manifest, lengths):
    names = read_labels(manifest.folder, "eval")
    expected = [LABELS.index(name) for name in names]
    batches = tagging_batches(manifest.folder, "eval", 5, lengths=lengths)
    found = []
    for _, y, weight in batches:
        assert set(y) == {"tags", "label"}
        label, weight = np.asarray(y["label"]), np.asarray(weight)
        assert label.dtype == "int32"
        assert label.shape == weight.shape == (len(y["tags"]),)
        assert not label[weight == 0].any()
        found += label[weight > 0].tolist()
    assert found == expected


def test_parquet_batches_as_a_dataset_hold_the_same(manifest):
    batches = tagging_batches(manifest.folder, "eval", 5)
    if manifest.output_format == "parquet":
        expected, batches = list(batches), batches.dataset()
        for (_, ours, _), (_, theirs, _) in zip(batches, expected, strict=True):
            np.testing.assert_array_equal(ours["label"], theirs["label"])
    assert batches.element_spec[1]["label"].shape.rank == 1


def test_without_a_label_nothing_of_it_is_written(splits, tmp_path):
    files, layout = files_of(splits, tmp_path), {"comment": "# "}
    manifest = prepare_tagging(tmp_path / "out", *files, layout=layout)
    assert manifest.label is None
    assert "labels.txt" not in tree(manifest.folder)
    assert "labels" not in manifest.statistics["splits"]["train"]
    with pytest.raises(ValueError, match="`folder` must hold examples that .* with a label. Rec"):
        next(read_labels(manifest.folder, "train"))


def test_a_label_alone_tells_two_sentences_apart(tmp_path):
    sentence = corpus(1)[0]
    pairs = [(sentence, "ask"), (sentence, "book")] * 3
    path = write(tmp_path / "all.conll", pairs)
    manifest = prepare_tagging(tmp_path / "out", path, path, path, layout={"label": "intent"})
    assert sorted(read_labels(manifest.folder, "train")) == ["ask"] * 3 + ["book"] * 3


def refused(output, *files, **options):
    with pytest.raises(PrepareError) as caught:
        prepare_tagging(output, *files, layout={"label": "intent"}, **options)
    assert not (output / "manifest.json").exists()
    return str(caught.value)


def test_one_label_only_is_refused(tmp_path):
    path = write(tmp_path / "all.conll", labelled(corpus(9), ["ask"]))
    assert refused(tmp_path / "out", path, path, path) == (
        "The preparation did not finish: the training split has one label only, 'ask', and needs "
        "two. Check which comment or field holds the label, or prepare without labels."
    )


def test_a_test_sentence_with_a_label_that_training_lacks_is_rejected(splits, tmp_path):
    files = files_of(splits, tmp_path)
    sentence = [("new", "O")]
    write(files[2], [(sentence, "cancel"), *splits["test"]])
    layout = {"label": "intent"}
    manifest = prepare_tagging(tmp_path / "out", *files, layout=layout, max_rejects=0.1)
    assert manifest.records("test") == 12
    row = json.loads(tree(manifest.folder)["rejects/rejects.jsonl"])
    assert (row["kind"], row["line"], row["text"]) == ("unseen_label", 2, "new\tO")
    assert row["reason"] == (
        "label 'cancel' does not occur in the training split; its labels are "
        "ask, book flight, 예매"
    )
