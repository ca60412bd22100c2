"""Span scores against cases counted by hand."""

import numpy as np
import pytest

from seqnlp import tag_schemes
from seqnlp.metrics import span_scores

# Two true spans of type a, one of type b; found are one a, one b too long, and one a too many.
TRUE = {
    "bio": [["B-a", "I-a", "O", "B-b"], ["B-a", "O"]],
    "iob1": [["I-a", "I-a", "O", "I-b"], ["I-a", "O"]],
    "bioes": [["B-a", "E-a", "O", "S-b"], ["S-a", "O"]],
    "bilou": [["B-a", "L-a", "O", "U-b"], ["U-a", "O"]],
}
PREDICTED = {
    "bio": [["B-a", "I-a", "B-b", "I-b"], ["O", "B-a"]],
    "iob1": [["I-a", "I-a", "I-b", "I-b"], ["O", "I-a"]],
    "bioes": [["B-a", "E-a", "B-b", "E-b"], ["O", "S-a"]],
    "bilou": [["B-a", "L-a", "B-b", "L-b"], ["O", "U-a"]],
}


@pytest.mark.parametrize("encoding", TRUE)
def test_counts_spans_with_right_type_start_and_end(encoding):
    scores = span_scores(TRUE[encoding], PREDICTED[encoding], encoding)
    assert scores == {
        "a": {"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2, "support": 2},
        "b": {"precision": 0, "recall": 0, "f1": 0, "support": 1},
        "micro": pytest.approx({"precision": 1 / 3, "recall": 1 / 3, "f1": 1 / 3, "support": 3}),
        "macro": {"precision": 1 / 4, "recall": 1 / 4, "f1": 1 / 4, "support": 3},
    }


@pytest.mark.parametrize("encoding", TRUE)
def test_the_truth_itself_scores_one(encoding):
    scores = span_scores(TRUE[encoding], TRUE[encoding], encoding)
    assert {row["f1"] for row in scores.values()} == {1.0}


@pytest.mark.parametrize(
    ("encoding", "true", "predicted"),
    [
        ("bio", ["B-a", "I-a", "O"], ["I-a", "I-a", "O"]),  # a span may begin with I
        ("bio", ["B-a", "B-b", "I-b"], ["B-a", "I-b", "I-b"]),  # another type begins a span
        ("bioes", ["S-a", "O"], ["E-a", "O"]),
        ("bioes", ["B-a", "E-a", "O"], ["I-a", "I-a", "O"]),  # a span that is never ended
        ("bilou", ["U-a", "O"], ["L-a", "O"]),
    ],
)
def test_faulty_predictions_are_read_as_conlleval_reads_them(encoding, true, predicted):
    assert span_scores([true], [predicted], encoding)["micro"]["f1"] == 1.0


@pytest.mark.parametrize("encoding", TRUE)
def test_counts_the_spans_of_tag_schemes(encoding):
    letters = {"bio": "BI", "iob1": "BI", "bioes": "BIES", "bilou": "BILU"}[encoding]
    tags = ["O", *(f"{letter}-{name}" for letter in letters for name in "ab")]
    random = np.random.default_rng(0)
    true, predicted = ([list(random.choice(tags, 7)) for _ in range(40)] for _ in range(2))

    def found(side):
        sentences = enumerate(side)
        return {(at, *x) for at, row in sentences for x in tag_schemes.spans(row, encoding)}

    right = len(found(true) & found(predicted))
    micro = span_scores(true, predicted, encoding)["micro"]
    assert micro["precision"] == pytest.approx(right / len(found(predicted)))
    assert micro["recall"] == pytest.approx(right / len(found(true)))
    assert micro["support"] == len(found(true))


def test_sentences_without_spans_score_zero():
    zeros = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert span_scores([["O", "O"]], [["O", "O"]]) == {"micro": zeros, "macro": zeros}


def test_any_span_type_may_be_named():
    assert span_scores([["B-weighted"]], [["B-weighted"]])["weighted"]["f1"] == 1


def test_no_sentences_score_zero():
    assert span_scores([], [])["micro"]["f1"] == 0


def test_refuses_another_number_of_sentences():
    with pytest.raises(ValueError, match=r"`predicted` must hold 2 .* len\(predicted\)=1"):
        span_scores([["O"], ["O"]], [["O"]])


def test_refuses_sentences_of_another_length():
    with pytest.raises(ValueError, match=r"`predicted\[1\]` must hold 1 tags.*=2"):
        span_scores([["O"], ["O"]], [["O"], ["O", "O"]])


def test_refuses_tags_of_another_scheme():
    with pytest.raises(ValueError, match="`tag` must be one of .* Received: tag='S-a'"):
        span_scores([["S-a"]], [["O"]], "bio")
