"""Client of a served model that answers questions about a text.

`python serving/question_client.py "Where does Anna fly to?<TAB>Anna flies to Oslo."`

Standard library only; to use it in another project, copy it together with client.py.
"""

import sys
from typing import NamedTuple

try:
    from serving.client import Client, checked_texts, first, located, program
except ModuleNotFoundError:  # run as a file, which lies beside client.py
    from client import Client, checked_texts, first, located, program


class Answer(NamedTuple):
    """A part of a context; `start`, `end` count bytes of UTF-8, the other two characters.

    `score` is its probability. The text is empty where the context has no answer.
    """

    text: str
    score: float
    start: int
    end: int
    char_start: int
    char_end: int


class Answered(NamedTuple):
    """A question with its answers, best first.

    `no_answer_score` is the probability that the context has none, and `truncated` says that the
    model did not see all of the question.
    """

    question: str
    context: str
    answers: list
    no_answer_score: float
    truncated: bool

    @property
    def text(self):
        """The best answer, empty where there is none."""
        return self.answers[0].text if self.answers else ""


class QuestionClient(Client):
    """Asks one model of one server; the arguments are those of `Client`."""

    def answer(self, pairs):
        """Answer questions.

        Args:
            pairs: List of `(question, context)`, both `str`.

        Returns:
            List of `Answered` with one answer, one a pair.

        Raises:
            ServingError: With a sentence that names the server and what it said.
            ValueError: A pair is none, or a text is no string or holds what UTF-8 cannot encode.
        """
        return self._ask_pairs("serving_default", pairs, _answered)

    def n_best(self, pairs):
        """Find the best answers: a list of `Answered`, one a pair. Raises as `answer`."""
        return self._ask_pairs("n_best", pairs, _ranked)

    def _ask_pairs(self, signature, pairs, read):
        pairs = [tuple(checked_texts(pair)) for pair in pairs]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError(
                f"`pairs` must each be a question and a context. Received: pairs={pairs}"
            )
        sides = [[pair[side] for pair in pairs] for side in (0, 1)]
        inputs = dict(zip(("question", "context"), sides, strict=True))
        return self.ask_all(signature, pairs, read, inputs)


def _located(context, text, score, start, end):
    """Return an answer of a context; its byte offsets must fall between characters."""
    _, before, after = located(context, start, end)
    return Answer(text, score, start, end, before, after)


def _rest(answer, index):
    return answer["no_answer_scores"][index], answer["truncated"][index]


def _answered(pair, answer, index):
    columns = (answer[name][index] for name in ("answers", "scores", "starts", "ends"))
    return Answered(*pair, [_located(pair[1], *columns)], *_rest(answer, index))


def _ranked(pair, answer, index):
    number = answer["paths"][index]
    names = ("answers", "scores", "starts", "ends")
    rows = zip(*(first(answer[name][index], number) for name in names), strict=True)
    answers = [_located(pair[1], *row) for row in rows]
    return Answered(*pair, answers, *_rest(answer, index))


def _ask_for(client, signature, lines):
    method = client.n_best if signature == "n_best" else client.answer
    return method([line.split("\t", 1) for line in lines])


def _shown(result):
    """A result as lines of text."""
    lines = [result.question]
    for answer in result.answers:
        place = f"characters {answer.char_start}-{answer.char_end}"
        lines.append(f"  {answer.text or '(no answer)'}  ({answer.score:.4f}, {place})")
    lines.append(f"  no answer: {result.no_answer_score:.4f}")
    cut = ["(cut: the model did not see all of the question)"] if result.truncated else []
    return "\n".join([*lines, *cut])


def main(argv=None):
    """Run the program and return its exit status."""
    return program(
        argv,
        QuestionClient,
        _ask_for,
        _shown,
        description="Ask a served model that answers questions about a text.",
        model="answerer",
        signatures=("serving_default", "answer", "n_best"),
        note="each text is a question and a context, a tab between them",
    )


if __name__ == "__main__":
    sys.exit(main())
