"""What is hidden: how much, where, by what, and that nothing but the example decides it."""

import re

import numpy as np
import pytest
from scipy.stats import chisquare

from seqnlp.text.masked_lm import mask_tokens

SIZE, MASK, SPECIALS = 200, 4, [0, 1, 2, 3, 4]
RANDOM = np.random.default_rng(0)


def examples(number, time, least=None):
    """Ids between two specials, then padding; lengths from `least` to `time`."""
    ids = RANDOM.integers(5, SIZE, size=(number, time)).astype("int32")
    lengths = RANDOM.integers(least or time, time + 1, size=(number, 1))
    places = np.arange(time)
    ids = np.where(places == lengths - 1, 3, np.where(places == 0, 2, ids))
    return np.where(places < lengths, ids, 0)


def masked(ids, keys=None, **arguments):
    keys = np.arange(len(ids), dtype="uint64") if keys is None else keys
    return mask_tokens(ids, keys, MASK, SPECIALS, SIZE, **arguments)


def words_of(number, time):
    """Bool: where words start, of one to four tokens; the first token is special."""
    starts = RANDOM.random((number, time)) < 0.5
    starts[:, :2] = True
    return starts


@pytest.mark.parametrize("whole", [False, True])
def test_of_a_million_tokens_the_published_shares_are_chosen_hidden_and_exchanged(whole):
    ids = examples(8000, 128)
    starts = words_of(*ids.shape) if whole else None
    found = masked(ids, word_starts=starts)
    real = found.weights == 1
    ordinary = (ids >= 5).sum()
    assert ordinary > 1e6
    assert real.sum() / ordinary == pytest.approx(0.15, abs=0.002)
    now = np.take_along_axis(found.token_ids, found.positions, axis=1)[real]
    labels = found.labels[real]
    assert np.mean(now == MASK) == pytest.approx(0.8, abs=0.01)
    assert np.mean(now == labels) == pytest.approx(0.1, abs=0.01)
    others = now[(now != MASK) & (now != labels)]
    assert len(others) / real.sum() == pytest.approx(0.1, abs=0.01)
    assert others.min() >= 5
    assert chisquare(np.bincount(others - 5, minlength=SIZE - 5)).pvalue > 1e-3


def test_every_place_is_chosen_as_often():
    ids = examples(40_000, 22)
    found = masked(ids)
    counts = np.bincount(found.positions[found.weights == 1], minlength=22)
    assert counts[[0, 21]].tolist() == [0, 0]
    assert chisquare(counts[1:21]).pvalue > 1e-3


@pytest.mark.parametrize("whole", [False, True])
def test_all_but_the_chosen_tokens_stay_and_labels_are_what_stood_there(whole):
    ids = examples(500, 40, least=3)
    found = masked(ids, word_starts=words_of(*ids.shape) if whole else None)
    for row, before in enumerate(ids):
        number = int(found.weights[row].sum())
        places = found.positions[row, :number]
        assert (np.diff(places) > 0).all()
        np.testing.assert_array_equal(found.labels[row, :number], before[places])
        assert (before[places] >= 5).all()
        kept = np.delete(np.arange(len(before)), places)
        np.testing.assert_array_equal(found.token_ids[row, kept], before[kept])
        for filled in (found.positions, found.labels, found.weights):
            assert not filled[row, number:].any()
        count = (before >= 5).sum()
        most = max(round(0.15 * count), 1) if count else 0
        assert number <= most if whole else number == most


def test_words_are_chosen_as_a_whole_and_passed_over_where_they_do_not_fit():
    """One word after the other in the order of single tokens' numbers, in plain Python."""
    ids = examples(300, 60, least=10)
    starts = words_of(*ids.shape)
    found = masked(ids, word_starts=starts, share=0.3, most=9)
    for row, before in enumerate(ids):
        chosen = set(found.positions[row, : int(found.weights[row].sum())].tolist())
        first = np.maximum.accumulate(np.where(starts[row], np.arange(60), 0))
        words = [
            {place for place in np.flatnonzero(first == word) if before[place] >= 5}
            for word in np.unique(first)
        ]
        words = [word for word in words if word]
        assert all(word <= chosen or not word & chosen for word in words)
        wanted = min(round(0.3 * (before >= 5).sum()), 9)
        assert len(chosen) <= wanted
        left = wanted - len(chosen)
        assert all(len(word) > left for word in words if not word <= chosen)


