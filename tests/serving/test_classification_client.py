import copy
import functools
import json
import shutil

import pytest

from serving import classification_client, client_check
from serving.cases import make_case, to_values
from serving.check import NOT_RUN, check_export
from serving.classification_client import ClassificationClient, Labelled, Valued
from serving.client import ServingError
from serving.double_process import running_double

TEXTS = ["the blue House", "", "서울 Ünal 👩‍👩‍👧", "a b c d e f g"]


def saved(folder, name):
    import hand_made_classifier

    getattr(hand_made_classifier, name)(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("models") / "classifier" / "1", "save")


@pytest.fixture(scope="module")
def comparing(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("models") / "similarity" / "1", "save_comparing")


def case_of(folder, signature, **inputs):
    """A request and what the export answers, asked of the loaded function itself."""
    import tensorflow as tf

    function = tf.saved_model.load(str(folder)).signatures[signature]
    tensors = {name: tf.constant(to_values(x), tf.string) for name, x in inputs.items()}
    outputs = {name: x.numpy() for name, x in function(**tensors).items()}
    return make_case(signature, inputs, outputs)


@pytest.fixture(scope="module")
def cases(folder):
    names = ("serving_default", "embeddings")
    return [
        *(case_of(folder, name, text=texts) for name in names for texts in (TEXTS, TEXTS[:1])),
        case_of(folder, "serving_default", text=["a", {"b64": "QmVybGlu"}]),
    ]


@pytest.fixture(scope="module")
def double(folder):
    with running_double(folder.parent, "classifier") as running:
        yield running


@pytest.fixture(scope="module")
def client(double):
    return ClassificationClient("127.0.0.1", double.rest_port, "classifier")


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


@pytest.fixture
def run(run_client, double):
    """The command, asking the test double."""
    return functools.partial(run_client, "classification_client.py", "--port", double.rest_port)


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
    case = case_of(comparing, "serving_default", text=["a b c", "a"], text2=["a", "b"])
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
def test_another_answer_is_found(cases, double, signature, name, place, message):
    wrong = copy.deepcopy(next(case for case in cases if case["signature"] == signature))
    row = wrong["outputs"][name]
    for index in place[:-1]:
        row = row[index]
    row[place[-1]] = "wrong"
    server = {"host": "127.0.0.1", "port": double.rest_port, "model_name": "classifier"}
    ((case, found),) = client_check.differences(server, [wrong])
    assert case == wrong
    assert found.startswith(f"the client's answer{message}")
    assert found.endswith(", expected 'wrong'")
