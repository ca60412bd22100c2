"""Batches for a tagger on BERT: what they hold, their shapes and their order."""

import re

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.preprocessing import prepare_tagging
from seqnlp.records import (
    OUTPUT_FORMATS,
    ParquetBatches,
    bucket_lengths,
    read_labels,
    read_manifest,
    read_sentences,
    tagging_batches,
)
from seqnlp.text import TaggingText
from tests.preprocessing.small_corpus import bert_vocabulary, conll, corpus

BATCH = 8
MOST = 10  # ids of a part


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Dict from each format to the folder of the same examples, some of them in parts."""
    folder = tmp_path_factory.mktemp("batches")
    files = []
    for seed, number in enumerate((60, 12, 20)):
        text = "".join(
            f"# kind = {'long' if len(sentence) > 6 else 'short'}\n{conll([sentence])}"
            for sentence in corpus(number, seed)
        )
        files.append(folder / f"{seed}.conll")
        files[-1].write_text(text, encoding="utf-8")
    bert = {"vocabulary": bert_vocabulary(folder), "max_length": MOST}
    layout, made = {"label": "kind"}, {}
    for output_format in OUTPUT_FORMATS:
        made[output_format] = str(folder / output_format)
        settings = {"layout": layout, "characters": False, "output_format": output_format}
        prepare_tagging(made[output_format], *files, encoding="bio", bert=bert, **settings)
    return made


@pytest.fixture(params=OUTPUT_FORMATS)
def folder(request, folders):
    return folders[request.param]


def numpy_of(batches):
    return [tf.nest.map_structure(np.asarray, batch) for batch in batches]


def test_batches_hold_what_the_text_gives(folder):
    text, at = TaggingText.load(folder), 0
    sentences = [tokens for tokens, _ in read_sentences(folder, "test")]
    for inputs, _, weight in numpy_of(tagging_batches(folder, "test", BATCH)):
        number = int(weight.sum())
        expected = text.inputs(tf.ragged.constant(sentences[at : at + number]))
        parts = expected["token_ids"].shape[1]
        rows = zip(inputs["token_ids"], inputs["word_positions"], strict=True)
        for row, (token_ids, places) in enumerate(rows):
            if row >= number:
                assert not token_ids.any()
                assert not places.any()
                continue
            for part in range(parts):
                ids = expected["token_ids"][row, part].numpy()
                assert token_ids[part][: len(ids)].tolist() == ids.tolist()
                assert not token_ids[part][len(ids) :].any()
            found = token_ids.ravel()[places[places > 0]]
            flat = tf.reshape(expected["token_ids"][row], [-1]).numpy()
            wanted = expected["word_positions"][row].numpy()
            assert found.tolist() == flat[wanted[wanted > 0]].tolist()
        assert not inputs["segment_ids"].any()
        at += number
    assert at == len(sentences)


def test_every_word_has_its_tag_and_every_sentence_its_label(folder):
    text, found, labels = TaggingText.load(folder), [], []
    for inputs, y, weight in numpy_of(tagging_batches(folder, "test", BATCH)):
        for places, tags, label, real in zip(
            inputs["word_positions"], y["tags"], y["label"], weight, strict=True
        ):
            if real:
                found.append([text.tags[tag] for tag in tags[places > 0]])
                labels.append(text.labels[label])
                assert not tags[places == 0].any()
    assert found == [tags for _, tags in read_sentences(folder, "test")]
    assert labels == list(read_labels(folder, "test"))


def test_both_formats_give_equal_batches(folders):
    one, other = (numpy_of(tagging_batches(folders[f], "test", BATCH)) for f in OUTPUT_FORMATS)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, a, b)


def test_shapes_are_few_and_hold_as_many_words_as_fit(folder):
    lengths = bucket_lengths(read_manifest(folder).statistics, 4, ["train"], "part_lengths")
    shapes = set()
    for inputs, y, _ in numpy_of(tagging_batches(folder, "train", BATCH, seed=0)):
        size, parts, pieces = inputs["token_ids"].shape
        assert size == BATCH
        assert parts in (1, 2, 4)
        assert pieces in (lengths if parts == 1 else lengths[-1:])
        assert inputs["word_positions"].shape == y["tags"].shape == (BATCH, parts * (pieces - 2))
        shapes.add((parts, pieces))
    assert {parts for parts, _ in shapes} > {1}
    assert len(shapes) <= len(lengths) + 2


def test_an_epoch_has_every_sentence_once_in_an_order_of_its_seed(folder):
    def epoch(**settings):
        return [
            tuple(row[row > 0])
            for inputs, _, weight in numpy_of(tagging_batches(folder, "train", BATCH, **settings))
            for row in inputs["token_ids"][weight > 0]
        ]

    plain, one, again, other = epoch(), epoch(seed=1), epoch(seed=1), epoch(seed=2)
    assert len(plain) == read_manifest(folder).records("train") == 60
    assert one == again
    assert one != other
    assert sorted(one) == sorted(plain) == sorted(other)


def test_later_epochs_go_on_as_if_there_was_no_pause(folder):
    both = numpy_of(tagging_batches(folder, "train", BATCH, seed=3, num_epochs=2))
    second = numpy_of(tagging_batches(folder, "train", BATCH, seed=3, first_epoch=1))
    assert len(both) == 2 * len(second)
    for a, b in zip(both[len(second) :], second, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, a, b)


def test_lengths_that_hold_no_part_are_refused(folder):
    message = (
        f"`lengths` must hold positive lengths, the last at least {MOST}, the longest part of "
        "test. Received: lengths=[4]"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tagging_batches(folder, "test", BATCH, lengths=[4])


def test_examples_of_words_are_read_as_before(tmp_path):
    (tmp_path / "a.conll").write_text(conll(corpus(10)), encoding="utf-8")
    path, output = str(tmp_path / "a.conll"), str(tmp_path / "out")
    prepare_tagging(output, path, path, path, output_format="parquet")
    assert isinstance(tagging_batches(output, "train", BATCH), ParquetBatches)
