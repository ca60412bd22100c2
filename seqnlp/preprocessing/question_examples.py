"""From questions to the rows of their examples, the windows of their contexts."""

import json
import struct

import numpy as np

from seqnlp.preprocessing.groups import FIELD, PART, EncodeGroups
from seqnlp.records import ROWS
from seqnlp.records.columns import QUESTION_COLUMNS
from seqnlp.text.names import UNKNOWN_ID


def content_of(question, file):
    """What `EncodeQuestions` takes of a `Question`, of the file of a number."""
    rest = json.dumps([question.id, question.answers])
    place = f"{file} {question.number}"
    return PART.join([FIELD.join([question.question, question.context]), rest, place])


class EncodeQuestions(EncodeGroups):
    """Questions to examples, a row a window, see `EncodeGroups`.

    The label of a window is the first answer, where the whole of it is in the window, else the
    first token. Examples of the other splits than training are in the order of their files.

    Args:
        options: Dict with what `EncodeGroups` needs and `output_format` (whose rows are made).
    """

    def make_encoder(self, config):
        """A `QuestionEncoder`."""
        return QuestionEncoder(config, self.options["output_format"])

    def key(self, split, content, occurrences):
        """That of the content in training, the place elsewhere, see `EncodeGroups`."""
        content, _, place = content.rpartition(PART.encode())
        if split == "train":
            return super().key(split, content, occurrences)
        return struct.pack(">QQ", *map(int, place.split()))

    def encode(self, records, counts):
        """Yields lists of rows, see `EncodeGroups`."""
        parsed = [_parsed(content) for _, content in records]
        encoded = [None] * len(records)
        if self.encoder is not None:
            encoded = self.encoder.encode(parsed)
        for (split, _), question, found in zip(records, parsed, encoded, strict=True):
            totals = counts[split]["totals"]
            totals["questions"] += 1
            totals["without_answer"] += not question["answers"]
            if found is None:
                yield None
                continue
            rows, lengths, counted = found
            totals.update(counted)
            counts[split]["lengths"].update(lengths)
            yield rows


def _parsed(content):
    texts, rest, _ = content.decode().split(PART)
    question, context = texts.split(FIELD)
    name, answers = json.loads(rest)
    return {"id": name, "question": question, "context": context, "answers": answers}


class QuestionEncoder:
    """Makes the rows of examples.

    Args:
        config: Config of a `QuestionText`.
        output_format: One of `seqnlp.records.ROWS`.
    """

    def __init__(self, config, output_format):
        from seqnlp.text import QuestionText

        self._rows = ROWS[output_format]
        self._text = QuestionText.from_config(config)
        self._integers = _Integers(self._rows.integer)

    def encode(self, questions):
        """Dicts of questions -> list of `(rows, lengths, counts)`: of windows, and of ids."""
        windows = self._windows(questions)
        found = []
        for question, own in zip(questions, windows, strict=True):
            places, counts = label_windows(question["context"], question["answers"], own)
            lengths = [len(window["token_ids"]) for window in own]
            ids = np.concatenate([window["token_ids"] for window in own])
            counts |= {
                "windows": len(own),
                "questions_cut": int(own[0]["truncated"]),
                "pieces": len(ids),
                "unknown": int((ids == UNKNOWN_ID).sum()),
            }
            pairs = enumerate(zip(own, places, strict=True))
            rows = [self._row(at, window, place, question) for at, (window, place) in pairs]
            found.append((rows, lengths, counts))
        return found

    def _windows(self, questions):
        """List of lists of dicts of arrays, the windows of each question."""
        import tensorflow as tf

        texts = (tf.constant([q[name] for q in questions]) for name in ("question", "context"))
        made = self._text.windows(*texts)
        ragged = {name: _arrays(made[name]) for name in ("token_ids", "starts", "ends")}
        first_length, truncated = made["first_length"].numpy(), made["truncated"].numpy()
        found = [[] for _ in questions]
        for at, row in enumerate(made["rows"].numpy()):
            window = {name: arrays[at] for name, arrays in ragged.items()}
            window |= {"first_length": int(first_length[at]), "truncated": truncated[row]}
            found[row].append(window)
        return found

    def _row(self, at, window, place, question):
        texts = dict.fromkeys(("question", "context", "answers"), ())
        if at == 0:
            texts = {name: [question[name]] for name in ("question", "context")}
            texts["answers"] = [text for text, _ in question["answers"]]
        columns = {
            "token_ids": window["token_ids"].tolist(),
            "first_length": [window["first_length"]],
            "start": [place[0]],
            "end": [place[1]],
            "piece_starts": window["starts"].tolist(),
            "piece_ends": window["ends"].tolist(),
            "window": [at],
        }
        integers = {name: [self._integers[x] for x in xs] for name, xs in columns.items()}
        texts = {"question_id": [question["id"]], **texts}
        texts = {name: [self._rows.text(x.encode()) for x in xs] for name, xs in texts.items()}
        cells = integers | texts
        return self._rows.row({name: cells[name] for name in QUESTION_COLUMNS})


class _Integers(dict):
    """The bytes of an integer in a row, made once each."""

    def __init__(self, make):
        super().__init__()
        self._make = make

    def __missing__(self, value):
        self[value] = self._make(value)
        return self[value]


def label_windows(context, answers, windows):
    """Where the first answer stands in each window.

    An answer that begins or ends within a piece has the pieces that hold it.

    Args:
        context: `str`.
        answers: List of `(text, start)`.
        windows: List of dicts with `starts` and `ends`, the bytes of pieces, and `first_length`.

    Returns:
        List of `(start, end)`, places of tokens in the window, 0 and 0 where the window does not
        hold all of the answer; and counts of what is not as one would wish.
    """
    nowhere = [(0, 0)] * len(windows)
    if not answers:
        return nowhere, {}
    text, start = answers[0]
    begin = len(context[:start].encode())
    end = begin + len(text.encode())
    inside = [np.flatnonzero((w["ends"] > begin) & (w["starts"] < end)) for w in windows]
    held = [(w, at) for w, at in zip(windows, inside, strict=True) if len(at)]
    if not held:
        return nowhere, {"answers_without_pieces": 1}
    first = min(int(w["starts"][at[0]]) for w, at in held)
    last = max(int(w["ends"][at[-1]]) for w, at in held)
    places = [
        (w["first_length"] + int(at[0]), w["first_length"] + int(at[-1]))
        if len(at) and (w["starts"][at[0]], w["ends"][at[-1]]) == (first, last)
        else (0, 0)
        for w, at in zip(windows, inside, strict=True)
    ]
    counts = {
        "answers_within_pieces": int((first, last) != (begin, end)),
        "answers_in_no_window": int(not any(place[1] for place in places)),
    }
    return places, counts


def _arrays(ragged):
    return np.split(ragged.values.numpy(), ragged.row_splits.numpy()[1:-1])
