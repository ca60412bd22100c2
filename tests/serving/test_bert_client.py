import json
import shutil

import pytest

from serving import bert_client
from serving.bert_client import BERTClient, Filled
from serving.check import NOT_RUN, check_export
from serving.client import ServingError
from tests.serving.hand_made_export import case_maker, served

TEXTS = [
    "the [MASK] House",
    "",
    " \t",
    "서울 [MASK] Ünal [MASK]",
    "[MASK] [MASK] [MASK]",
    "x" * 101,
]

folder, double, client, run, difference = served("hand_made_bert", "bert", BERTClient)


@pytest.fixture(scope="module")
def cases(folder):
    """Requests and what the export answers, asked of the loaded functions themselves."""
    case = case_maker(folder)
    names = ("serving_default", "embeddings", "fill_mask")
    return [
        *(case(name, text=texts) for name in names for texts in (TEXTS, [])),
        case("next_sentence", text=TEXTS, text_pair=TEXTS[::-1]),
        case("next_sentence", text=[], text_pair=[]),
        case("fill_mask", text=["a", {"b64": "QmVybGlu"}]),
    ]


def test_gaps_come_filled_with_their_guesses(client):
    guesses = [("blue", 0.75), ("red", 0.25)]
    first, empty, _, two, three, _ = client.fill_mask(TEXTS)
    assert first == Filled("the [MASK] House", "the blue House", [guesses], False)
    assert empty == Filled("", "", [], False)
    assert (two.text, two.guesses) == ("서울 blue Ünal blue", [guesses] * 2)
    assert (three.text, three.truncated) == ("blue blue [MASK]", True)
    assert three.guesses == [guesses] * 2


def test_texts_become_vectors(client):
    short, long = client.embeddings(["four", "x" * 101])
    assert short == ("four", [4.0, -4.0], [2.0, 0.75], False)
    assert (long.pooled, long.truncated) == ([101.0, -101.0], True)


def test_pairs_have_the_probability_that_they_follow(client):
    one, two = client.next_sentence([("a", "b"), ("a", "a")])
    assert one == ("a", "b", 0.75, False)
    assert two.follows == 0.25


def test_nothing_has_no_answers(client):
    assert client.fill_mask([]) == client.embeddings([]) == client.next_sentence([]) == []


@pytest.mark.parametrize("pairs", [[("a",)], [("a", "b", "c")]])
def test_what_is_no_pair_is_refused(client, pairs):
    with pytest.raises(ValueError, match="^`pairs` must each be two texts. Received: pairs="):
        client.next_sentence(pairs)


def test_what_is_no_text_is_refused(client):
    for ask in (client.fill_mask, client.embeddings, lambda x: client.next_sentence([x * 2])):
        with pytest.raises(
            ValueError, match="^`texts` must hold strings. Received: texts with 1$"
        ):
            ask([1])


def test_an_answer_that_is_not_whole_is_refused(monkeypatch):
    answer = {"truncated": [False], "lengths": [2], "pieces": [[["a"]]], "scores": [[[1.0]]]}
    client = BERTClient("nowhere", 1, "bert")
    monkeypatch.setattr(client, "_ask", lambda *_: {"outputs": {**answer, "filled": ["a"]}})
    with pytest.raises(ServingError, match="ValueError: 1 items where 2 are announced"):
        client.fill_mask(["[MASK]"])


def test_the_command_prints_what_fills_the_gaps(run):
    done = run(stdin="a [MASK]\n[MASK] [MASK] [MASK]\n")
    assert done.stdout.splitlines() == [
        "a [MASK]",
        "  a blue",
        "  blue 0.7500, red 0.2500",
        "[MASK] [MASK] [MASK]",
        "  blue blue [MASK]",
        "  blue 0.7500, red 0.2500",
        "  blue 0.7500, red 0.2500",
        "(cut: the model did not see all of it)",
    ]


@pytest.mark.parametrize("signature", ["embeddings", "serving_default"])
def test_the_command_prints_the_beginning_of_vectors(run, signature):
    done = run("--signature", signature, "four")
    assert done.stdout.splitlines() == [
        "four",
        "  pooled (2 numbers) 4.0000 -4.0000",
        "  mean (2 numbers) 2.0000 0.7500",
    ]


def test_the_command_prints_whether_texts_follow(run):
    done = run("--signature", "next_sentence", "a\tb")
    assert done.stdout.splitlines() == ["a", "b", "  follows with probability 0.7500"]


def test_the_command_writes_a_line_of_json_a_text(run):
    done = run("--json", "a [MASK]")
    assert json.loads(done.stdout) == {
        "source": "a [MASK]",
        "text": "a blue",
        "guesses": [[["blue", 0.75], ["red", 0.25]]],
        "truncated": False,
    }


def test_the_command_says_in_a_sentence_what_is_wrong(run):
    done = run("--signature", "next_sentence", "no tab")
    assert done.returncode == 1
    assert done.stderr == (
        "client: `pairs` must each be two texts. Received: pairs=[('no tab',)]\n"
    )
    assert bert_client.main(["--port", "1", "a"]) == 1


def test_a_good_export_passes_every_check(folder, cases, tmp_path, capsys):
    shutil.copytree(folder, tmp_path / "1")
    report = check_export(tmp_path / "1", "bert", cases, python220="/nowhere/python")
    assert report["client"] == f"{len(cases)} requests agree"
    assert report["gRPC"] == f"{len(cases)} requests agree"
    assert report["conformance over REST"].endswith(" items passed")
    assert report["tensorflow 2.20"] == NOT_RUN
    *_, asked, source, filled, guesses = capsys.readouterr().out.splitlines()
    assert asked.startswith("$ python serving/bert_client.py --port ")
    assert asked.endswith("--model bert --signature fill_mask 'the [MASK] House'")
    assert (source, filled) == ("the [MASK] House", "  the blue House")
    assert guesses == "  blue 0.7500, red 0.2500"


@pytest.mark.parametrize(
    ("signature", "name", "place", "message"),
    [
        ("serving_default", "pooled", [0, 0], ".pooled[0][0] is 16.0"),
        ("embeddings", "mean", [0, 1], ".mean[0][1] is 0.75"),
        ("fill_mask", "filled", [0], ".filled[0] is 'the blue House'"),
        ("fill_mask", "pieces", [3, 1, 1], ".pieces[3][1][1] is 'red'"),
        ("next_sentence", "follows", [0], ".follows[0] is 0.75"),
    ],
)
def test_another_answer_is_found(cases, difference, signature, name, place, message):
    found = difference(cases, signature, name, place)
    assert found == f"the client's answer{message}, expected 'wrong'"
