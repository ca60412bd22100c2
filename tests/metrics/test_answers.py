"""Scores of answers, by hand."""

import itertools

import numpy as np
import pytest

from seqnlp.metrics import AnswerCounting, answer_scores, best_threshold, with_threshold
from tests.messages import exactly

SQUAD, KORQUAD = AnswerCounting("squad"), AnswerCounting("korquad")


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("The  Eiffel-Tower!", "eiffeltower"),
        ("an apple, a day", "apple day"),
        ("Anthem of a land", "anthem of land"),
        ("«Été»", "«été»"),
        ("the", ""),
    ],
)
def test_squad_leaves_out_case_punctuation_and_articles(answer, normal):
    assert SQUAD.normalize(answer) == normal


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("《토지》(소설)", "토지 소설"),
        ("3,000 명", "3000 명"),
        ("The '가'", "the 가"),
        ("〈A.B〉", "ab"),
    ],
)
def test_korquad_leaves_out_brackets_and_keeps_articles(answer, normal):
    assert KORQUAD.normalize(answer) == normal


def test_f1_of_squad_is_that_of_words():
    # Two of three words of the answer are among the four of the right one.
    assert SQUAD.f1("red old car", "the old red wooden house") == pytest.approx(2 * 2 / (3 + 4))


def test_a_word_counts_as_often_as_it_is_there():
    assert SQUAD.f1("very very very", "very good") == pytest.approx(2 * 1 / (3 + 2))


def test_f1_of_korquad_is_that_of_characters():
    # 부, 산 and 에 of four are among the three.
    assert KORQUAD.f1("부산 에서", "부산에") == pytest.approx(2 * 3 / (4 + 3))


def test_nothing_equals_nothing_alone():
    assert [SQUAD.f1("", ""), SQUAD.f1("", "x"), SQUAD.f1("the", "")] == [1.0, 0.0, 1.0]


def test_the_nearest_right_answer_counts():
    scores = answer_scores(["in Paris", "Rome"], [["Lyon", "Paris"], ["Oslo"]])
    assert scores == {"exact_match": 0.0, "f1": pytest.approx(100 * (2 / 3) / 2)}


def test_questions_without_an_answer_are_told_apart():
    scores = answer_scores(["Paris", "", "Rome", "", "x"], [["Paris"], [], [], [], ["y"]])
    assert scores == {
        "exact_match": pytest.approx(60),
        "f1": pytest.approx(60),
        "has_answer_exact_match": pytest.approx(50),
        "has_answer_f1": pytest.approx(50),
        "no_answer_accuracy": pytest.approx(200 / 3),
    }


@pytest.mark.parametrize("seed", range(20))
def test_the_best_threshold_is_that_of_a_search(seed):
    random = np.random.default_rng(seed)
    number = 12
    right = [[] if random.random() < 0.5 else ["a"] for _ in range(number)]
    answers = random.choice(["a", "b", "a c"], size=number).tolist()
    margins = random.integers(-3, 4, size=number).astype(float)
    found = best_threshold(answers, margins, right)
    f1 = {
        edge: answer_scores(with_threshold(answers, margins, edge), right)["f1"]
        for edge in np.arange(-5, 6) + 0.5
    }
    assert answer_scores(with_threshold(answers, margins, found), right)["f1"] == max(f1.values())


def test_without_a_threshold_every_answer_is_given():
    assert with_threshold(["a", "b"], [9.0, -9.0], None) == ["a", "b"]


ERRORS = {
    "`answers` must not be empty. Received: answers=[]": ([], []),
    "`right` must hold 1 lists, one for each of `answers`. Received: len(right)=2": (
        ["a"],
        [[], []],
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_lists_that_do_not_fit_are_refused(message):
    for function in (answer_scores, lambda a, r: best_threshold(a, [0.0] * len(a), r)):
        with pytest.raises(ValueError, match=exactly(message)):
            function(*ERRORS[message])


def test_an_unknown_counting_is_refused():
    with pytest.raises(
        ValueError,
        match=exactly("`counting` must be one of squad, korquad. Received: counting='bleu'"),
    ):
        answer_scores(["a"], [["a"]], "bleu")


def test_order_of_questions_does_not_matter():
    cases = [("a", ["a"]), ("b", []), ("", ["c"])]
    scores = [answer_scores(*zip(*order, strict=True)) for order in itertools.permutations(cases)]
    assert all(found == pytest.approx(scores[0]) for found in scores)
