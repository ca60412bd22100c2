"""The semi-Markov head against enumeration of every segmentation, written as tags."""

import functools
import itertools

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import SemiMarkovCRF
from seqnlp.models import CRFModel
from seqnlp.tag_schemes import first_illegal, segment_tags, spans
from tests.layers.crf_enumeration import refused

TIME, MAX_LENGTH = 4, 3
TAGS = {
    "bio": ["O", "B-a", "I-a", "B-b", "I-b"],
    "iob1": ["O", "I-a", "B-a", "I-b", "B-b"],
    "bioes": ["O", "B-a", "I-a", "E-a", "S-a", "B-b", "I-b", "E-b", "S-b"],
    "bilou": ["O", "B-a", "I-a", "L-a", "U-a", "B-b", "I-b", "L-b", "U-b"],
    "bio without I-b": ["I-a", "B-a", "O", "B-b"],
    "iob1 without B": ["O", "I-a", "I-b"],
    "bioes without S-a": ["O", "E-a", "I-a", "B-a", "S-b", "B-b", "E-b"],
}
MASK = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], bool)


def segmentations(length, labels):
    """All tuples of `(first, end, label)`, with label 0 outside of spans: one token each."""
    if not length:
        return [()]
    return [
        (*rest, (length - size, length, label))
        for size in range(1, min(MAX_LENGTH, length) + 1)
        for rest in segmentations(length - size, labels)
        for label in labels
        if label != "O" or size == 1
    ]


def written(segments, names, encoding):
    """The tags of a segmentation under the scheme, or None if `names` cannot write it."""
    tags, before = [], None
    for first, end, label in segments:
        size = end - first
        letters = {
            "bio": "B" + "I" * (size - 1),
            "iob1": ("B" if label == before else "I") + "I" * (size - 1),
            "bioes": "S" if size == 1 else "B" + "I" * (size - 2) + "E",
            "bilou": "U" if size == 1 else "B" + "I" * (size - 2) + "L",
        }[encoding]
        tags += ["O"] if label == "O" else [f"{letter}-{label}" for letter in letters]
        before = label
    return tags if {*tags} <= {*names} else None


class Truth:
    """A head with random weights, and what enumeration in float64 says of it."""

    def __init__(self, case):
        self.names, self.encoding = TAGS[case], case.split(" ")[0]
        self.head = SemiMarkovCRF(segment_tags(self.names, self.encoding), MAX_LENGTH)
        self.head.build((None, TIME, self.head.units))
        random = np.random.default_rng(0)
        self.head.set_weights([2 * random.normal(size=w.shape) for w in self.head.weights])
        self.potentials = 2 * random.normal(size=(len(MASK), TIME, self.head.units))
        self.potentials = self.potentials.astype("float32")
        types = [name[2:] or name for name in self.names]
        self.labels = list(dict.fromkeys(types))  # in the order of the rows of the table

    def weigh(self, row):
        """`(tag ids of the real tokens, score)` of each segmentation that tags can write."""
        weights = [w.astype("float64") for w in self.head.get_weights()]
        transitions, lengths, start, end = weights
        real = self.potentials[row][MASK[row]].astype("float64")
        for segments in segmentations(len(real), self.labels):
            tags = written(segments, self.names, self.encoding)
            if tags is None:
                continue
            ids = [self.labels.index(label) for _, _, label in segments]
            score = start[ids[0]] + end[ids[-1]] if ids else 0.0
            for (first, after, _), label in zip(segments, ids, strict=True):
                score += real[first:after, label].sum() + lengths[label, after - first - 1]
            score += sum(transitions[a, b] for a, b in itertools.pairwise(ids))
            yield [self.names.index(tag) for tag in tags], score

    @functools.cached_property
    def rows(self):
        """For each row: tag ids `(segmentations, tokens)` and their log probabilities."""
        found = []
        for row in range(len(MASK)):
            tags, scores = zip(*self.weigh(row), strict=True)
            found.append((np.array(tags, int), scores - np.logaddexp.reduce(scores)))
        return found

    @functools.cached_property
    def ask(self):
        def answer(potentials, labels, mask):
            outputs = self.head(potentials, mask=mask)
            losses = self.head.negative_log_likelihood(labels, outputs)
            marginals = self.head.marginals(outputs)
            logs, _ = self.head.tag_log_probabilities(outputs)
            return outputs["tags"], losses, marginals, logs, self.head.segment_marginals(outputs)

        function = gradients.compiled(answer)
        return lambda *arguments: [ops.convert_to_numpy(x) for x in function(*arguments)]


@functools.cache
def truth(case):
    return Truth(case)


@pytest.fixture(params=TAGS)
def case(request):
    return truth(request.param)


def test_no_two_segmentations_are_written_alike(case):
    for tags, _ in case.rows:
        assert len(tags) == len(np.unique(tags, axis=0))


