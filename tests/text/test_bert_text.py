"""Texts and pairs of texts as BERT reads them."""

import pytest
import tensorflow as tf

from seqnlp.text import BERTNames, BERTText

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##d", "e"]


def text(**settings):
    return BERTText(TOKENS, **settings)


def lists(encoded):
    return [encoded[name].to_list() for name in ("token_ids", "segment_ids")]


def test_a_text_stands_between_specials():
    encoded = text().encode(tf.constant(["a bd", ""]))
    assert lists(encoded) == [[[2, 5, 6, 8, 3], [2, 3]], [[0, 0, 0, 0, 0], [0, 0]]]
    assert encoded["truncated"].numpy().tolist() == [False, False]


def test_a_pair_has_two_segments():
    encoded = text().encode(tf.constant(["a b"]), tf.constant(["c z"]))
    assert lists(encoded) == [[[2, 5, 6, 3, 7, 1, 3]], [[0, 0, 0, 0, 1, 1, 1]]]


def test_inputs_are_dense_and_say_what_is_cut():
    inputs, truncated = text(max_length=5).inputs(tf.constant(["a b c e", ""]))
    assert inputs["token_ids"].numpy().tolist() == [[2, 5, 6, 7, 3], [2, 3, 0, 0, 0]]
    assert inputs["segment_ids"].numpy().tolist() == [[0] * 5, [0] * 5]
    assert truncated.numpy().tolist() == [True, False]


@pytest.mark.parametrize("number", [1, 2])
def test_inputs_of_no_texts_have_one_step(number):
    inputs, truncated = text().inputs(*[tf.constant([], tf.string)] * number)
    assert inputs["token_ids"].shape == inputs["segment_ids"].shape == (0, 1)
    assert truncated.shape == (0,)


def test_a_long_text_is_cut_at_its_end():
    encoded = text(max_length=5).encode(tf.constant(["a b c e", "a b c"]))
    assert lists(encoded)[0] == [[2, 5, 6, 7, 3], [2, 5, 6, 7, 3]]
    assert encoded["truncated"].numpy().tolist() == [True, False]


@pytest.mark.parametrize("first", range(6))
@pytest.mark.parametrize("second", range(6))
@pytest.mark.parametrize("most", [2, 3, 4])
def test_of_a_long_pair_the_longer_text_is_cut(first, second, most):
    lengths, cut = [first, second], False
    while sum(lengths) > most:
        lengths[0 if lengths[0] > lengths[1] else 1] -= 1
        cut = True
    pair = (tf.constant([" ".join("a" * number)]) for number in (first, second))
    encoded = text(max_length=most + 3).encode(*pair)
    segments = encoded["segment_ids"].to_list()[0]
    assert [segments.count(0) - 2, segments.count(1) - 1] == lengths
    assert bool(encoded["truncated"][0]) == cut


def test_pieces_are_framed_as_their_text_is():
    pieces = tf.ragged.constant([[5, 4, 6], []], tf.int32)
    framed = text(max_length=5).frame(pieces)
    assert lists(framed) == [[[2, 5, 4, 6, 3], [2, 3]], [[0] * 5, [0] * 2]]
    assert framed["truncated"].numpy().tolist() == [False, False]
    pair = text(max_length=6).frame(pieces, pieces[::-1])
    assert lists(pair)[0] == [[2, 5, 4, 6, 3, 3], [2, 3, 5, 4, 6, 3]]
    assert lists(pair)[1] == [[0, 0, 0, 0, 0, 1], [0, 0, 1, 1, 1, 1]]


def test_no_texts_are_framed_to_none():
    framed = text().encode(tf.constant([], tf.string))
    assert lists(framed) == [[], []]
    assert framed["truncated"].shape == (0,)


def test_a_folder_keeps_it(tmp_path):
    text(lowercase=True, max_length=7).save(str(tmp_path))
    loaded = BERTText.load(str(tmp_path))
    assert loaded.get_config() == text(lowercase=True, max_length=7).get_config()
    names = BERTNames.load(str(tmp_path))
    assert names.pieces == TOKENS
    assert names.begins_word.tolist() == [True] * 8 + [False, True]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (
            TOKENS[:4] + TOKENS[5:],
            r"must hold the specials .* Received: 9 pieces without \[MASK\]",
        ),
        (TOKENS[1:] + TOKENS[:1], r"the first piece must be \[PAD\], .* Received: '\[UNK\]'"),
    ],
)
def test_a_vocabulary_that_is_none_of_bert_is_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        BERTText(tokens)


def test_a_length_that_holds_no_pair_is_refused():
    with pytest.raises(ValueError, match=r"`max_length` must be .* Received: max_length=4"):
        text(max_length=4)


def test_settings_of_something_else_are_refused(tmp_path):
    text().save(str(tmp_path))
    (tmp_path / "text.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"text.json: expected the keys .* Received: \[1\]"):
        BERTText.load(str(tmp_path))
