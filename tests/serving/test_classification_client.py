import json
import shutil

import pytest

from serving import classification_client
from serving.check import NOT_RUN, check_export
from serving.classification_client import ClassificationClient, Labelled, Valued
from serving.client import ServingError
from serving.double_process import running_double
from tests.serving.hand_made_export import case_maker, served

TEXTS = ["the blue House", "", "서울 Ünal 👩‍👩‍👧", "a b c d e f g"]

folder, double, client, run, difference = served(
    "hand_made_classifier", "classifier", ClassificationClient
)


@pytest.fixture(scope="module")
def comparing(tmp_path_factory):
    import hand_made_classifier

    folder = tmp_path_factory.mktemp("models") / "similarity" / "1"
    hand_made_classifier.save_comparing(folder)
    return folder


@pytest.fixture(scope="module")
def cases(folder):
    case, names = case_maker(folder), ("serving_default", "embeddings")
    return [
        *(case(name, text=texts) for name in names for texts in (TEXTS, TEXTS[:1])),
        case("serving_default", text=["a", {"b64": "QmVybGlu"}]),
    ]


def test_labels_come_with_the_probability_of_each(client):
    first, *_, last = client.classify(TEXTS)
    scores = {"long": pytest.approx(0.3), "short": pytest.approx(0.7)}
    assert first == Labelled(("the blue House",), "short", scores, False)
    assert last.truncated


def test_vectors_come_for_each_text(client):
    found = client.embed(["a b"])[0]
    assert found.pooled == [2.0, -2.0]
    assert found.mean == pytest.approx([0.2, -0.2])


def test_no_texts_have_no_labels(client):
    assert client.classify([]) == client.embed([]) == []


@pytest.mark.parametrize("texts", [["a", ("a", "b")], [("a", "b", "c")], [()]])
def test_texts_and_pairs_do_not_mix(client, texts):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        client.classify(texts)
    assert str(error.value) == (
        f"`texts` must hold strings, or pairs of strings alone. Received: texts={texts}"
    )


@pytest.mark.parametrize("texts", [[1], [("a", 1)]])
def test_what_is_no_text_is_refused(client, texts):
    with pytest.raises((ValueError, TypeError)):
        client.classify(texts)


def test_an_answer_that_lacks_a_score_is_refused(monkeypatch):
    answer = {"truncated": [False], "label": ["a"], "label_names": [["a"]], "label_scores": [[]]}
    client = ClassificationClient("nowhere", 1, "classifier")
    monkeypatch.setattr(client, "_ask", lambda *_: {"outputs": answer})
    with pytest.raises(ServingError, match="gave an answer that cannot be read"):
        client.classify(["a"])


def test_the_command_prints_labels(run):
    done = run(stdin="blue\na b c d e f g\n")
    assert done.stdout.splitlines() == [
        "blue",
        "  short  (0.9000)",
        "  long  (0.1000)",
        "a b c d e f g",
        "  long  (0.5000)",
        "  short  (0.5000)",
        "(cut: the model did not see all of it)",
    ]


def test_the_command_prints_where_vectors_begin(run):
    assert run("--signature", "embeddings", "blue").stdout.splitlines() == [
        "blue",
        "  pooled  1.0000 -1.0000 ... (2 numbers)",
        "  mean  0.1000 -0.1000 ... (2 numbers)",
    ]


def test_the_command_writes_a_line_of_json_a_text(run):
    found = json.loads(run("--json", "blue").stdout)
    assert found["texts"] == ["blue"]
    assert found["label"] == "short"


def test_the_command_says_in_a_sentence_what_is_wrong():
    assert classification_client.main(["--port", "1", "a"]) == 1


def test_a_good_export_passes_every_check(folder, cases, tmp_path, capsys):
    shutil.copytree(folder, tmp_path / "1")
    report = check_export(tmp_path / "1", "classifier", cases, python220="/nowhere/python")
    assert report["client"] == report["gRPC"] == f"{len(cases)} requests agree"
    assert report["tensorflow 2.20"] == NOT_RUN
    printed = capsys.readouterr().out.splitlines()
    (asked,) = (line for line in printed if line.startswith("$ python"))
    assert asked.startswith("$ python serving/classification_client.py --port ")
    assert asked.endswith("--model classifier --signature serving_default 'the blue House'")


def test_a_pair_is_told_a_number(comparing, tmp_path, capsys):
    shutil.copytree(comparing, tmp_path / "1")
    case = case_maker(comparing)("serving_default", text=["a b c", "a"], text2=["a", "b"])
    check_export(tmp_path / "1", "similarity", [case], python220="/nowhere/python")
    printed = capsys.readouterr().out.splitlines()
    assert printed[-3:] == ["a b c", "a", "  0.2000"]
    with running_double(comparing.parent, "similarity") as double:
        client = ClassificationClient("127.0.0.1", double.rest_port, "similarity")
        assert client.classify([("a b c", "a")]) == [
            Valued(("a b c", "a"), pytest.approx(0.2), False)
        ]


@pytest.mark.parametrize(
    ("signature", "name", "place", "message"),
    [
        ("serving_default", "label", [0], ".label[0] is 'short'"),
        ("serving_default", "label_scores", [0, 0], ".label_scores[0].long is 0.3"),
        ("embeddings", "mean", [0, 0], ".mean[0][0] is 0.3"),
    ],
)
def test_another_answer_is_found(cases, difference, signature, name, place, message):
    found = difference(cases, signature, name, place)
    assert found.startswith(f"the client's answer{message}")
    assert found.endswith(", expected 'wrong'")