def test_decodes_the_best_segmentation_in_legal_tags(case):
    tags, *_ = case.ask(case.potentials, np.zeros(MASK.shape, "int32"), MASK)
    for row, (ids, scores) in enumerate(case.rows):
        expected = np.zeros(TIME, "int32")
        expected[MASK[row]] = ids[np.argmax(scores)]
        np.testing.assert_array_equal(tags[row], expected)
        assert (
            first_illegal([case.names[tag] for tag in tags[row][MASK[row]]], case.encoding) is None
        )


def test_marginals_are_summed_probabilities_of_tags(case):
    _, _, marginals, *_ = case.ask(case.potentials, np.zeros(MASK.shape, "int32"), MASK)
    expected = np.zeros((*MASK.shape, len(case.names)))
    for row, (ids, scores) in enumerate(case.rows):
        for tags, score in zip(ids, scores, strict=True):
            expected[row, np.flatnonzero(MASK[row]), tags] += np.exp(score)
    np.testing.assert_allclose(marginals, expected, atol=2e-5)


def test_segment_marginals_are_summed_probabilities_of_spans(case):
    *_, segments = case.ask(case.potentials, np.zeros(MASK.shape, "int32"), MASK)
    expected = np.zeros((*MASK.shape, MAX_LENGTH, case.head.units))
    for row, (ids, scores) in enumerate(case.rows):
        at = np.flatnonzero(MASK[row])
        for tags, score in zip(ids, scores, strict=True):
            names = [case.names[tag] for tag in tags]
            for label, start, end in spans(names, case.encoding):
                place = row, at[start], end - start - 1, case.labels.index(label)
                expected[place] += np.exp(score)
            outside = [token for token, name in zip(at, names, strict=True) if name == "O"]
            expected[row, outside, 0, case.labels.index("O")] += np.exp(score)
    np.testing.assert_allclose(segments, expected, atol=2e-5)


def test_log_probabilities_of_decoded_tags_add_up_to_those_of_their_spans(case):
    tags, _, _, logs, _ = case.ask(case.potentials, np.zeros(MASK.shape, "int32"), MASK)
    for row, (ids, scores) in enumerate(case.rows):
        decoded = [case.names[tag] for tag in tags[row][MASK[row]]]
        found = logs[row][MASK[row]]
        for span in spans(decoded, case.encoding):
            readings = [spans([case.names[tag] for tag in row], case.encoding) for row in ids]
            has_it = np.array([span in reading for reading in readings])
            expected = np.logaddexp.reduce(scores[has_it])
            assert found[span[1] : span[2]].sum() == pytest.approx(expected, abs=1e-4)
        assert not logs[row][~MASK[row]].any()


def test_a_sentence_that_no_tags_write_has_probabilities_still():
    # Three tokens are more than one segment, and without B-a no second one can follow.
    head = SemiMarkovCRF(segment_tags(["I-a"], "iob1"), max_length=2)
    head.build((None, 3, 1))
    outputs = head(np.zeros((1, 3, 1), "float32"), mask=np.ones((1, 3), bool))
    logs = ops.convert_to_numpy(head.tag_log_probabilities(outputs)[0])
    assert (np.log(1e-37) - 1 < logs).all()
    assert (logs <= 0).all()
    assert (logs < 0).any()


@pytest.mark.parametrize("row", range(len(MASK)))
def test_loss_is_the_negative_log_probability_of_the_segments(case, row):
    ids, scores = case.rows[row]
    for at in np.random.default_rng(1).choice(len(ids), size=min(5, len(ids)), replace=False):
        labels = np.zeros(MASK.shape, "int32")
        labels[row, MASK[row]] = ids[at]
        _, losses, *_ = case.ask(case.potentials, labels, MASK)
        assert losses[row] == pytest.approx(-scores[at], rel=1e-5, abs=2e-5)


def test_tags_out_of_range_are_named_and_cost_the_most_when_traced():
    case, labels = truth("bio"), np.zeros(MASK.shape, "int32")
    labels[1, 3] = 5
    labels[2, 0] = labels[2, 3] = -1  # at padding
    message = "`labels` must be ids from 0 to 4 at real tokens. Received: labels[1, 3]=5"
    outputs = {"potentials": case.potentials, "mask": MASK}
    with refused(message):
        case.head.negative_log_likelihood(labels, outputs)
    _, losses, *_ = case.ask(case.potentials, labels, MASK)
    assert (losses == 1e9).tolist() == [False, True, False, False, False]


def test_partial_labels_are_refused():
    case = truth("bio")
    message = (
        "`labels` must have shape (batch, time) = (5, 4), as `potentials` has shape (5, 4, 3). "
        "Received: labels.shape=(5, 4, 5)"
    )
    outputs = {"potentials": case.potentials, "mask": MASK}
    with refused(message):
        case.head.negative_log_likelihood(np.ones((5, 4, 5), bool), outputs)


def long_span(encoding, names):
    tags = {"bio": ["B-a", "I-a", "I-a", "I-a"], "iob1": ["I-a"] * 4}[encoding]
    labels = np.zeros((len(MASK), TIME), "int32")
    labels[0] = [names.index(tag) for tag in tags]
    return labels


