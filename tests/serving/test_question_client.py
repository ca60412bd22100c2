import json
import pathlib

import pytest

from serving import client_check, question_client
from serving.client import ServingError
from serving.question_client import Answer, Answered, QuestionClient
from tests.messages import exactly
from tests.serving.hand_made_export import case_maker, served

PAIRS = [
    ("Where?", "서울 has Ünal 👩‍👩‍👧"),
    ("Who was it?", "Anna"),
    ("", ""),
]

folder, double, client, run, _ = served("hand_made_answerer", "answerer", QuestionClient)


@pytest.fixture(scope="module")
def cases(folder):
    """Requests and what the export answers, asked of the loaded functions themselves."""
    case, names = case_maker(folder), ("serving_default", "n_best")
    questions, contexts = map(list, zip(*PAIRS, strict=True))
    columns = {"question": questions, "context": contexts}, {"question": [], "context": []}
    return [case(name, **inputs) for name in names for inputs in columns]


def test_an_answer_stands_at_bytes_and_characters(client):
    found = client.answer(PAIRS)
    assert found[0] == Answered(*PAIRS[0], [Answer("서울", 0.75, 0, 6, 0, 2)], 0.25, False)
    assert [answered.text for answered in found] == ["서울", "Anna", ""]
    assert [answered.truncated for answered in found] == [False, True, False]


def test_n_best_are_as_many_as_there_are(client):
    found = client.n_best(PAIRS)
    assert [[answer.text for answer in x.answers] for x in found] == [
        ["서울", "has"],
        ["Anna"],
        [],
    ]
    assert found[0].answers[1] == Answer("has", 0.25, 7, 10, 3, 6)
    assert found[2].text == ""


def test_no_pairs_have_no_answers(client):
    assert client.answer([]) == client.n_best([]) == []


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            [("a", "b", "c")],
            "`pairs` must each be a question and a context. Received: pairs=[('a', 'b', 'c')]",
        ),
        ([("a", 1)], "`texts` must hold strings. Received: texts with 1"),
    ],
)
def test_what_is_no_pair_is_refused(client, pairs, message):
    with pytest.raises(ValueError, match=exactly(message)):
        client.answer(pairs)


def test_bytes_outside_of_the_context_are_an_answer_that_cannot_be_read(client, monkeypatch):
    wrong = {"answers": ["a"], "scores": [1.0], "starts": [0], "ends": [9]}
    wrong |= {"no_answer_scores": [0.0], "truncated": [False]}
    monkeypatch.setattr(client, "predict", lambda *_: wrong)
    with pytest.raises(ServingError, match="bytes 0 to 9 are outside a text of 1 bytes"):
        client.answer([("q", "a")])


def test_the_check_compares_what_the_client_makes_of_answers(double, cases):
    place = {"host": "127.0.0.1", "port": double.rest_port, "model_name": "answerer"}
    assert [wrong for _, wrong in client_check.differences(place, cases)] == [None] * 4
    broken = [{**cases[2], "outputs": {**cases[2]["outputs"], "starts": [[1, 7], [0, 0], [0, 0]]}}]
    ((_, wrong),) = client_check.differences(place, broken)
    assert "starts" in wrong


def test_the_check_asks_as_a_person_would(cases):
    program, words = client_check.command(1, "answerer", cases)
    assert program == "serving/question_client.py"
    assert words[-3:] == ["--signature", "n_best", "Where?\t서울 has Ünal 👩‍👩‍👧"]


def test_it_runs_with_two_files_and_nothing_else(run):
    done = run("Where?\tIn Oslo")
    assert done.stdout == "Where?\n  In  (0.7500, characters 0-2)\n  no answer: 0.2500\n", done


def test_the_program_writes_json(run):
    done = run("--signature", "n_best", "--json", stdin="Who was it?\tAnna\n")
    answer = {"text": "Anna", "score": 0.75, "start": 0, "end": 4, "char_start": 0, "char_end": 4}
    assert json.loads(done.stdout) == {
        "question": "Who was it?",
        "context": "Anna",
        "answers": [answer],
        "no_answer_score": 0.25,
        "truncated": True,
    }


def test_a_text_without_a_tab_is_an_error_in_a_sentence(run):
    done = run("Where?")
    assert done.returncode == 1
    assert done.stderr == (
        "client: `pairs` must each be a question and a context. Received: pairs=[('Where?',)]\n"
    )


def test_its_model_is_named_as_the_pipeline_names_it():
    from pipelines import question_answering

    name = question_answering.arguments().get_default("name")
    source = pathlib.Path(question_client.__file__).read_text(encoding="utf-8")
    assert f'model="{name}"' in source
