"""Reading questions about texts: every question of a file ends up in a record or in a reject."""

import json
from typing import NamedTuple

from seqnlp.preprocessing.files import ReadFiles
from seqnlp.preprocessing.formats import Fault, check_unicode, decode, shown
from seqnlp.preprocessing.rejects import Reject
from seqnlp.preprocessing.streams import DamagedFileError, pieces

_MAX_TEXT = 10_000  # characters of a question that a reject holds
_FORM = "an object with a list 'data' of articles"


class Question(NamedTuple):
    """A question about a text and its answers.

    Fields:
        id: `str`.
        question: `str`.
        context: `str`, the text.
        answers: Tuple of `(text, start)`, the right answers and the character of the context, from
            0, that each begins with; empty where the context has no answer.
        file: Path of the file as given.
        line: Number of the line that the id stands in, from 1.
        number: Number of the question in its file, from 0.
        is_first: Whether it is the first one of its context.
    """

    id: str
    question: str
    context: str
    answers: tuple
    file: str
    line: int
    number: int
    is_first: bool


class SquadReader:
    """Reads a file of questions in the form of SQuAD 1.1 or 2.0.

        {"data": [{"title": ..., "paragraphs": [{"context": ..., "qas": [
            {"id": ..., "question": ..., "answers": [{"text": ..., "answer_start": ...}],
             "is_impossible": false}]}]}]}

    Each answer must stand where it says, in characters (code points) of the context. Only a
    question that says `is_impossible` may be without answers.

    Reference: https://arxiv.org/abs/1606.05250, https://arxiv.org/abs/1806.03822
    """

    def read(self, stream, path):
        """Yields a `Question` or a `Reject` for every question.

        Args:
            stream: Object whose `read(size)` returns the bytes of the file.
            path: Path of the file as given; `.gz` and `.xz` are decompressed.
        """
        try:
            text = _decoded(b"".join(pieces(stream, path)))
            articles = _articles(text)
        except DamagedFileError as damage:
            yield Reject(path, 1, "damaged_file", damage.args[0], "")
            return
        except Fault as fault:
            yield Reject(path, fault.line, "not_squad", fault.reason, "")
            return
        reading = _Reading(path, text)
        for at, article in enumerate(articles):
            yield from reading.article(at, article)


class _Reading:
    """What is known of a file while its questions are read."""

    def __init__(self, path, text):
        self._path = path
        self._text = text
        self._seen = set()
        self._number = 0
        self._at, self._last_line = 0, 1  # how far ids were looked for

    def article(self, at, article):
        """Yields what the questions of an article are, or one `Reject` of all of it."""
        title = article.get("title") if isinstance(article, dict) else None
        where = f"article {shown(title) if isinstance(title, str) and title else at + 1}"
        try:
            paragraphs = _field(where, article, "paragraphs", list)
        except Fault as fault:
            yield self._reject(fault, "", article)
            return
        for number, paragraph in enumerate(paragraphs, 1):
            yield from self._paragraph(f"{where}, paragraph {number}", paragraph)

    def _paragraph(self, where, paragraph):
        try:
            context = _string(where, paragraph, "context")
            questions = _field(where, paragraph, "qas", list)
        except Fault as fault:
            yield self._reject(fault, "", paragraph)
            return
        is_first = True
        for number, asked in enumerate(questions, 1):
            name = asked.get("id") if isinstance(asked, dict) else None
            name = name if isinstance(name, str) else ""
            question = f"{where}, question {shown(name) if name else number}"
            try:
                found = self._question(question, context, asked)
            except Fault as fault:
                yield self._reject(fault, name, asked)
                continue
            yield found._replace(line=self._line(name), is_first=is_first)
            self._number, is_first = self._number + 1, False

    def _question(self, where, context, asked):
        name, question = (_string(where, asked, field) for field in ("id", "question"))
        if name in self._seen:
            raise Fault(
                1,
                "duplicate_id",
                f"{where}, field 'id': expected one of its own, "
                "received that of an earlier question",
            )
        self._seen.add(name)
        answers = _answers(where, context, asked)
        return Question(name, question, context, answers, self._path, 1, self._number, False)

    def _reject(self, fault, name, record):
        text = json.dumps(record, ensure_ascii=False)[:_MAX_TEXT]
        return Reject(self._path, self._line(name), fault.kind, fault.reason, text)

    def _line(self, name):
        """The line that an id stands in; ids are looked for in their order, from the last on."""
        for spelled in (json.dumps(name, ensure_ascii=False), json.dumps(name)) if name else ():
            at = self._text.find(spelled, self._at)
            if at >= 0:
                self._last_line += self._text.count("\n", self._at, at)
                self._at = at + len(spelled)
                break
        return self._last_line


