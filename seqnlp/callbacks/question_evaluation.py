"""Answering the questions of a validation split, and the scores of the answers."""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from seqnlp.decoding import best_spans, context_mask
from seqnlp.metrics import answer_scores, best_threshold, with_threshold


class FoundAnswer(NamedTuple):
    """The best answer to a question.

    Fields:
        text: `str`, a part of the context; empty where nothing can be chosen.
        start: The byte of the context that it begins with.
        end: The byte behind it.
        log_probability: That it is the answer, in the window where that is most probable.
        no_answer: The log probability that there is none, in the window where that is least
            probable.
    """

    text: str
    start: int
    end: int
    log_probability: float
    no_answer: float

    @property
    def margin(self):
        """How much more is said for no answer than for this one."""
        return self.no_answer - self.log_probability


def find_answers(model, batches, questions, max_answer_length=30):
    """The best answers to questions whose contexts are read in windows.

    Args:
        model: A `seqnlp.models.BERTSpanExtractor`.
        batches: Iterable of `(inputs, labels, sample_weight)`, as `question_batches` gives them
            without a seed: the windows in order. Rows of weight 0 are left out.
        questions: List of questions with `context` and `windows`, as `read_questions` gives them.
        max_answer_length: Most pieces of an answer.

    Returns:
        List of `FoundAnswer`.
    """
    rows = _rows(model, batches, max_answer_length)
    found = []
    for asked in questions:
        context = asked.context.encode()
        best, no_answer = FoundAnswer("", 0, 0, -1e9, 0.0), np.inf
        for window in asked.windows:
            start, end, score, nothing = next(rows)
            no_answer = min(no_answer, nothing)
            if score > best.log_probability:
                first = int(window.starts[start - window.first_length])
                last = int(window.ends[end - window.first_length])
                text = context[first:last].decode()
                best = FoundAnswer(text, first, last, float(score), 0.0)
        found.append(best._replace(no_answer=float(no_answer)))
    return found


def _rows(model, batches, max_answer_length):
    """Yields the best span of each window, its score and that of none."""
    for inputs, _, weight in batches:
        inputs = {name: np.asarray(ids) for name, ids in inputs.items()}
        outputs = model.predict_on_batch(inputs)
        start, end = (ops.log_softmax(outputs[name], axis=-1) for name in ("start", "end"))
        spans = best_spans(start, end, context_mask(**inputs), max_answer_length)
        columns = [ops.convert_to_numpy(x)[:, 0] for x in (*spans, start + end)]
        real = np.asarray(weight["start"]) > 0
        yield from zip(*(column[real] for column in columns), strict=True)


def choose_threshold(found, right, counting="squad"):
    """The best threshold of `with_threshold`; None where every question has an answer.

    Args:
        found: List of `FoundAnswer`.
        right: List of lists of right answers.
        counting: As of `answer_scores`.
    """
    if all(right):
        return None
    texts, margins = [answer.text for answer in found], [answer.margin for answer in found]
    return best_threshold(texts, margins, right, counting)


def found_scores(found, right, threshold=None, counting="squad"):
    """`answer_scores` of the answers that a threshold leaves."""
    texts, margins = [answer.text for answer in found], [answer.margin for answer in found]
    return answer_scores(with_threshold(texts, margins, threshold), right, counting)


class QuestionEvaluation(keras.callbacks.Callback):
    """Answers the validation split after each epoch and adds the scores to the logs.

    The logs gain `val_exact_match` and `val_f1`, and those of `answer_scores` where some questions
    have no answer, with the threshold that is best. Place it before callbacks that read them.

    Args:
        batches: As of `find_answers`.
        questions: The same; with `answers`.
        counting: As of `answer_scores`.
        max_answer_length: Most pieces of an answer.
    """

    def __init__(self, batches, questions, counting="squad", max_answer_length=30):
        super().__init__()
        self.batches = batches
        self.questions = questions
        self.counting = counting
        self.max_answer_length = max_answer_length

    def scores(self):
        """Dict of the scores of the model as it is."""
        found = find_answers(self.model, self.batches, self.questions, self.max_answer_length)
        right = [asked.answers for asked in self.questions]
        threshold = choose_threshold(found, right, self.counting)
        return found_scores(found, right, threshold, self.counting)

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in self.scores().items()})