def test_a_segment_that_is_too_long_is_named():
    case, labels = truth("bio"), long_span("bio", TAGS["bio"])
    message = (
        "`labels` must have segments of at most 3 tokens, as the head's `max_length` says. "
        "Received: labels[0] with a segment of 4 tokens from token 0 on"
    )
    outputs = {"potentials": case.potentials, "mask": MASK}
    with refused(message):
        case.head.negative_log_likelihood(labels, outputs)


def test_a_hole_does_not_hide_that_a_segment_is_too_long():
    head = SemiMarkovCRF(segment_tags(TAGS["bio"], "bio"), 1)
    outputs = {"potentials": np.zeros((1, 4, 3), "float32"), "mask": MASK[1:2]}
    message = (
        "`labels` must have segments of at most 1 tokens, as the head's `max_length` says. "
        "Received: labels[0] with a segment of 2 tokens from token 2 on"
    )
    with refused(message):
        head.negative_log_likelihood(np.array([[0, 0, 1, 2]]), outputs)


def test_traced_a_segment_that_is_too_long_is_learned_in_pieces():
    case = truth("bio")
    pieces = long_span("bio", case.names)
    pieces[0, MAX_LENGTH] = case.names.index("B-a")
    _, expected, *_ = case.ask(case.potentials, pieces, MASK)
    _, losses, *_ = case.ask(case.potentials, long_span("bio", case.names), MASK)
    assert losses[0] == expected[0] > 0


def test_traced_pieces_that_no_tags_write_teach_nothing():
    case = truth("iob1 without B")
    labels = long_span("iob1", case.names)
    _, losses, *_ = case.ask(case.potentials, labels, MASK)
    assert losses[0] == 0

    def loss(potentials):
        outputs = {"potentials": potentials, "mask": MASK}
        return ops.sum(case.head.negative_log_likelihood(labels, outputs))

    found = ops.convert_to_numpy(gradients.compiled(gradients.gradient(loss))(case.potentials))
    assert not found[0].any()
    assert found[1].any()


def test_without_boundaries_it_has_no_start_and_end_scores():
    head = SemiMarkovCRF(segment_tags(TAGS["bio"], "bio"), use_boundaries=False)
    head.build((None, None, 3))
    assert [weight.name for weight in head.weights] == ["transitions", "length_scores"]
    assert head.units == 3
    assert head.num_tags == 5


def test_learns_the_lengths_of_spans_that_the_words_do_not_tell():
    # Every span of `a` has two tokens, and all words of a sentence are the same.
    names = TAGS["bio"]
    words = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(3, 8, mask_zero=True)(words)
    head = SemiMarkovCRF(segment_tags(names, "bio"), max_length=4)
    model = CRFModel(words, head(keras.layers.Dense(head.units)(vectors)))
    model.compile(keras.optimizers.Adam(0.05), jit_compile=True)
    word_ids = np.full((64, 6), 2)
    tags = np.tile([names.index("B-a"), names.index("I-a")], (64, 3))
    history = model.fit(word_ids, tags, epochs=40, batch_size=32, verbose=0).history["loss"]
    assert history[-1] < 0.1 < history[0]
    np.testing.assert_array_equal(model.predict(word_ids[:2], verbose=0)["tags"], tags[:2])


def test_refuses_segments_without_tokens():
    with refused("`max_length` must be at least 1. Received: max_length=0"):
        SemiMarkovCRF(segment_tags(TAGS["bio"], "bio"), 0)


def test_refuses_a_table_of_another_shape():
    message = "`segment_tags` must have shape (labels, 6). Received: segment_tags.shape=(2, 4)"
    with refused(message):
        SemiMarkovCRF(np.zeros((2, 4), int))


@pytest.mark.parametrize("table", [[[0] * 6, [0] * 6], [[1] * 6], [[-1] * 6]])
def test_refuses_tags_of_two_labels_and_tags_left_out(table):
    message = (
        "`segment_tags` must hold each tag id from 0 on in one row alone, and -1. "
        f"Received: segment_tags={table}"
    )
    with refused(message):
        SemiMarkovCRF(table)


def test_refuses_tags_that_are_there_behind_some_labels_alone():
    message = (
        "`segment_tags` must write single and first tokens of a label behind all labels or "
        "behind others alone. Received: segment_tags with the row [0, 1, 2, 3, -1, 1]"
    )
    with refused(message):
        SemiMarkovCRF([[0, 1, 2, 3, -1, 1]])


def test_refuses_potentials_of_another_number_of_labels():
    message = (
        "`potentials` must have 3 scores a token, as the head has `units`. "
        "Received: potentials.shape=(2, 4, 5)"
    )
    with refused(message):
        SemiMarkovCRF(segment_tags(TAGS["bio"], "bio"))(np.zeros((2, 4, 5), "float32"))
