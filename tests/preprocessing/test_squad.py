"""Questions in the form of SQuAD: what is read, and every reason not to."""

import gzip
import io
import json
import lzma

import pytest

from seqnlp.preprocessing import Question, Reject, SquadReader

CONTEXT = "Ünal lives in 서울. The café is 👍."


def answer(text, start=None):
    return {"text": text, "answer_start": CONTEXT.find(text) if start is None else start}


def asked(**changes):
    whole = {"id": "q1", "question": "Where?", "answers": [answer("서울")]}
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def document(*questions, context=CONTEXT, title="Cities"):
    paragraph = {"context": context, "qas": list(questions)}
    return {"data": [{"title": title, "paragraphs": [paragraph]}]}


def read(data, path="f.json"):
    if not isinstance(data, bytes):
        data = (data if isinstance(data, str) else json.dumps(data, indent=1)).encode()
    return list(SquadReader().read(io.BytesIO(data), path))


def test_a_question_keeps_its_answers_and_their_places():
    answers = [answer("서울"), answer("in 서울")]
    (found,) = read(document(asked(answers=answers)))
    places = (("서울", CONTEXT.index("서울")), ("in 서울", CONTEXT.index("in 서울")))
    assert found == Question("q1", "Where?", CONTEXT, places, "f.json", 10, 0, True)


def test_places_are_counted_in_code_points():
    (found,) = read(document(asked(answers=[answer("👍", 30)])))
    assert found.answers == (("👍", 30),)


def test_a_question_that_is_impossible_has_no_answers():
    found = read(
        document(
            asked(id="a", answers=[], is_impossible=True),
            asked(id="b", answers=..., is_impossible=True, plausible_answers=[answer("서울")]),
        )
    )
    assert [question.answers for question in found] == [(), ()]


def test_questions_are_numbered_and_the_first_of_a_context_is_told():
    data = document(asked(id="a"), asked(id="b"))
    data["data"] += document(asked(id="c"))["data"]
    found = [(question.number, question.is_first) for question in read(data)]
    assert found == [(0, True), (1, False), (2, True)]


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed_files_are_read(ending, pack):
    data = pack(json.dumps(document(asked())).encode())
    assert len(read(data, f"f.json{ending}")) == 1


def test_a_byte_order_mark_is_left_out():
    assert len(read(b"\xef\xbb\xbf" + json.dumps(document(asked())).encode())) == 1


PLACE = "article 'Cities', paragraph 1, question 'q1'"
FAULTS = {
    "wrong place": (
        asked(answers=[answer("서울", 3)]),
        "misplaced_answer",
        f"{PLACE}, answer 1, field 'answer_start': expected the place of '서울' in the context, "
        "received 3, where 'l ' stands",
    ),
    "a context without the answer": (
        asked(answers=[answer("서울"), answer("Busan", 500)]),
        "misplaced_answer",
        f"{PLACE}, answer 2, field 'answer_start': expected the place of 'Busan' in the context, "
        "received 500, where nothing stands",
    ),
    "a negative place": (
        asked(answers=[answer("서울", -7)]),
        "misplaced_answer",
        f"{PLACE}, answer 1, field 'answer_start': expected the place of '서울' in the context, "
        "received -7, where nothing stands",
    ),
    "an empty question": (
        asked(question=" \n"),
        "empty_question",
        f"{PLACE}, field 'question': expected text, received ' \\n'",
    ),
    "an empty answer": (
        asked(answers=[answer("")]),
        "empty_text",
        f"{PLACE}, answer 1, field 'text': expected text, received ''",
    ),
    "a place that is text": (
        asked(answers=[answer("서울", "14")]),
        "json",
        f"{PLACE}, answer 1, field 'answer_start': expected a whole number, received '\"14\"'",
    ),
    "a place that is true": (
        asked(answers=[answer("서울", True)]),
        "json",
        f"{PLACE}, answer 1, field 'answer_start': expected a whole number, received 'true'",
    ),
    "no answers": (
        asked(answers=...),
        "json",
        f"{PLACE}, field 'answers': expected a list, received 'id', 'question' only",
    ),
    "an empty list of answers": (
        asked(answers=[]),
        "no_answer",
        f"{PLACE}, field 'answers': expected an answer, or 'is_impossible' to be true, "
        "received neither",
    ),
    "an answer to what is impossible": (
        asked(is_impossible=True),
        "answers",
        f"{PLACE}, field 'answers': expected none, as 'is_impossible' is true, received 1",
    ),
    "an impossibility that is text": (
        asked(is_impossible="no"),
        "json",
        f"{PLACE}, field 'is_impossible': expected true or false, received '\"no\"'",
    ),
    "a number as id": (
        asked(id=7),
        "json",
        "article 'Cities', paragraph 1, question 2, field 'id': expected a string, received '7'",
    ),
    "a NUL": (
        asked(question="a\0b"),
        "nul_byte",
        f"{PLACE}, field 'question': expected text, received a NUL character",
    ),
    "a surrogate": (
        asked(question="a\ud800b"),
        "not_utf8",
        f"{PLACE}, field 'question': expected Unicode text, received the lone surrogate U+D800",
    ),
    "no object": (
        "what?",
        "json",
        "article 'Cities', paragraph 1, question 2: expected an object, received '\"what?\"'",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_question_that_cannot_be_used_is_a_reject(name):
    question, kind, reason = FAULTS[name]
    good = asked(id="good")
    found = read(document(good, question))
    assert isinstance(found[0], Question)
    assert found[1][2:4] == (kind, reason)


def test_an_id_that_was_there_before_is_a_reject():
    found = read(document(asked(), asked()))
    assert isinstance(found[0], Question)
    assert found[1] == Reject(
        "f.json",
        20,
        "duplicate_id",
        f"{PLACE}, field 'id': expected one of its own, received that of an earlier question",
        json.dumps(asked(), ensure_ascii=False),
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            document(asked(), context=""),
            "article 'Cities', paragraph 1, field 'context': expected text, received ''",
        ),
        (
            document(asked(), title=None) | {"data": [{"title": 3}]},
            "article 1, field 'paragraphs': expected a list, received 'title' only",
        ),
        ({"data": [[]]}, "article 1: expected an object, received '[]'"),
    ],
)
def test_an_article_or_paragraph_that_cannot_be_used_is_one_reject(data, reason):
    (reject,) = read(data)
    assert reject.reason == reason


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (
            '{"data": [\n  oops]}',
            2,
            "column 3: expected JSON (Expecting value), received 'oops]}'",
        ),
        (
            '{"data": [',
            1,
            "column 11: expected JSON (Expecting value), received the end of the file",
        ),
        (
            "[1, 2]",
            1,
            "file: expected an object with a list 'data' of articles, received '[1, 2]'",
        ),
        (b'{"data":\n "caf\xe9"}', 2, "byte 6 of the line: expected UTF-8, received 0xE9"),
    ],
)
def test_a_file_in_another_form_is_refused_with_line_and_column(data, line, reason):
    assert read(data) == [Reject("f.json", line, "not_squad", reason, "")]


def test_a_damaged_file_is_told():
    data = gzip.compress(json.dumps(document(asked())).encode())[:-20]
    (reject,) = read(data, "f.json.gz")
    assert (reject.kind, reject.line) == ("damaged_file", 1)
    assert reject.reason.startswith("gzip data: expected the end of the stream, received the end")
