"""The semi-Markov CRF against enumeration of every segmentation, eager and compiled."""

import functools
import itertools

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import (
    crf_decode,
    crf_log_likelihood,
    crf_log_norm,
    crf_marginals,
    semi_markov_crf_decode,
    semi_markov_crf_decode_places,
    semi_markov_crf_log_likelihood,
    semi_markov_crf_log_norm,
    semi_markov_crf_marginals,
    semi_markov_crf_place_marginals,
    semi_markov_crf_sequence_score,
)

LABELS, TIME, MAX_LENGTH = 2, 5, 3
MASK = np.array(
    [
        [1, 1, 1, 1, 1],
        [1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1],
        [1, 0, 1, 1, 0],
        [0, 1, 0, 0, 1],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0],
    ],
    dtype=bool,
)
ROWS = range(len(MASK))
LENGTHS = MASK.sum(axis=1).tolist()


@functools.cache
def segmentations(length):
    """All tuples of `(first, end, label)` that cut `length` tokens."""
    if not length:
        return [()]
    return [
        (*rest, (length - size, length, label))
        for size in range(1, min(MAX_LENGTH, length) + 1)
        for rest in segmentations(length - size)
        for label in range(LABELS)
    ]


class Case:
    """Random scores, and the truth about them by enumeration in float64."""

    def __init__(self, scale=1.0, seed=0):
        random = np.random.default_rng(seed)

        def draw(*shape):
            return (scale * random.normal(size=shape)).astype("float32")

        self.potentials = draw(len(MASK), TIME, LABELS)
        shapes = (LABELS, LABELS), (LABELS, MAX_LENGTH), (LABELS,), (LABELS,)
        self.scores = [draw(*shape) for shape in shapes]

    def forbid(self, forbidden=-1e9):
        """Label 0 has one token and follows label 1 alone; label 1 does not begin a sentence."""
        transitions, length_scores, start, _ = self.scores
        length_scores[0, 1:] = transitions[0, 0] = start[1] = forbidden
        return self

    def score(self, row, segments):
        transitions, length_scores, start, end = [x.astype("float64") for x in self.scores]
        if not segments:
            return 0.0
        real = self.potentials[row][MASK[row]].astype("float64")
        score = start[segments[0][2]] + end[segments[-1][2]]
        for first, after, label in segments:
            score += real[first:after, label].sum() + length_scores[label, after - first - 1]
        return score + sum(transitions[a[2], b[2]] for a, b in itertools.pairwise(segments))

    def all_scores(self, row):
        return np.array([self.score(row, segments) for segments in segmentations(LENGTHS[row])])

    def log_norm(self):
        return [np.logaddexp.reduce(self.all_scores(row)) for row in ROWS]

    def probable(self):
        """`(row, segments, probability)` of every segmentation of every row."""
        for row in ROWS:
            scores = self.all_scores(row)
            probabilities = np.exp(scores - np.logaddexp.reduce(scores))
            for segments, probability in zip(
                segmentations(LENGTHS[row]), probabilities, strict=True
            ):
                yield row, segments, probability

    def marginals(self):
        labels = np.zeros((len(MASK), TIME, LABELS))
        found = np.zeros((len(MASK), TIME, MAX_LENGTH, LABELS))
        for row, segments, probability in self.probable():
            at = np.flatnonzero(MASK[row])
            for first, after, label in segments:
                labels[row, at[first:after], label] += probability
                found[row, at[first], after - first - 1, label] += probability
        return labels, found

    def places(self):
        """Probability of each place: single, first, inside, last, single and first again."""
        places = np.zeros((len(MASK), TIME, 6, LABELS))
        for row, segments, probability in self.probable():
            at = np.flatnonzero(MASK[row])
            for first, after, label, here in places_of(segments):
                places[row, at[first:after], here, label] += probability
        return places


