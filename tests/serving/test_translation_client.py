import json
import shutil

import pytest

from serving import translation_client
from serving.check import NOT_RUN, check_export
from serving.client import ServingError
from serving.translation_client import Hypothesis, TranslationClient
from tests.serving.hand_made_export import case_maker, served

TEXTS = ["the blue House", "", " \t", "서울 Ünal 👩‍👩‍👧", "a b c d e f g"]

folder, double, client, run, difference = served(
    "hand_made_translator", "translator", TranslationClient
)


@pytest.fixture(scope="module")
def cases(folder):
    """Requests and what the export answers, asked of the loaded functions themselves."""
    case = case_maker(folder)
    pairs = {"source": TEXTS, "target": TEXTS[::-1]}
    return [
        *(
            case(name, text=texts)
            for name in ("serving_default", "n_best")
            for texts in (TEXTS, [])
        ),
        case("score", **pairs),
        case("n_best", text=["a", {"b64": "QmVybGlu"}]),
    ]


def test_translations_come_with_their_score(client):
    first, *_, last = client.translate(TEXTS)
    assert first == ("the blue House", "THE BLUE HOUSE", -2.0, True, False)
    assert (last.text, last.finished, last.truncated) == ("A B C D E F", False, True)


def test_no_texts_have_no_translations(client):
    assert client.translate([]) == []
    assert client.score([]) == []


def test_the_best_translations_come_in_turn_with_pieces_and_alignment(client):
    (ranked,) = client.n_best(["blue House"])
    assert ranked.pieces == ["blue", "House", "</s>"]
    alignment = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert ranked.hypotheses == [
        Hypothesis("BLUE HOUSE", -1.5, True, ["BLUE", "HOUSE"], alignment),
        Hypothesis("blue house", -2.5, True, ["blue", "house"], alignment),
    ]


def test_filling_is_left_out(client):
    empty, one = client.n_best(["", "Two words"])
    assert empty.hypotheses == [Hypothesis("", -0.5, True, [], [])]
    assert empty.pieces == ["</s>"]
    assert [len(hypothesis.pieces) for hypothesis in one.hypotheses] == [2, 2]


def test_scores_of_given_translations(client):
    one, two = client.score([("a", "x y"), ("b", "z")])
    assert one == ("a", "x y", -1.5, ["x", "y", "</s>"], [-0.5, -0.5, -0.5], False)
    assert (two.pieces, two.log_probability) == (["z", "</s>"], -1.0)


@pytest.mark.parametrize("pairs", [[("a",)], [("a", "b", "c")]])
def test_what_is_no_pair_is_refused(client, pairs):
    with pytest.raises(ValueError, match="`pairs` must each be a source and a target. Received"):
        client.score(pairs)


def test_what_is_no_text_is_refused(client):
    for ask in (client.translate, client.n_best, lambda texts: client.score([texts * 2])):
        with pytest.raises(ValueError, match="`texts` must hold strings. Received: texts with 1"):
            ask([1])


def test_an_answer_that_is_not_whole_is_refused(monkeypatch):
    answer = {"truncated": [False], "source_lengths": [2], "source_pieces": [["a"]], "paths": [0]}
    client = TranslationClient("nowhere", 1, "translator")
    monkeypatch.setattr(client, "_exchange", lambda *_: (200, json.dumps({"outputs": answer})))
    monkeypatch.setattr(client, "_ask", lambda *_: {"outputs": answer})
    with pytest.raises(ServingError, match="ValueError: 1 items where 2 are announced"):
        client.n_best(["a"])


def test_the_command_prints_translations(run):
    done = run(stdin="blue\na b c d e f g\n")
    assert done.stdout.splitlines() == [
        "blue",
        "  BLUE  (-1.0000)",
        "a b c d e f g",
        "  A B C D E F  (-3.5000, stopped at the longest length)",
        "(cut: the model did not see all of it)",
    ]


def test_the_command_prints_the_best_and_the_scores(run):
    done = run("--signature", "n_best", "blue")
    assert done.stdout.splitlines() == ["blue", "  BLUE  (-1.0000)", "  blue  (-2.0000)"]
    done = run("--signature", "score", "blue\tblau")
    assert done.stdout.splitlines() == [
        "blue",
        "  blau  (-1.0000)",
        "  blau 0.6065 </s> 0.6065",
    ]


def test_the_command_writes_a_line_of_json_a_text(run):
    done = run("--json", "blue")
    assert json.loads(done.stdout) == {
        "source": "blue",
        "text": "BLUE",
        "score": -1.0,
        "finished": True,
        "truncated": False,
    }


def test_the_command_says_in_a_sentence_what_is_wrong(run):
    done = run("--signature", "score", "no tab")
    assert done.returncode == 1
    assert done.stderr.startswith("client: `pairs` must each be a source and a target.")
    assert translation_client.main(["--port", "1", "a"]) == 1


def test_a_good_export_passes_every_check(folder, cases, tmp_path, capsys):
    shutil.copytree(folder, tmp_path / "1")
    report = check_export(tmp_path / "1", "translator", cases, python220="/nowhere/python")
    assert report["client"] == f"{len(cases)} requests agree"
    assert report["gRPC"] == f"{len(cases)} requests agree"
    assert report["conformance over REST"].endswith(" items passed")
    assert report["tensorflow 2.20"] == NOT_RUN
    *_, asked, source, best, second = capsys.readouterr().out.splitlines()
    assert asked.startswith("$ python serving/translation_client.py --port ")
    assert asked.endswith("--model translator --signature n_best 'the blue House'")
    assert (source, best) == ("the blue House", "  THE BLUE HOUSE  (-2.0000)")
    assert second == "  the blue house  (-3.0000)"


@pytest.mark.parametrize(
    ("signature", "name", "place", "message"),
    [
        ("serving_default", "translations", [0], ".translations[0] is 'THE BLUE HOUSE'"),
        ("n_best", "pieces", [0, 1, 2], "[1][3][2] is 'house'"),
        ("n_best", "alignments", [0, 0, 0, 0], "[0][4][0][0] is 1.0"),
        ("score", "pieces", [0, 1], ".pieces[0][1] is 'b'"),
    ],
)
def test_another_answer_is_found(cases, difference, signature, name, place, message):
    found = difference(cases, signature, name, place)
    assert found == f"the client's answer{message}, expected 'wrong'"
