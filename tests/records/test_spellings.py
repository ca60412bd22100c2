"""Spellings against `np.unique`, and their parting against every other one."""

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.records import distinct_spellings

RANDOM = np.random.default_rng(0)


def batch(batch_size, time, longest, letters=3):
    """Words of 0 to `longest` letters, the longest one among them, short ones more than once."""
    lengths = RANDOM.integers(0, longest + 1, size=(batch_size, time, 1))
    lengths[0, 0] = longest
    ids = RANDOM.integers(1, letters + 1, size=(batch_size, time, longest))
    return (ids * (np.arange(longest) < lengths)).astype("int32")


CASES = {
    "many": batch(4, 9, 5),
    "one length": RANDOM.integers(1, 3, size=(3, 4, 2)).astype("int32"),
    "one word": np.array([[[1, 2]]], "int32"),
    "one word twice": np.array([[[1, 2], [1, 2]]], "int32"),
    "padding alone": np.zeros((2, 3, 1), "int32"),
    "two": np.array([[[1, 0, 0], [1, 2, 3]]], "int32"),
}


@pytest.fixture(params=CASES)
def case(request):
    char_ids = CASES[request.param]
    words = np.arange(char_ids[..., 0].size).reshape(char_ids.shape[:2])
    dataset = tf.data.Dataset.from_tensors({"word_ids": words, "char_ids": char_ids})
    (found,) = dataset.map(distinct_spellings).as_numpy_iterator()
    np.testing.assert_array_equal(found.pop("word_ids"), words)
    assert set(found) == {"spellings", "spelling_ids"}
    return char_ids, found["spellings"], found["spelling_ids"]


def padded(spellings):
    width = max(part.shape[1] for part in spellings)
    return np.concatenate([np.pad(x, [(0, 0), (0, width - x.shape[1])]) for x in spellings])


def test_each_token_is_spelled_as_before(case):
    char_ids, spellings, rows = case
    assert rows.dtype == np.int32
    np.testing.assert_array_equal(padded(spellings)[rows], char_ids)


def test_no_spelling_is_there_twice_but_a_lone_one(case):
    char_ids, spellings, _ = case
    distinct = np.unique(char_ids.reshape(-1, char_ids.shape[-1]), axis=0)
    found = padded(spellings)
    assert len(found) == max(len(distinct), 2)
    np.testing.assert_array_equal(np.unique(found, axis=0), distinct)


def test_no_other_parting_by_length_has_less_padding(case):
    char_ids, spellings, _ = case
    words = np.unique(char_ids.reshape(-1, char_ids.shape[-1]), axis=0)
    lengths = np.sort((words != 0).sum(axis=1))
    sizes = [
        cut * max(lengths[cut - 1], 1) + (len(lengths) - cut) * lengths[-1]
        for cut in range(1, len(lengths))
    ]
    if sizes:
        short, long = spellings
        assert short.shape[1] * len(short) + lengths[-1] * len(long) == min(sizes)