def test_an_example_is_masked_alike_in_any_batch_and_in_no_other_epoch_or_seed():
    ids, keys = examples(50, 64), RANDOM.integers(0, 2**64, size=50, dtype="uint64")
    whole = masked(ids, keys)
    for row in (0, 17, 49):
        alone = masked(ids[row : row + 1], keys[row : row + 1])
        wider = masked(np.pad(ids[row : row + 1], [(0, 0), (0, 9)]), keys[row : row + 1])
        for name in ("positions", "labels", "weights"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(whole, name)[row])
            np.testing.assert_array_equal(getattr(wider, name)[0], getattr(whole, name)[row])
        np.testing.assert_array_equal(alone.token_ids[0], whole.token_ids[row])
        np.testing.assert_array_equal(wider.token_ids[0, :64], whole.token_ids[row])
    for other in ({"seed": 1}, {"epoch": 1}, {"keys": keys + np.uint64(1)}):
        changed = masked(ids, **{"keys": keys, **other})
        share = np.mean(np.any(changed.positions != whole.positions, axis=1))
        assert share > 0.95


def mixed(x):
    """SplitMix64's finaliser in Python's integers."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % 2**64
    return x ^ (x >> 31)


def test_the_numbers_are_those_of_splitmix_on_every_machine():
    found = masked(np.arange(5, 45).reshape(2, 20), share=0.2, seed=-2, epoch=3)
    for key in (0, 1):
        state = mixed((mixed((key - 2) % 2**64) + 3) % 2**64)
        numbers = [
            mixed((state + (3 * place + 1) * 0x9E3779B97F4A7C15) % 2**64) for place in range(20)
        ]
        chosen = sorted(range(20), key=numbers.__getitem__)[:4]
        assert found.positions[key, :4].tolist() == sorted(chosen)


def test_no_more_than_most_are_chosen_and_nothing_of_an_example_without_tokens():
    ids = examples(4, 100)
    ids[1] = 0
    ids[2, 2:] = 0
    found = masked(ids, most=7)
    assert found.positions.shape == (4, 7)
    assert found.weights.sum(axis=1).tolist() == [7, 0, 1, 7]
    narrow = masked(ids[:, :3], most=7)
    assert narrow.weights.sum(axis=1).tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"token_ids": np.zeros(3)},
            "`token_ids` must have shape (batch, time), time at least 1. "
            "Received: token_ids.shape=(3,)",
        ),
        (
            {"keys": np.zeros(2)},
            "`keys` must have shape (3,), as `token_ids` has. Received: keys.shape=(2,)",
        ),
        (
            {"word_starts": np.zeros((3, 1), bool)},
            "`word_starts` must have shape (3, 4), as `token_ids` has. "
            "Received: word_starts.shape=(3, 1)",
        ),
        (
            {"mask_id": 7},
            "`special_ids` must hold the mask, here 7. Received: special_ids=[0, 1, 2, 3, 4]",
        ),
        (
            {"vocabulary_size": 4},
            "`special_ids` must be from 0 to 3. Received: special_ids=[0, 1, 2, 3, 4]",
        ),
        (
            {"vocabulary_size": 5},
            "`vocabulary_size` must leave ids that are not special. "
            "Received: vocabulary_size=5 with as many specials",
        ),
        ({"most": 0}, "`most` must be at least 1. Received: most=0"),
        ({"share": 1.0}, "`share` must be above 0 and below 1. Received: share=1.0"),
    ],
)
def test_refuses(change, message):
    arguments = {
        "token_ids": np.zeros((3, 4), "int32"),
        "keys": np.arange(3),
        "mask_id": MASK,
        "special_ids": SPECIALS,
        "vocabulary_size": SIZE,
    }
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mask_tokens(**{**arguments, **change})
