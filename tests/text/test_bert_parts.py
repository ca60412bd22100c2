"""Words as pieces in parts, against plain Python."""

import pytest
import tensorflow as tf

from seqnlp.text import BERTText, TaggingText, Vocabulary

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##d", "e"]
CLS, SEP = 2, 3
SENTENCES = [
    ["a", "bd", "c", "ddd", "e"],
    ["addd", "b", "c"],
    ["a"],
    [],
    ["\x07", "", "a-b", "\xad"],
    ["addddddddd", "a"],
    ["a", "b", "c", "e"] * 10,
]


def text(max_length=5, **settings):
    bert = BERTText(TOKENS, max_length=max_length)
    return TaggingText(Vocabulary(["a"]), None, ["O"], bert=bert, **settings)


def by_hand(words, most):
    """Parts of a sentence, each its ids and its flags, filled one after the other."""
    bert = BERTText(TOKENS)
    parts = [([], [])]
    for word in words:
        ids = (bert.tokenize(tf.constant([word])).to_list()[0] or [1])[:most]
        if len(parts[-1][0]) + len(ids) > most:
            parts.append(([], []))
        parts[-1][0].extend(ids)
        parts[-1][1].extend([1] + [0] * (len(ids) - 1))
    return [([CLS, *ids, SEP], [0, *starts, 0]) for ids, starts in parts]


@pytest.mark.parametrize("max_length", [5, 6, 9, 100])
def test_parts_hold_as_many_whole_words_as_fit(max_length):
    found = text(max_length).parts(tf.ragged.constant(SENTENCES))
    expected = [by_hand(words, max_length - 2) for words in SENTENCES]
    assert found["token_ids"].to_list() == [[ids for ids, _ in row] for row in expected]
    assert found["word_starts"].to_list() == [[starts for _, starts in row] for row in expected]


@pytest.mark.parametrize("max_length", [5, 9, 100])
def test_every_word_has_the_place_of_its_first_piece(max_length):
    inputs = text(max_length).inputs(tf.ragged.constant(SENTENCES))
    flat = inputs["token_ids"].numpy().reshape(len(SENTENCES), -1)
    expected = [by_hand(words, max_length - 2) for words in SENTENCES]
    for row, words in enumerate(SENTENCES):
        places = inputs["word_positions"].numpy()[row]
        assert (places > 0).sum() == len(words)
        firsts = [
            id_
            for ids, starts in expected[row]
            for id_, start in zip(ids, starts, strict=True)
            if start
        ]
        assert flat[row][places[: len(words)]].tolist() == firsts


def test_a_word_without_pieces_is_unknown():
    found = text().parts(tf.ragged.constant([["\x07"]]))
    assert found["token_ids"].to_list() == [[[CLS, 1, SEP]]]


@pytest.mark.parametrize("sentences", [[], [[]], [[], []]], ids=repr)
def test_nothing_has_axes_of_at_least_one(sentences):
    inputs = text().inputs(tf.ragged.constant(sentences, tf.string, ragged_rank=1))
    number = len(sentences)
    assert inputs["token_ids"].shape == (number, 1, 2 if number else 1)
    assert inputs["segment_ids"].shape == inputs["token_ids"].shape
    assert inputs["word_positions"].shape == (number, 1)


def test_the_graph_gives_the_same():
    spec = tf.RaggedTensorSpec([None, None], tf.string)
    words = tf.ragged.constant(SENTENCES)
    graph = tf.function(text().inputs, input_signature=[spec])(words)
    for name, expected in text().inputs(words).items():
        assert graph[name].numpy().tolist() == expected.numpy().tolist()


def test_a_folder_keeps_the_pieces(tmp_path):
    text(7).save(str(tmp_path))
    loaded = TaggingText.load(str(tmp_path))
    assert loaded.get_config() == text(7).get_config()
    assert (tmp_path / "bert" / "vocab.txt").read_text().split("\n")[:-1] == TOKENS


def test_a_text_without_pieces_forgets_those_of_another_one(tmp_path):
    text().save(str(tmp_path))
    TaggingText(Vocabulary(["a"]), None, ["O"]).save(str(tmp_path))
    assert TaggingText.load(str(tmp_path)).bert is None


def test_only_ragged_tokens_are_read():
    message = r"`tokens` must be a RaggedTensor \(batch, \(time\)\). Received: .* shape \(1, 1\)"
    with pytest.raises(ValueError, match=message):
        text().inputs(tf.constant([["a"]]))