def _decoded(data):
    data = data.removeprefix(b"\xef\xbb\xbf")

    def place(position):
        before = data[:position]
        return before.count(b"\n") + 1, position - before.rfind(b"\n")

    return decode(data, place)


def _articles(text):
    """The list of the articles of a file; raises a `Fault`."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(text.rstrip())
        received = "the end of the file" if at_end else shown(text[error.pos : error.pos + 50])
        raise Fault(
            error.lineno,
            "json",
            f"column {error.colno}: expected JSON ({error.msg}), received {received}",
        ) from None
    except (ValueError, RecursionError) as error:  # huge numbers, deep nesting
        raise Fault(
            1, "json", f"file: expected JSON, received what cannot be read ({error})"
        ) from None
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        raise Fault(1, "json", f"file: expected {_FORM}, received {_shown(found)}")
    return found["data"]


_NAMES = {list: "a list", str: "a string", int: "a whole number", bool: "true or false"}


def _field(where, record, name, kind):
    """A field of a record, of a kind; raises a `Fault`."""
    if not isinstance(record, dict):
        raise Fault(1, "json", f"{where}: expected an object, received {_shown(record)}")
    if name not in record:
        fields = ", ".join(map(repr, record))
        received = f"{fields} only" if fields else "no field"
        raise Fault(
            1, "json", f"{where}, field '{name}': expected {_NAMES[kind]}, received {received}"
        )
    value = record[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Fault(
            1,
            "json",
            f"{where}, field '{name}': expected {_NAMES[kind]}, received {_shown(value)}",
        )
    return value


def _string(where, record, name):
    """A field that is text; raises a `Fault`."""
    text = _field(where, record, name, str)
    place = f"{where}, field '{name}'"
    if not text.strip():
        raise Fault(1, f"empty_{name}", f"{place}: expected text, received {text[:20]!r}")
    if "\0" in text:
        raise Fault(1, "nul_byte", f"{place}: expected text, received a NUL character")
    check_unicode(1, place, text)
    return text


def _answers(where, context, asked):
    """`(text, start)` of the answers of a question; raises a `Fault`."""
    impossible = "is_impossible" in asked and _field(where, asked, "is_impossible", bool)
    given = [] if impossible and "answers" not in asked else _field(where, asked, "answers", list)
    if impossible and given:
        raise Fault(
            1,
            "answers",
            f"{where}, field 'answers': expected none, as 'is_impossible' is true, "
            f"received {len(given)}",
        )
    if not given and not impossible:
        raise Fault(
            1,
            "no_answer",
            f"{where}, field 'answers': expected an answer, or 'is_impossible' to be true, "
            "received neither",
        )
    return tuple(_answer(f"{where}, answer {at}", context, x) for at, x in enumerate(given, 1))


def _answer(where, context, answer):
    text, start = _string(where, answer, "text"), _field(where, answer, "answer_start", int)
    found = context[start : start + len(text)] if start >= 0 else ""
    if found != text:
        raise Fault(
            1,
            "misplaced_answer",
            f"{where}, field 'answer_start': expected the place of {shown(text)} in the context, "
            f"received {start}, where {shown(found) if found else 'nothing'} stands",
        )
    return text, start


def _shown(value):
    return shown(json.dumps(value, ensure_ascii=False))


class ReadQuestions(ReadFiles):
    """Reads files of questions, one work item a file.

    Args:
        files: List of paths on any file system of Beam.
        reader: A `SquadReader`.

    Returns:
        Dict of PCollections: `questions` of `Question`, `rejects` of `Reject` and `inputs` of
        dicts with the name, size and SHA-256 of each file.
    """

    def __init__(self, files, reader):
        super().__init__([(file,) for file in files], reader.read, "questions")
