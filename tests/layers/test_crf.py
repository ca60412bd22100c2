"""The CRF against enumeration of every path, on both backends, eager and compiled."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients, tag_schemes
from seqnlp.layers import (
    CRF,
    crf_decode,
    crf_log_likelihood,
    crf_log_norm,
    crf_marginals,
    crf_sequence_score,
)
from tests.layers.crf_enumeration import (
    CASES,
    MASK,
    MASKS,
    ROWS,
    TAGS,
    TIME,
    cases_and_modes,
    compiled,
    fast,
    numpy,
)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


every_case = pytest.mark.parametrize(("case", "mode"), cases_and_modes(CASES, eager_on_jax=2))


def masked_log_norm(potentials, mask, *scores):
    return ops.sum(crf_log_norm(potentials, mask, *scores))


def total_log_norm(potentials, *scores):
    return masked_log_norm(potentials, MASK, *scores)


def weighted_log_norm(transitions, potentials, start, end):
    return ops.sum(ROW_WEIGHTS * crf_log_norm(potentials, MASK, transitions, start, end))


def start_log_norm(start, potentials, transitions, end):
    return ops.sum(crf_log_norm(potentials, MASK, transitions, start, end))


def end_log_norm(end, potentials, transitions, start):
    return ops.sum(crf_log_norm(potentials, MASK, transitions, start, end))


ROW_WEIGHTS = np.arange(1.0, len(MASK) + 1).astype("float32")  # another gradient for every row
GRADIENTS = {
    function.__name__: gradients.gradient(function)
    for function in (
        masked_log_norm,
        total_log_norm,
        weighted_log_norm,
        start_log_norm,
        end_log_norm,
    )
}


@every_case
def test_sequence_score_adds_up_potentials_and_transitions(case, mode):
    random = np.random.default_rng(4)
    paths = [random.integers(TAGS, size=int(MASK[row].sum())) for row in ROWS]
    tags = np.array([case.tags(row, path) for row, path in enumerate(paths)])
    expected = [case.path_score(row, tuple(path)) for row, path in enumerate(paths)]
    actual = mode(crf_sequence_score)(case.potentials, tags, MASK, *case.scores)
    np.testing.assert_allclose(numpy(actual), expected, rtol=1e-5, atol=1e-5)


@every_case
def test_log_norm_sums_over_every_path(case, mode):
    actual = mode(crf_log_norm)(case.potentials, MASK, *case.scores)
    np.testing.assert_allclose(numpy(actual), case.log_norm(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("row", ROWS, ids=MASKS)
def test_likelihoods_of_all_paths_sum_to_one(case, row):
    tags = np.array([case.tags(row, path) for path in case.paths(row)])
    repeated = [np.repeat(x[row : row + 1], len(tags), axis=0) for x in (case.potentials, MASK)]
    # A fixed number of rows, so that rows of all lengths share one compiled function.
    repeated = [np.resize(x, (TAGS**TIME, *x.shape[1:])) for x in repeated]
    padded = np.resize(tags, (TAGS**TIME, TIME))
    likelihood = compiled(crf_log_likelihood)(repeated[0], padded, repeated[1], *case.scores)
    likelihood = likelihood[: len(tags)]
    assert np.exp(numpy(likelihood).astype("float64")).sum() == pytest.approx(1, abs=1e-4)


@every_case
def test_marginals_are_summed_path_probabilities(case, mode):
    actual = mode(crf_marginals)(case.potentials, MASK, *case.scores)
    np.testing.assert_allclose(numpy(actual), case.marginals(), atol=2e-5)


@every_case
def test_marginals_are_the_gradient_of_the_log_norm(case, mode):
    gradient = mode(GRADIENTS["total_log_norm"])(case.potentials, *case.scores)
    np.testing.assert_allclose(numpy(gradient), case.marginals(), atol=2e-5)


@every_case
def test_gradient_of_the_transitions_counts_their_expected_uses(case, mode):
    expected = np.zeros((TAGS, TAGS))
    for row, path, probability in case.probable_paths():
        for pair in itertools.pairwise(path):
            expected[pair] += ROW_WEIGHTS[row] * probability
    transitions, *boundaries = case.scores
    actual = mode(GRADIENTS["weighted_log_norm"])(transitions, case.potentials, *boundaries)
    np.testing.assert_allclose(numpy(actual), expected, atol=2e-4)


@pytest.mark.parametrize(("which", "token"), [("start", 0), ("end", -1)])
def test_gradient_of_a_boundary_counts_its_expected_uses(case, which, token):
    transitions, start, end = case.scores
    boundary, other = (start, end) if which == "start" else (end, start)
    expected = np.zeros(TAGS)
    for _, path, probability in case.probable_paths():
        if path:
            expected[path[token]] += probability
    gradient = compiled(GRADIENTS[f"{which}_log_norm"])
    actual = gradient(boundary, case.potentials, transitions, other)
    np.testing.assert_allclose(numpy(actual), expected, atol=1e-4)


@every_case
def test_decode_finds_the_best_path_and_its_score(case, mode):
    tags, scores = mode(crf_decode)(case.potentials, MASK, *case.scores)
    best = [int(np.argmax(case.path_scores(row))) for row in ROWS]
    expected = [case.tags(row, case.paths(row)[best[row]]) for row in ROWS]
    np.testing.assert_array_equal(numpy(tags), expected)
    best_scores = [case.path_scores(row)[best[row]] for row in ROWS]
    np.testing.assert_allclose(numpy(scores), best_scores, rtol=1e-5, atol=1e-5)


def test_a_batch_of_empty_rows_decodes_to_zeros_and_has_no_gradient():
    case, nothing = CASES["small"], np.zeros_like(MASK)
    tags, scores = compiled(crf_decode)(case.potentials, nothing, *case.scores)
    gradient = compiled(GRADIENTS["masked_log_norm"])(case.potentials, nothing, *case.scores)
    for zeros in (tags, scores, gradient):
        assert not numpy(zeros).any()


def test_what_stands_at_padding_changes_nothing():
    case = CASES["small"]
    spoilt = np.where(MASK[..., None], case.potentials, np.float32("nan"))
    expected = compiled(crf_log_norm)(case.potentials, MASK, *case.scores)
    actual = compiled(crf_log_norm)(spoilt, MASK, *case.scores)
    np.testing.assert_array_equal(numpy(actual), numpy(expected))


def test_paths_that_underflow_in_float32_are_kept():
    # The only allowed path runs 200 nats below the best potentials.
    potentials = np.array([[[0, -200, -200], [0, 0, -200], [0, 0, -200]]], dtype="float32")
    transitions = np.full((3, 3), -1e9, dtype="float32")
    transitions[0, 1] = transitions[1, 2] = 0
    mask = np.ones((1, 3), dtype=bool)
    assert numpy(fast(crf_log_norm)(potentials, mask, transitions))[0] == pytest.approx(-200)
    assert numpy(fast(crf_decode)(potentials, mask, transitions)[0]).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_potentials_are_computed_in_float32(dtype):
    case = CASES["small"]
    half = ops.cast(case.potentials, dtype)
    expected = compiled(crf_log_norm)(ops.cast(half, "float32"), MASK, *case.scores)
    actual = compiled(crf_log_norm)(half, MASK, *case.scores)
    assert keras.backend.standardize_dtype(actual.dtype) == "float32"
    np.testing.assert_array_equal(numpy(actual), numpy(expected))


ENCODED_TAGS = {
    "bio": ["O", "B-a", "I-a", "B-b", "I-b"],
    "iob1": ["O", "B-a", "I-a", "B-b", "I-b"],
    "bioes": ["O", "B-a", "I-a", "E-a", "S-a", "B-b", "E-b", "S-b"],
    "bilou": ["O", "B-a", "I-a", "L-a", "U-a"],
}


@pytest.mark.parametrize("encoding", ENCODED_TAGS)
@pytest.mark.parametrize("use_boundaries", [True, False])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_decoded_tags_never_break_the_constraints(encoding, use_boundaries, policy):
    names = ENCODED_TAGS[encoding]
    allowed = tag_schemes.allowed_transitions(names, encoding)
    crf = CRF(len(names), allowed, use_boundaries, dtype=policy)
    potentials = 100 * np.random.default_rng(5).normal(size=(64, 7, len(names)))
    lengths = np.random.default_rng(6).integers(1, 8, size=64)
    mask = np.arange(7) < lengths[:, None]
    crf.build(potentials.shape)
    tags = numpy(fast(crf.__call__)(potentials.astype("float32"), mask)["tags"])
    for row, length in zip(tags, lengths, strict=True):
        assert tag_schemes.first_illegal([names[tag] for tag in row[:length]], encoding) is None


def test_layer_refuses_a_constraint_of_the_wrong_size():
    with pytest.raises(ValueError, match=r"`allowed_transitions` must have shape .* = \(4, 4\)"):
        CRF(3, np.ones((3, 3), dtype=bool))


def test_layer_refuses_a_single_tag():
    with pytest.raises(ValueError, match="`num_tags` must be at least 2. Received: num_tags=1"):
        CRF(1)


def test_layer_refuses_potentials_of_another_number_of_tags():
    with pytest.raises(ValueError, match="`potentials` must have 3 scores a token"):
        CRF(3)(np.zeros((2, 4, 5), dtype="float32"))
