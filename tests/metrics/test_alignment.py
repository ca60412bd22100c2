"""Alignments against cases counted by hand."""

import math

import numpy as np
import pytest
from keras import ops

from seqnlp.metrics import alignment_error_rate, alignment_links, attention_entropy, parse_links

SURE = [[(0, 0), (1, 1)], [(0, 1)]]
POSSIBLE = [[(1, 2)], []]

# Pieces: source "ca t s </s>" of the words 0, 0, 1; target "Ka tze n ." of the words 0, 0, 1, 2.
SOURCE_WORDS = [0, 0, 1, -1]
TARGET_WORDS = [0, 0, 1, 2]
WEIGHTS = np.array(
    [
        [0.3, 0.3, 0.4, 0.0],  # word 0: 0.6 against 0.4, though one piece has most
        [0.1, 0.1, 0.7, 0.1],  # with the row above: 0.4 against 0.55
        [0.1, 0.3, 0.35, 0.25],  # 0.4 against 0.35
        [0.0, 0.0, 0.1, 0.9],  # the end has most, but is no word
    ]
)


def test_error_rate_counts_over_the_corpus():
    predicted = [[(0, 0), (1, 2), (2, 2)], [(0, 1)]]
    # A and S meet in 1 + 1 links, A and P in 2 + 1; there are 3 + 1 in A and 2 + 1 in S.
    assert alignment_error_rate(SURE, POSSIBLE, predicted) == pytest.approx(1 - 5 / 7)


def test_error_rate_is_0_with_all_sure_and_some_possible_links_and_1_with_neither():
    assert alignment_error_rate(SURE, POSSIBLE, [[*SURE[0], (1, 2)], SURE[1]]) == 0
    assert alignment_error_rate(SURE, POSSIBLE, [[(5, 5)], []]) == 1


def test_error_rate_takes_sure_links_as_possible_and_repeated_ones_once():
    both = [[*SURE[0], *POSSIBLE[0]], SURE[1]]
    predicted = [[(0, 0), (0, 0), (2, 0)], []]
    expected = 1 - (1 + 1) / (2 + 3)
    assert alignment_error_rate(SURE, both, predicted) == pytest.approx(expected)
    assert alignment_error_rate(SURE, POSSIBLE, predicted) == pytest.approx(expected)


def test_error_rate_refuses_lists_of_other_length_and_nothing():
    with pytest.raises(ValueError, match=r"`possible` must hold 2 .* len\(possible\)=1"):
        alignment_error_rate(SURE, [[]], SURE)
    with pytest.raises(ValueError, match=r"`predicted` must hold 2 .* len\(predicted\)=3"):
        alignment_error_rate(SURE, POSSIBLE, [[], [], []])
    with pytest.raises(ValueError, match=r"`sure` or `predicted` must hold .*: sure=\[\[\]\]"):
        alignment_error_rate([[]], [[(0, 0)]], [[]])


def test_links_sum_source_pieces_and_average_target_pieces():
    links = alignment_links(WEIGHTS, SOURCE_WORDS, TARGET_WORDS)
    assert links == [(1, 0), (0, 1), (1, 2)]


def test_links_take_tensors():
    links = alignment_links(ops.convert_to_tensor(WEIGHTS), SOURCE_WORDS, TARGET_WORDS)
    assert links == [(1, 0), (0, 1), (1, 2)]


def test_a_word_that_attends_to_no_word_has_no_link():
    weights = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    assert alignment_links(weights, [0, -1], [0, 1, -1]) == [(0, 1)]
    assert alignment_links(np.zeros((2, 1)), [-1], [0, 1]) == []


def test_links_refuse_maps_of_other_length():
    with pytest.raises(ValueError, match=r"`weights` must have .* weights.shape=\(4, 4\)"):
        alignment_links(WEIGHTS, SOURCE_WORDS[:3], TARGET_WORDS)


def test_entropy_is_that_of_the_mean_real_token():
    weights = np.array([[[1.0, 0, 0, 0], [0.25] * 4], [[0.5, 0.5, 0, 0], [0.0] * 4]])
    mask = [[True, True], [True, False]]
    expected = (0 + math.log(4) + math.log(2)) / 3
    assert attention_entropy(weights, mask) == pytest.approx(expected)
    assert attention_entropy(ops.convert_to_tensor(weights[0])) == pytest.approx(math.log(4) / 2)
    assert math.copysign(1, attention_entropy(weights[:1, :1])) == 1


def test_entropy_refuses_other_masks():
    with pytest.raises(ValueError, match=r"`mask` must have shape \(2,\).* mask.shape=\(3,\)"):
        attention_entropy(np.ones((2, 1)), [True] * 3)
    with pytest.raises(ValueError, match=r"`mask` must be True somewhere.* mask.sum\(\)=0"):
        attention_entropy(np.ones((2, 1)), [False] * 2)


def test_links_are_read_from_text():
    assert parse_links("0-0 2p11 10-3\n") == ([(0, 0), (10, 3)], [(0, 0), (2, 11), (10, 3)])
    assert parse_links("") == ([], [])


@pytest.mark.parametrize("line", ["0-0 1", "0-0 1?1", "a-b", "0--1"])
def test_what_is_no_link_is_refused(line):
    with pytest.raises(ValueError, match=r"`line` must hold links as 3-4 or 3p4. Rec.*: line='"):
        parse_links(line)
