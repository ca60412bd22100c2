"""Scores of answers to questions, counted as SQuAD and KorQuAD do."""

import collections
import re
import string
from typing import NamedTuple

import numpy as np

COUNTINGS = ("squad", "korquad")

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
# What parts words in the counting of KorQuAD; all other punctuation of ASCII is left out.
_KOREAN_MARKS = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))


class AnswerCounting(NamedTuple):
    """How answers are compared.

    `"squad"` is that of SQuAD: lower case, no punctuation of ASCII, no articles, and F1 of words.
    `"korquad"` is that of KorQuAD: lower case, no punctuation, no quotation marks and brackets,
    and F1 of characters, since Korean words hold particles.

    Fields:
        name: One of `COUNTINGS`.

    Reference: https://arxiv.org/abs/1606.05250, section 6.1;
        https://arxiv.org/abs/1909.07005, section 5.1
    """

    name: str = "squad"

    def normalize(self, answer):
        """What is compared of an answer, a `str`."""
        if self.name == "korquad":
            text = answer.translate(_KOREAN_MARKS).lower().translate(_WITHOUT_PUNCTUATION)
        else:
            text = _ARTICLES.sub(" ", answer.lower().translate(_WITHOUT_PUNCTUATION))
        return " ".join(text.split())

    def exact_match(self, answer, right):
        """1.0 if both are the same once they are normalised, else 0.0."""
        return float(self.normalize(answer) == self.normalize(right))

    def f1(self, answer, right):
        """Harmonic mean of the shares of each that the other has too; 0.0 to 1.0."""
        answer, right = (self._units(text) for text in (answer, right))
        if not answer or not right:
            return float(answer == right)
        common = sum((collections.Counter(answer) & collections.Counter(right)).values())
        return 2 * common / (len(answer) + len(right))

    def _units(self, text):
        words = self.normalize(text).split()
        return list("".join(words)) if self.name == "korquad" else words


def answer_scores(answers, right, counting="squad"):
    """Scores of answers, each compared with the right answer that is nearest to it.

    Args:
        answers: List of `str`; an empty one says that there is no answer.
        right: List of lists of `str`, the right answers; an empty list where there is none.
        counting: One of `COUNTINGS`.

    Returns:
        Dict of `exact_match` and `f1`, from 0 to 100; where some questions have answers and some
        have none, also those of the questions with answers, `has_answer_exact_match` and
        `has_answer_f1`, and the share of right ones among the others, `no_answer_accuracy`.

    Raises:
        ValueError: The lists are empty or of different length, or there is no such counting.

    Reference: https://arxiv.org/abs/1606.05250, section 6.1 (SQuAD 1.1);
        https://arxiv.org/abs/1806.03822, section 4 (SQuAD 2.0)
    """
    pairs = _pairs(answers, right, counting)
    has_answer = np.array([bool(golds) for golds in right])
    found = {
        name: 100.0 * float(np.mean(values))
        for name, values in zip(("exact_match", "f1"), pairs, strict=True)
    }
    if has_answer.any() and not has_answer.all():
        exact, f1 = (100.0 * values for values in pairs)
        found["has_answer_exact_match"] = float(exact[has_answer].mean())
        found["has_answer_f1"] = float(f1[has_answer].mean())
        found["no_answer_accuracy"] = float(exact[~has_answer].mean())
    return found


def with_threshold(answers, margins, threshold):
    """The answers, an empty one in the place of each whose margin is above the threshold.

    Args:
        answers: List of `str`.
        margins: Floats, how much more is said for no answer than for this one.
        threshold: Number, or None to give all answers.
    """
    if threshold is None:
        return list(answers)
    pairs = zip(answers, margins, strict=True)
    return ["" if margin > threshold else answer for answer, margin in pairs]


def best_threshold(answers, margins, right, counting="squad"):
    """The threshold of `with_threshold` that gives the highest F1.

    Args:
        answers: List of `str`, the best answer to each question.
        margins: Floats, how much more is said for no answer than for this one.
        right: List of lists of `str`, the right answers; an empty list where there is none.
        counting: One of `COUNTINGS`.

    Returns:
        Float: between the margins of two questions, or beyond all of them.

    Raises:
        ValueError: As `answer_scores`.
    """
    _, given = _pairs(answers, right, counting)
    _, silent = _pairs([""] * len(answers), right, counting)
    margins = np.asarray(margins, "float64")
    order = np.argsort(margins, kind="stable")
    # Answering the first k questions, by margin, and none of the others.
    gains = np.concatenate([[0.0], np.cumsum((given - silent)[order])])
    values = margins[order]
    apart = np.concatenate([[True], values[1:] > values[:-1], [True]])
    best = int(np.argmax(np.where(apart, gains, -np.inf)))
    edges = np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])
    return float(edges[best])


def _pairs(answers, right, counting):
    """Exact matches and F1 of each question, two arrays."""
    if counting not in COUNTINGS:
        raise ValueError(
            f"`counting` must be one of {', '.join(COUNTINGS)}. Received: counting={counting!r}"
        )
    if not answers:
        raise ValueError(f"`answers` must not be empty. Received: answers={answers}")
    if len(answers) != len(right):
        raise ValueError(
            f"`right` must hold {len(answers)} lists, one for each of `answers`. "
            f"Received: len(right)={len(right)}"
        )
    counting = AnswerCounting(counting)
    exact, f1 = np.zeros(len(answers)), np.zeros(len(answers))
    for at, (answer, golds) in enumerate(zip(answers, right, strict=True)):
        golds = golds or [""]
        exact[at] = max(counting.exact_match(answer, gold) for gold in golds)
        f1[at] = max(counting.f1(answer, gold) for gold in golds)
    return exact, f1