def places_of(segments):
    """`(first, end, label, places of its tokens)` of each segment.

    Places: 0 single, 1 first, 2 inside, 3 last, 4 single and 5 first again.
    """
    before = None
    for first, after, label in segments:
        again = 4 if label == before else 0
        places = [1 + again, *[2] * (after - first - 2), 3]
        yield first, after, label, [again] if after == first + 1 else places
        before = label


def encode(row, segments):
    """`labels` and `begins` of a segmentation, with rubbish at padding."""
    labels, begins = np.full(TIME, 1), np.ones(TIME, dtype=bool)
    at = np.flatnonzero(MASK[row])
    for first, after, label in segments:
        labels[at[first:after]] = label
        begins[at[first:after]] = False
        begins[at[first]] = True
    return labels, begins


CASES = {
    "small": Case(),
    "large": Case(scale=30.0, seed=1),
    "constrained": Case(seed=2).forbid(),
    "large and constrained": Case(scale=30.0, seed=3).forbid(),
}
compiled = functools.cache(gradients.compiled)  # all cases have the same shapes
MODES = {"eager": lambda function: function, "compiled": compiled}
# An eager loop is compiled anew at every call on JAX, so one case is enough.
EAGER_CASES = ["constrained"] if keras.backend.backend() == "jax" else list(CASES)
CASES_AND_MODES = [(case, "compiled") for case in CASES] + [
    (case, "eager") for case in EAGER_CASES
]


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=CASES_AND_MODES, ids="-".join)
def case_and_mode(request):
    case, mode = request.param
    return CASES[case], MODES[mode]


ROW_WEIGHTS = np.arange(1.0, len(MASK) + 1).astype("float32")  # another gradient for every row


def weighted_log_norm(changed, at, potentials, *scores):
    """The log norm as a function of one of the scores."""
    arguments = [potentials, MASK, *scores]
    arguments[at] = changed
    return ops.sum(ROW_WEIGHTS * semi_markov_crf_log_norm(*arguments))


