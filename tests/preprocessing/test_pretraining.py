"""Plain text to what BERT is pretrained on, and back from the files."""

import itertools
import json
import random
from collections import Counter

import numpy as np
import pytest

from seqnlp.preprocessing import DocumentReader, PrepareError, prepare_pretraining
from seqnlp.preprocessing.split import split_of
from seqnlp.records import OUTPUT_FORMATS, SPLITS, pretraining_batches, read_manifest
from seqnlp.text import BERTNames, BERTText
from tests.preprocessing.small_corpus import tree

LENGTH = 32
SETTINGS = {"vocabulary_size": 300, "max_length": LENGTH, "num_shards": 3}
WORDS = "the a small old house tree river city stands near falls and grows under over"
WORDS = WORDS.split()


def documents(number, seed=0):
    """Documents of sentences, each with a word of its own."""
    rng = random.Random(seed)
    return [
        [
            " ".join(rng.choices(WORDS, k=rng.randint(3, 9))) + f" topic{seed}x{at}."
            for _ in range(rng.randint(2, 12))
        ]
        for at in range(number)
    ]


def write(path, given):
    path.write_text("\n\n".join("\n".join(document) for document in given), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def texts():
    return {"train": documents(120), "eval": documents(15, 1), "test": documents(15, 2)}


@pytest.fixture(scope="module")
def files(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    train = [write(folder / f"part{n}.txt", texts["train"][n::3]) for n in range(3)]
    return train, *(write(folder / f"{s}.txt", texts[s]) for s in ("eval", "test"))


@pytest.fixture(scope="module")
def prepared(files, tmp_path_factory):
    """Dict from format to a prepared folder."""
    folder = tmp_path_factory.mktemp("prepared")
    for name in OUTPUT_FORMATS:
        prepare_pretraining(folder / name, *files, output_format=name, **SETTINGS)
    return {name: str(folder / name) for name in OUTPUT_FORMATS}


def pairs_of(folder, split, **settings):
    """`(token ids, segments, is_next)` of every pair before any token is hidden."""
    for inputs, labels, weights in pretraining_batches(folder, split, 16, **settings):
        inputs, labels, weights = (
            {name: np.asarray(value).copy() for name, value in values.items()}
            for values in (inputs, labels, weights)
        )
        ids = inputs["token_ids"]
        for row in range(len(ids)):
            real = weights["masked_lm"][row] > 0
            ids[row, inputs["positions"][row][real]] = labels["masked_lm"][row][real]
            if weights["next_sentence"][row]:
                yield ids[row], inputs["segment_ids"][row], 1 - labels["next_sentence"][row]


def test_the_folder_holds_what_readers_need_and_nothing_of_the_way_there(prepared):
    names = {"manifest.json", "rejects/rejects.jsonl", "schema.pbtxt", "statistics.json"}
    names |= {"text.json", "vocab.txt"}
    shards = {f"Split-train/examples-0000{n}-of-00003.tfrecord.gz" for n in range(3)}
    shards |= {f"Split-{s}/examples-00000-of-00001.tfrecord.gz" for s in ("eval", "test")}
    assert set(tree(prepared["tfrecord"])) == names | shards


def test_spans_follow_each_other_or_come_from_another_document(prepared, texts):
    folder = prepared["parquet"]
    text = BERTText.load(folder)
    pieces = {
        split: [
            list(itertools.chain(*text.tokenize(document).to_list())) for document in texts[split]
        ]
        for split in SPLITS
    }
    for split in SPLITS:
        joined = [f" {' '.join(map(str, document))} " for document in pieces[split]]
        found = {True: 0, False: 0}
        for ids, segments, is_next in pairs_of(folder, split):
            ids, segments = ids[ids != 0], segments[ids != 0]
            assert ids[0] == text.names.special_ids["[CLS]"]
            first, second = ids[segments == 0][1:-1], ids[segments == 1][:-1]
            assert len(first)
            assert len(second)
            homes = [
                {
                    at
                    for at, document in enumerate(joined)
                    if f" {' '.join(map(str, span))} " in document
                }
                for span in (first, second)
            ]
            assert homes[0]
            assert homes[1]
            if is_next:
                assert homes[0] & homes[1]
            else:
                assert len(homes[0] | homes[1]) > 1
            found[bool(is_next)] += 1
        assert min(found.values()) > 3


def test_every_sentence_and_piece_is_accounted_for(prepared, texts):
    statistics = read_manifest(prepared["tfrecord"]).statistics["splits"]
    for split in SPLITS:
        found = statistics[split]
        assert found["documents"] == len(texts[split])
        assert found["sentences"] == sum(map(len, texts[split]))
        assert found["pairs"] == sum(1 for _ in pairs_of(prepared["parquet"], split))
        in_next = 0
        for ids, segments, is_next in pairs_of(prepared["parquet"], split):
            in_next += int((ids != 0).sum()) - 3 if is_next else int((segments == 0).sum()) - 2
            in_next -= 0 if is_next else int((ids[segments == 0] == 0).sum())
        assert in_next + found["pieces_without_pair"] <= found["pieces"]
    assert statistics["train"]["next"] == pytest.approx(0.5, abs=0.15)


def test_both_formats_give_the_same_batches(prepared):
    for one, other in zip(
        pretraining_batches(prepared["parquet"], "train", 8, seed=3),
        pretraining_batches(prepared["tfrecord"], "train", 8, seed=3).as_numpy_iterator(),
        strict=True,
    ):
        for mine, yours in zip(one, other, strict=True):
            for name, value in mine.items():
                np.testing.assert_array_equal(value, yours[name], err_msg=name)


def test_an_epoch_hides_others_and_a_resumed_run_goes_on_as_the_first(prepared):
    def epochs(**settings):
        batches = pretraining_batches(prepared["parquet"], "train", 8, seed=3, **settings)
        return [inputs["token_ids"] for inputs, _, _ in batches]

    both, second = epochs(num_epochs=2), epochs(first_epoch=1)
    half = len(both) // 2
    np.testing.assert_array_equal(both[half:], second)
    one, other = (
        {bytes(row) for batch in part for row in batch} for part in (both[:half], second)
    )
    assert len(one & other) < len(one) / 2


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_workers_and_the_order_of_files_change_no_byte(prepared, files, tmp_path, output_format):
    train, dev, test = files
    prepare_pretraining(
        tmp_path,
        [train[2], train[0], train[1]],
        dev,
        test,
        output_format=output_format,
        pipeline_options=["--direct_num_workers=2", "--direct_running_mode=multi_threading"],
        **SETTINGS,
    )
    assert tree(tmp_path) == tree(prepared[output_format])


def test_with_a_dupe_factor_tokens_are_hidden_once_and_for_all(files, tmp_path):
    settings = {**SETTINGS, "dupe_factor": 2, "most_predictions": 4, "whole_words": True}
    for name in OUTPUT_FORMATS:
        prepare_pretraining(tmp_path / name, *files, output_format=name, **settings)
    batches = [
        list(pretraining_batches(str(tmp_path / "parquet"), "train", 8, seed=0, first_epoch=at))
        for at in range(2)
    ]
    rows = [{bytes(row) for batch in epoch for row in batch[0]["token_ids"]} for epoch in batches]
    assert rows[0] == rows[1]
    other = pretraining_batches(str(tmp_path / "tfrecord"), "train", 8, seed=0)
    for one, two in zip(batches[0], other.as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(one[0]["positions"], two[0]["positions"])
        np.testing.assert_array_equal(one[1]["masked_lm"], two[1]["masked_lm"])
    assert batches[0][0][0]["positions"].shape == (8, 4)
    weights = np.concatenate([batch[2]["masked_lm"].sum(axis=1) for batch in batches[0]])
    assert weights.max() <= 4


def test_a_given_vocabulary_is_taken(files, prepared, tmp_path):
    path = f"{prepared['tfrecord']}/vocab.txt"
    prepare_pretraining(tmp_path / "out", *files, vocabulary=path, **SETTINGS)
    assert BERTNames.load(str(tmp_path / "out")) == BERTNames.load(prepared["tfrecord"])
    for split in SPLITS:
        names = [name for name in tree(tmp_path / "out") if name.startswith(f"Split-{split}")]
        for name in names:
            assert tree(tmp_path / "out")[name] == tree(prepared["tfrecord"])[name]


def test_a_vocabulary_without_a_special_is_refused(files, tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\n")
    with pytest.raises(ValueError, match=r"vocab.txt: must hold the specials .* without \[MASK\]"):
        prepare_pretraining(tmp_path / "out", *files, vocabulary=str(path), **SETTINGS)


def test_missing_splits_are_split_off_by_whole_documents(texts, tmp_path):
    path = write(tmp_path / "all.txt", texts["train"])
    cut = SETTINGS | {"max_document_bytes": 100}
    manifest = prepare_pretraining(tmp_path / "out", path, **cut)
    found = [manifest.statistics["splits"][split] for split in SPLITS]
    assert sum(split["sentences"] for split in found) == sum(map(len, texts["train"]))
    with open(path, "rb") as file:
        parts = list(DocumentReader(max_document_bytes=100).read(file, path))
    shares = {split: manifest.options["fractions"][split] for split in SPLITS}  # in this order
    expected = Counter(split_of((part.whole.hex(),), 0, shares) for part in parts)
    assert [split["documents"] for split in found] == [expected[split] for split in SPLITS]
    assert min(expected.values()) > 1
    assert len({part.whole for part in parts}) == len(texts["train"]) < len(parts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "One sentence here. Another one.\nA third.\n",
            r"1 documents of the train split are alone",
        ),
        ("Alone.\n", r"1 documents of the train split are alone"),
        ("\n\n \n", r"the train split has no document"),
    ],
)
def test_a_corpus_that_makes_no_pairs_is_refused(files, tmp_path, text, message):
    path = tmp_path / "train.txt"
    path.write_text(text)
    with pytest.raises(PrepareError, match=message):
        prepare_pretraining(
            tmp_path / "out", str(path), *files[1:], **SETTINGS | {"num_shards": 1}
        )
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_long_line_is_a_reject(files, tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("Some text. More text.\n\nThe rest. Of it.\n\n" + "x" * 5_000_000 + "\n")
    settings = SETTINGS | {"num_shards": 1, "max_rejects": 0.5, "vocabulary_size": 150}
    prepare_pretraining(tmp_path / "out", str(path), *files[1:], **settings)
    (reject,) = (tmp_path / "out" / "rejects" / "rejects.jsonl").read_text().splitlines()
    assert json.loads(reject)["kind"] == "long_line"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"short_share": 2}, "`short_share` must be a share from 0 to 1. Received: short_share=2"),
        ({"mask_share": 0}, "`mask_share` must be a share above 0 and below 1"),
        ({"max_length": 4}, "`max_length` must be at least 5. Received: max_length=4"),
        ({"dupe_factor": 0}, "`dupe_factor` must be at least 1. Received: dupe_factor=0"),
    ],
)
def test_arguments_out_of_range_are_refused(files, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        prepare_pretraining(tmp_path, *files, **SETTINGS | change)
