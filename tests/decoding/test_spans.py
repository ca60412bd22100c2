"""The best spans, against all of them."""

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.decoding import best_spans, context_mask
from tests.messages import exactly

BATCH, TIME = 5, 7


def scores(seed):
    """Logits with many ties, and a mask that leaves the question out."""
    random = np.random.default_rng(seed)
    start, end = random.integers(-2, 3, size=(2, BATCH, TIME)).astype("float32")
    mask = np.arange(TIME) >= random.integers(0, TIME + 1, size=(BATCH, 1))
    return start, end, mask & (random.random((BATCH, TIME)) < 0.9)


def every_span(start, end, mask, longest):
    """`(score, start, end)` of the spans of one row, best first."""
    found = [
        (start[i] + end[j], i, j)
        for i in range(TIME)
        for j in range(i, min(TIME, i + longest))
        if mask[i] and mask[j]
    ]
    return sorted(found, key=lambda span: (-span[0], span[1], span[2]))


def as_arrays(found):
    return [ops.convert_to_numpy(x) for x in found]


@pytest.mark.parametrize("longest", [1, 2, 4, 20])
@pytest.mark.parametrize("number", [1, 3, 40])
def test_they_are_the_best_of_all(longest, number):
    for seed in range(5):
        start, end, mask = scores(seed)
        starts, ends, values = as_arrays(best_spans(start, end, mask, longest, number))
        for row in range(BATCH):
            expected = every_span(start[row], end[row], mask[row], longest)[:number]
            size = len(expected)
            found = zip(values[row], starts[row], ends[row], strict=True)
            assert list(found)[:size] == expected
            assert (values[row, size:] == -1e9).all()
            assert not starts[row, size:].any()
            assert not ends[row, size:].any()


def test_compiled_they_are_the_same():
    run = gradients.compiled(lambda *given: tuple(best_spans(*given, 3, 4)))
    given = scores(9)
    for a, b in zip(as_arrays(run(*given)), as_arrays(best_spans(*given, 3, 4)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_span_without_a_chance_counts_as_none():
    start = np.full((1, 3), -1e30, "float32")
    starts, _, values = as_arrays(best_spans(start, start, np.array([[False, True, True]])))
    assert starts.tolist() == [[0]]
    assert values.tolist() == [[-1e9]]


@pytest.mark.parametrize("name", ["max_answer_length", "n_best"])
def test_a_number_below_one_is_refused(name):
    with pytest.raises(
        ValueError, match=exactly(f"`{name}` must be at least 1. Received: {name}=0")
    ):
        best_spans(*scores(0), **{name: 0})


def test_the_second_text_is_the_context():
    token_ids = np.array([[2, 7, 3, 8, 9, 3, 0], [2, 7, 3, 3, 0, 0, 0]])
    segment_ids = np.array([[0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 0, 0, 0]])
    mask = ops.convert_to_numpy(context_mask(token_ids, segment_ids))
    assert mask.astype(int).tolist() == [[0, 0, 0, 1, 1, 0, 0], [0] * 7]