# Argument 0 is the potentials, 2 to 5 are the others.
GRADIENTS = {
    at: gradients.gradient(
        functools.partial(lambda at, x, *rest: weighted_log_norm(x, at, *rest), at)
    )
    for at in (0, 2, 3, 4, 5)
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_sequence_score_adds_up_the_segments(case_and_mode):
    case, mode = case_and_mode
    random = np.random.default_rng(4)
    chosen = [random.choice(len(segmentations(length))) for length in LENGTHS]
    segments = [segmentations(n)[at] for n, at in zip(LENGTHS, chosen, strict=True)]
    labels, begins = zip(*map(encode, ROWS, segments), strict=True)
    expected = [case.score(row, segments[row]) for row in ROWS]
    arguments = np.array(labels), np.array(begins), MASK, *case.scores
    actual = mode(semi_markov_crf_sequence_score)(case.potentials, *arguments)
    np.testing.assert_allclose(numpy(actual), expected, rtol=1e-5, atol=1e-5)


def test_log_norm_sums_over_every_segmentation(case_and_mode):
    case, mode = case_and_mode
    actual = mode(semi_markov_crf_log_norm)(case.potentials, MASK, *case.scores)
    np.testing.assert_allclose(numpy(actual), case.log_norm(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("row", ROWS)
def test_likelihoods_of_all_segmentations_sum_to_one(case, row):
    cuts = segmentations(LENGTHS[row])
    most = len(segmentations(TIME))  # a fixed number of rows shares one compiled function
    labels, begins = (
        np.resize(x, (most, TIME)) for x in zip(*(encode(row, c) for c in cuts), strict=True)
    )
    potentials, mask = (np.repeat(x[row][None], most, axis=0) for x in (case.potentials, MASK))
    function = compiled(semi_markov_crf_log_likelihood)
    likelihood = numpy(function(potentials, labels, begins, mask, *case.scores))[: len(cuts)]
    assert np.exp(likelihood.astype("float64")).sum() == pytest.approx(1, abs=1e-4)


def test_marginals_are_summed_probabilities_of_segmentations(case_and_mode):
    case, mode = case_and_mode
    actual = mode(semi_markov_crf_marginals)(case.potentials, MASK, *case.scores)
    for found, expected in zip(actual, case.marginals(), strict=True):
        np.testing.assert_allclose(numpy(found), expected, atol=2e-5)


def test_places_tell_where_in_its_segment_a_token_lies(case_and_mode):
    case, mode = case_and_mode
    actual = mode(semi_markov_crf_place_marginals)(case.potentials, MASK, *case.scores)
    np.testing.assert_allclose(numpy(actual), case.places(), atol=2e-5)


def test_gradient_of_the_potentials_is_the_marginals(case_and_mode):
    case, mode = case_and_mode
    actual = mode(GRADIENTS[0])(case.potentials, case.potentials, *case.scores)
    expected = ROW_WEIGHTS[:, None, None] * case.marginals()[0]
    np.testing.assert_allclose(numpy(actual), expected, atol=2e-4)


@pytest.mark.parametrize("name", ["transitions", "length_scores", "start", "end"])
def test_gradient_of_a_score_counts_its_expected_uses(case, name):
    at = ["transitions", "length_scores", "start", "end"].index(name)
    expected = np.zeros(case.scores[at].shape)
    for row, segments, probability in case.probable():
        probability *= ROW_WEIGHTS[row]
        for first, after, label in segments:
            if name == "length_scores":
                expected[label, after - first - 1] += probability
        for a, b in itertools.pairwise(segments):
            if name == "transitions":
                expected[a[2], b[2]] += probability
        if segments and name in ("start", "end"):
            expected[segments[0 if name == "start" else -1][2]] += probability
    gradient = compiled(GRADIENTS[at + 2])
    actual = numpy(gradient(case.scores[at], case.potentials, *case.scores))
    np.testing.assert_allclose(actual, expected, atol=2e-4)


def test_decode_finds_the_best_segmentation_and_its_score(case_and_mode):
    case, mode = case_and_mode
    labels, begins, scores = mode(semi_markov_crf_decode)(case.potentials, MASK, *case.scores)
    for row in ROWS:
        found = case.all_scores(row)
        best = int(np.argmax(found))
        expected = encode(row, segmentations(LENGTHS[row])[best])
        np.testing.assert_array_equal(numpy(labels)[row], np.where(MASK[row], expected[0], 0))
        np.testing.assert_array_equal(numpy(begins)[row], MASK[row] & expected[1])
        np.testing.assert_allclose(numpy(scores)[row], found[best], rtol=1e-5, atol=1e-5)


def test_decoded_places_are_those_of_the_best_segments(case_and_mode):
    case, mode = case_and_mode
    labels, places = mode(semi_markov_crf_decode_places)(case.potentials, MASK, *case.scores)
    for row in ROWS:
        best = segmentations(LENGTHS[row])[int(np.argmax(case.all_scores(row)))]
        at, expected = np.flatnonzero(MASK[row]), np.zeros((2, TIME))
        for first, after, label, here in places_of(best):
            expected[:, at[first:after]] = [[label] * (after - first), here]
        np.testing.assert_array_equal([numpy(labels)[row], numpy(places)[row]], expected)


def test_with_segments_of_one_token_it_is_the_linear_chain(case):
    transitions, length_scores, start, end = case.scores
    potentials = case.potentials + length_scores[:, 0]
    chain = MASK, transitions, start, end
    single = MASK, transitions, length_scores[:, :1], start, end
    labels = np.random.default_rng(5).integers(LABELS, size=MASK.shape)
    exact = {"rtol": 1e-5, "atol": 2e-5}
    actual = compiled(semi_markov_crf_log_norm)(case.potentials, *single)
    expected = compiled(crf_log_norm)(potentials, *chain)
    np.testing.assert_allclose(numpy(actual), numpy(expected), **exact)
    actual, _ = compiled(semi_markov_crf_marginals)(case.potentials, *single)
    expected = compiled(crf_marginals)(potentials, *chain)
    np.testing.assert_allclose(numpy(actual), numpy(expected), **exact)
    actual, begins, _ = compiled(semi_markov_crf_decode)(case.potentials, *single)
    np.testing.assert_array_equal(
        numpy(actual), numpy(compiled(crf_decode)(potentials, *chain)[0])
    )
    np.testing.assert_array_equal(numpy(begins), MASK)
    likelihood = compiled(semi_markov_crf_log_likelihood)
    actual = likelihood(case.potentials, labels, np.zeros_like(MASK), *single)
    expected = compiled(crf_log_likelihood)(potentials, labels, *chain)
    np.testing.assert_allclose(numpy(actual), numpy(expected), rtol=1e-5, atol=1e-3)


def test_a_segment_that_is_too_long_is_cut_in_pieces():
    case, mask = CASES["small"], np.ones((1, TIME), dtype=bool)
    labels, whole = np.ones((1, TIME), dtype="int32"), np.eye(TIME, dtype=bool)[:1]
    cut = np.isin(np.arange(TIME), [0, MAX_LENGTH])[None]
    score = compiled(semi_markov_crf_sequence_score)
    potentials = case.potentials[:1]
    expected = score(potentials, labels, cut, mask, *case.scores)
    actual = score(potentials, labels, whole, mask, *case.scores)
    np.testing.assert_array_equal(numpy(actual), numpy(expected))
    pieces = ((0, MAX_LENGTH, 1), (MAX_LENGTH, TIME, 1))
    assert numpy(actual)[0] == pytest.approx(case.score(0, pieces), abs=1e-5)


def test_what_stands_at_padding_changes_nothing():
    case = CASES["small"]
    spoilt = np.where(MASK[..., None], case.potentials, np.float32("nan"))
    for function in (semi_markov_crf_log_norm, semi_markov_crf_marginals):
        expected = compiled(function)(case.potentials, MASK, *case.scores)
        actual = compiled(function)(spoilt, MASK, *case.scores)
        for a, b in zip(keras.tree.flatten(actual), keras.tree.flatten(expected), strict=True):
            np.testing.assert_array_equal(numpy(a), numpy(b))


def test_long_sentences_with_large_scores_keep_their_precision():
    random = np.random.default_rng(6)
    potentials = (30 * random.normal(size=(1, 600, LABELS))).astype("float32")
    scores = CASES["large"].scores
    labels, _ = compiled(semi_markov_crf_marginals)(potentials, None, *scores)
    np.testing.assert_allclose(numpy(labels).sum(axis=-1), 1, atol=1e-5)
    norm = compiled(semi_markov_crf_log_norm)(potentials, None, *scores)
    *_, best = compiled(semi_markov_crf_decode)(potentials, None, *scores)
    expected = float64_log_norm(potentials[0].astype("float64"), *scores)
    np.testing.assert_allclose(numpy(norm), expected, rtol=1e-6)
    assert numpy(best) <= numpy(norm) * (1 + 1e-6)


def float64_log_norm(potentials, transitions, length_scores, start, end):
    """The textbook recursion from the first token on."""
    ending = []  # score of all that ends behind each token, by label
    for after in range(1, len(potentials) + 1):
        ways = []
        for size in range(1, min(MAX_LENGTH, after) + 1):
            first = after - size
            before = start if not first else None
            if before is None:
                before = np.logaddexp.reduce(ending[first - 1][:, None] + transitions, axis=0)
            ways.append(before + potentials[first:after].sum(axis=0) + length_scores[:, size - 1])
        ending.append(np.logaddexp.reduce(ways, axis=0))
    return np.logaddexp.reduce(ending[-1] + end)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_potentials_are_computed_in_float32(dtype):
    case = CASES["small"]
    half = ops.cast(case.potentials, dtype)
    expected = compiled(semi_markov_crf_log_norm)(ops.cast(half, "float32"), MASK, *case.scores)
    actual = compiled(semi_markov_crf_log_norm)(half, MASK, *case.scores)
    assert keras.backend.standardize_dtype(actual.dtype) == "float32"
    np.testing.assert_array_equal(numpy(actual), numpy(expected))
