"""From prepared windows back to questions."""

from typing import NamedTuple

import numpy as np

from seqnlp.records.columns import OFFSET_COLUMNS
from seqnlp.records.manifest import read_manifest
from seqnlp.records.sentences import rows_of

_TEXTS = ("question_id", "question", "context", "answers")


class QuestionWindow(NamedTuple):
    """A part of a context that is read at a time.

    Fields:
        first_length: Number of ids before the first piece of the context.
        starts: Int array `(pieces,)`, the byte of the context that each piece begins with.
        ends: The same of the byte behind it.
    """

    first_length: int
    starts: np.ndarray
    ends: np.ndarray


class AskedQuestion(NamedTuple):
    """A question, what is right, and the windows of its context.

    Fields:
        id: `str`.
        question: `str`.
        context: `str`.
        answers: List of `str`, the right answers; empty where there is none.
        windows: List of `QuestionWindow`, in the order of the examples.
    """

    id: str
    question: str
    context: str
    answers: list
    windows: list


def read_questions(folder, split):
    """The questions of a split, in the order of the files.

    Their windows, one question after the other, are the rows of `question_batches` without a seed.
    For the eval and the test split the order is that of the files that were prepared.

    Args:
        folder: Folder that `prepare_question_answering` wrote.
        split: One of `SPLITS`.

    Yields:
        `AskedQuestion`.

    Raises:
        ValueError: As `read_manifest`, `read_tfrecord` and `read_parquet` raise it.
    """
    manifest = read_manifest(folder, verify=False, task="question_answering")
    columns = (*_TEXTS, "first_length", *OFFSET_COLUMNS)
    held = None
    for (name,), question, context, answers, (first_length,), *offsets in rows_of(
        manifest, split, *columns
    ):
        starts, ends = (np.array(bytes_, "int64") for bytes_ in offsets)
        if question:  # the first window of another question
            if held is not None:
                yield held
            held = AskedQuestion(name, *question, *context, list(answers), [])
        held.windows.append(QuestionWindow(first_length, starts, ends))
    if held is not None:
        yield held
