"""The best answers of windows, by hand."""

import numpy as np
import pytest

from seqnlp.callbacks import (
    FoundAnswer,
    QuestionEvaluation,
    choose_threshold,
    find_answers,
    found_scores,
)
from seqnlp.records import AskedQuestion, QuestionWindow

CONTEXT = "né 서울 xy"
PIECES = np.array([(0, 1), (1, 3), (4, 7), (7, 10), (11, 13)])
FIRST = 3  # [CLS] question [SEP]
NOWHERE = -1e30


class Scripted:
    """A model that says what it is told to."""

    def __init__(self, *outputs):
        self.outputs = iter(outputs)

    def predict_on_batch(self, inputs):
        start, end = next(self.outputs)
        return {"start": np.array(start, "float32"), "end": np.array(end, "float32")}


def window(first, last):
    starts, ends = PIECES[first:last].T
    return QuestionWindow(FIRST, starts, ends)


def batch(sizes, real):
    """Inputs of windows of some pieces each, of 7 tokens."""
    places = np.arange(7)
    lengths = np.array(sizes)[:, None] + FIRST + 1
    inputs = {
        "token_ids": np.where(places < lengths, 5, 0),
        "segment_ids": ((places >= FIRST) & (places < lengths)).astype(int),
    }
    weight = np.array(real, "float32")
    return inputs, None, {"start": weight, "end": weight}


def chances(row):
    """Log probabilities that a softmax keeps as they are."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(np.array(row, float)), NOWHERE)


def asked(windows, answers=("서울",)):
    return AskedQuestion("q", "Where?", CONTEXT, list(answers), windows)


def test_the_best_answer_is_that_of_the_best_window():
    # Two windows of three pieces; the first one sees no answer.
    start = [chances([0.9, 0, 0, 0.1, 0, 0, 0]), chances([0.3, 0, 0, 0.5, 0, 0.2, 0])]
    end = [chances([0.8, 0, 0, 0.2, 0, 0, 0]), chances([0.1, 0, 0, 0, 0.6, 0.3, 0])]
    model = Scripted((start, end))
    question = asked([window(0, 3), window(2, 5)])
    (found,) = find_answers(model, [batch([3, 3], [1, 1])], [question])
    assert found[:3] == ("서울", 4, 10)
    assert found.log_probability == pytest.approx(np.log(0.5 * 0.6), rel=1e-5)
    assert found.no_answer == pytest.approx(np.log(0.3 * 0.1), rel=1e-5)
    assert found.margin == pytest.approx(np.log(0.03 / 0.3), rel=1e-5)


def test_rows_of_padding_are_left_out_and_windows_may_be_in_two_batches():
    row = chances([0.2, 0, 0, 0.8, 0, 0, 0])
    model = Scripted(([row, row], [row, row]), ([row, row], [row, row]))
    questions = [asked([window(0, 3)]), asked([window(1, 3), window(2, 5)])]
    batches = [batch([3, 2], [1, 1]), batch([3, 1], [1, 0])]
    found = find_answers(model, batches, questions)
    assert [answer.text for answer in found] == ["n", "é"]


def test_an_answer_is_never_too_long():
    start, end = chances([0.1, 0, 0, 0.9, 0, 0, 0]), chances([0.1, 0, 0, 0.1, 0.1, 0.7, 0])
    answers = [
        find_answers(Scripted(([start], [end])), [batch([3], [1])], [asked([window(0, 3)])], most)
        for most in (1, 2, 3)
    ]
    assert [found[0].text for found in answers] == ["n", "n", "né 서"]


def test_a_context_without_pieces_has_no_answer():
    start = chances([1.0, 0, 0, 0, 0, 0, 0])
    empty = QuestionWindow(FIRST, np.array([], int), np.array([], int))
    (found,) = find_answers(Scripted(([start], [start])), [batch([0], [1])], [asked([empty])])
    assert found[:3] == ("", 0, 0)
    assert found.no_answer == pytest.approx(0.0, abs=1e-6)


def test_a_threshold_is_for_questions_without_answers():
    found = [FoundAnswer("x", 0, 1, -1.0, -5.0), FoundAnswer("y", 0, 1, -5.0, -1.0)]
    assert choose_threshold(found, [["x"], ["y"]]) is None
    threshold = choose_threshold(found, [["x"], []])
    assert -4 < threshold < 4
    assert found_scores(found, [["x"], []], threshold)["f1"] == 100
    assert found_scores(found, [["x"], []])["f1"] == 50


def test_the_logs_gain_the_scores():
    start, end = chances([0.1, 0, 0, 0, 0, 0.9, 0]), chances([0.1, 0, 0, 0, 0, 0.9, 0])
    callback = QuestionEvaluation([batch([3], [1])], [asked([window(1, 4)], ["서울", "울"])])
    callback.set_model(Scripted(([start], [end])))
    logs = {"loss": 1.0}
    callback.on_epoch_end(0, logs)
    assert logs == {"loss": 1.0, "val_exact_match": 100.0, "val_f1": 100.0}
