"""The best of many logits, against NumPy's stable sort."""

import numpy as np
import pytest
from keras import ops

from seqnlp.decoding import IMPOSSIBLE
from seqnlp.decoding.best_tokens import best_token, best_tokens
from tests.decoding.toy import MODES

RANDOM = np.random.default_rng(0)
LOGITS = {
    "different": RANDOM.normal(size=(9, 1003)),
    "many equal": RANDOM.integers(0, 4, size=(9, 1003)),
    "all equal": np.zeros((9, 1003)),
    "hardly any possible": np.where(RANDOM.uniform(size=(9, 1003)) < 0.99, IMPOSSIBLE, 1.0),
    "last best": np.broadcast_to(np.arange(1003), (9, 1003)),
    "one": RANDOM.normal(size=(9, 1)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LOGITS)
def test_finds_what_a_stable_sort_finds(name, mode):
    logits = LOGITS[name].astype("float32")
    number = min(11, logits.shape[1])

    def run(logits):
        return best_token(logits), *(best_tokens(logits, k) for k in {1, number})

    expected = np.argsort(-logits, axis=-1, kind="stable")
    for (values, ids), k in zip(MODES[mode](run)(logits), (None, *{1, number}), strict=True):
        right = expected[:, 0] if k is None else expected[:, :k]
        np.testing.assert_array_equal(ops.convert_to_numpy(ids), right)
        of_rows = np.arange(9) if k is None else np.arange(9)[:, None]
        np.testing.assert_array_equal(ops.convert_to_numpy(values), logits[of_rows, right])


@pytest.mark.parametrize("k", [1, 5, 40, 60, 63])
def test_any_number_of_them(k):
    logits = RANDOM.normal(size=(4, 63)).astype("float32")
    _, ids = best_tokens(logits, k)
    np.testing.assert_array_equal(ops.convert_to_numpy(ids), np.argsort(-logits, axis=-1)[:, :k])


def test_a_row_that_is_not_a_number_gives_an_id():
    _, ids = best_token(np.full((1, 5), np.nan, dtype="float32"))
    assert ops.convert_to_numpy(ids).tolist() == [4]
