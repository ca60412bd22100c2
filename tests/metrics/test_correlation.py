import numpy as np
import pytest
from keras import ops

from seqnlp.metrics import Pearson

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.normal(size=40).astype("float32")
GUESS = (0.5 * TRUE + RANDOM.normal(size=40)).astype("float32")


def result(metric):
    return float(ops.convert_to_numpy(metric.result()))


def test_it_is_the_correlation_over_all_batches():
    metric = Pearson()
    for rows in (slice(7), slice(7, 8), slice(8, 40)):
        metric.update_state(TRUE[rows], GUESS[rows])
    assert result(metric) == pytest.approx(np.corrcoef(TRUE, GUESS)[0, 1], rel=1e-5)


def test_rows_of_weight_0_do_not_count():
    metric, weights = Pearson(), (np.arange(40) < 30).astype("float32")
    metric.update_state(TRUE[:20], GUESS[:20], weights[:20])
    metric.update_state(TRUE[20:], GUESS[20:], weights[20:])
    metric.update_state(TRUE, GUESS, np.zeros(40))
    assert result(metric) == pytest.approx(np.corrcoef(TRUE[:30], GUESS[:30])[0, 1], rel=1e-5)


def test_a_row_of_weight_2_counts_twice():
    metric, twice = Pearson(), Pearson()
    metric.update_state(TRUE, GUESS, 1.0 + (np.arange(40) < 5))
    twice.update_state(*(np.concatenate([side, side[:5]]) for side in (TRUE, GUESS)))
    assert result(metric) == pytest.approx(result(twice), rel=1e-5)


def test_large_numbers_that_differ_little_keep_their_digits():
    metric = Pearson()
    for rows in (slice(20), slice(20, 40)):
        metric.update_state(TRUE[rows] + 1000, GUESS[rows] - 1000)
    assert result(metric) == pytest.approx(np.corrcoef(TRUE, GUESS)[0, 1], abs=1e-3)


@pytest.mark.parametrize("sides", [(TRUE, np.ones(40)), (np.ones(40), GUESS)])
def test_one_number_for_all_correlates_with_nothing(sides):
    metric = Pearson()
    metric.update_state(*sides)
    assert result(metric) == 0.0


def test_nothing_at_all_is_0():
    assert result(Pearson()) == 0.0


def test_it_begins_anew():
    metric = Pearson()
    metric.update_state(TRUE, -TRUE)
    metric.reset_state()
    metric.update_state(TRUE, TRUE)
    assert result(metric) == pytest.approx(1.0, rel=1e-5)


def test_its_config_makes_it_again():
    metric = Pearson.from_config(Pearson(name="r").get_config())
    assert metric.name == "r"
