"""What an export that answers questions must answer, by `model.predict` and plain Python."""

import itertools

import numpy as np

from pipelines.question_windows import in_windows

NEAR_TIE = 1e-4  # nats between two answers, below which float32 may rank them either way


class QuestionTruth:
    """Answers questions outside of an export.

    Args:
        model: A `BERTSpanExtractor`.
        text: Its `seqnlp.text.QuestionText`.
        max_answer_length: Most pieces of an answer.
        n_best: Answers that are told.
        threshold: As of `seqnlp.export.question_signatures`.
    """

    def __init__(self, model, text, max_answer_length, n_best, threshold):
        self.model = model
        self.text = text
        self.max_answer_length = max_answer_length
        self.number = n_best
        self.threshold = threshold

    def answers(self, pairs):
        """List of dicts, what is said of each `(question, context)`.

        None stands where two answers are too close to each other to be ranked in float32.
        """
        asked, batches = in_windows(self.text, pairs, 8)
        outputs = [self.model.predict_on_batch(inputs) for inputs, _, _ in batches]
        rows = itertools.chain.from_iterable(
            zip(part["start"], part["end"], strict=True) for part in outputs
        )
        cut = self.text.tokenize([question for question, _ in pairs]).row_lengths()
        truncated = (cut > self.text.max_question_length).numpy().tolist()
        return [self._answer(*item, rows) for item in zip(asked, truncated, strict=True)]

    def _answer(self, asked, truncated, rows):
        found, no_answer, doubtful = [], np.inf, -np.inf
        for window in asked.windows:
            start, end = map(_log_softmax, next(rows))
            no_answer = min(no_answer, start[0] + end[0])
            spans = self._spans(window, start, end)
            found += spans[: self.number]
            if any(_too_close(*pair) for pair in itertools.pairwise(spans[self.number - 1 :])):
                doubtful = max(doubtful, spans[self.number][0])  # which of both is told
        found.sort(key=lambda span: -span[0])
        best = {}
        for score, *place in found:
            best.setdefault(tuple(place), score)  # windows overlap
        best = list(best.items())[: self.number]
        last = best[-1][1] if best else np.inf
        near = [span for span in found if span[0] > last - NEAR_TIE]
        if doubtful > last - NEAR_TIE or any(_too_close(*x) for x in itertools.pairwise(near)):
            return None
        if best and self._is_near(no_answer - best[0][1]):
            return None
        context = asked.context
        context = context if isinstance(context, bytes) else context.encode()
        spans = [
            (*place, context[slice(*place)].decode("utf-8", "replace"), score)
            for place, score in best
        ]
        return {"spans": spans, "no_answer": no_answer, "truncated": truncated}

    def _is_near(self, margin):
        return self.threshold is not None and abs(margin - self.threshold) < NEAR_TIE

    def _spans(self, window, start, end):
        """`(score, start, end)` of the best spans of a window, in bytes, and of one more."""
        number, first = len(window.starts), window.first_length
        start, end = (x[first : first + number] for x in (start, end))
        found = [
            (start[i] + end[j], int(window.starts[i]), int(window.ends[j]))
            for i in range(number)
            for j in range(i, min(number, i + self.max_answer_length))
        ]
        return sorted(found, key=lambda span: -span[0])[: self.number + 1]

    def plain(self, answers):
        """The columns of `serving_default`, of dicts of `answers`."""
        columns = {name: [] for name in ("answers", "starts", "ends", "scores")}
        for answer in answers:
            spans, no_answer = answer["spans"], answer["no_answer"]
            silent = not spans or (
                self.threshold is not None and no_answer - spans[0][-1] > self.threshold
            )
            start, end, text, score = (0, 0, "", no_answer) if silent else spans[0]
            values = (text, start, end, float(np.exp(score)))
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
        return columns | self._rest(answers)

    def ranked(self, answers):
        """The columns of `n_best`, of dicts of `answers`."""
        columns = {name: [] for name in ("answers", "starts", "ends", "scores")}
        for answer in answers:
            missing = [(0, 0, "", -np.inf)] * (self.number - len(answer["spans"]))
            starts, ends, texts, scores = zip(*answer["spans"], *missing, strict=True)
            values = (texts, starts, ends, np.exp(scores))
            for name, value in zip(columns, values, strict=True):
                columns[name].append(list(value))
        paths = [len(answer["spans"]) for answer in answers]
        return columns | {"paths": paths} | self._rest(answers)

    @staticmethod
    def _rest(answers):
        return {
            "no_answer_scores": [float(np.exp(answer["no_answer"])) for answer in answers],
            "truncated": [answer["truncated"] for answer in answers],
        }


def _too_close(one, other):
    """Whether float32 may rank two spans `(score, start, end)` either way."""
    return one[1:] != other[1:] and abs(one[0] - other[0]) < NEAR_TIE


def _log_softmax(logits):
    logits = np.asarray(logits, "float64")
    logits = logits - logits.max()
    return logits - np.log(np.exp(logits).sum())
