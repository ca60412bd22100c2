"""Texts with gaps: cut, read and put together again."""

import pytest
import tensorflow as tf

from seqnlp.text import BERTText
from seqnlp.text.masked_text import fill_gaps, read_masked

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##d", "e"]
TEXTS = ["a [MASK] b", "", "[MASK]", "[MASK][MASK]", "a[MASK]e bd", "[mask] a", " a"]


@pytest.fixture(scope="module")
def masked():
    return read_masked(BERTText(TOKENS), tf.constant(TEXTS))


def test_parts_stand_between_the_gaps(masked):
    found = [[part.decode() for part in row] for row in masked.parts.to_list()]
    assert found == [text.split("[MASK]") for text in TEXTS]


def test_gaps_are_the_mask_between_the_pieces_of_the_parts(masked):
    assert masked.pieces.to_list() == [
        [5, 4, 6],
        [],
        [4],
        [4, 4],
        [5, 4, 9, 6, 8],
        [1, 1, 1, 5],  # the mask is written in capitals
        [5],
    ]


def test_no_texts_have_neither_parts_nor_pieces():
    masked = read_masked(BERTText(TOKENS), tf.constant([], tf.string))
    assert (masked.parts.to_list(), masked.pieces.to_list()) == ([], [])
    none = tf.ragged.constant([], ragged_rank=1, dtype=tf.string)
    assert fill_gaps(masked.parts, none).shape == (0,)


def test_gaps_are_filled_from_left_to_right(masked):
    fillings = tf.ragged.constant([["x"], [], ["서울"], ["y", "z"], ["d"], [], []])
    found = [text.decode() for text in fill_gaps(masked.parts, fillings).numpy()]
    assert found == ["a x b", "", "서울", "yz", "ade bd", "[mask] a", " a"]


def test_gaps_without_a_filling_stay_masks(masked):
    fillings = tf.ragged.constant([[], [], [], ["y"], [], [], []], dtype=tf.string)
    found = [text.decode() for text in fill_gaps(masked.parts, fillings).numpy()]
    assert found == [*TEXTS[:3], "y[MASK]", *TEXTS[4:]]
