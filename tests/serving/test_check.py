import copy
import shutil

import pytest
from tensorflow.core.protobuf import saved_model_pb2

from serving.check import NOT_RUN, PYTHON_220, CheckFailed, check_export

ABSENT = "/nowhere/python"


@pytest.fixture
def folder(export, tmp_path):
    shutil.copytree(export, tmp_path / "3")
    return tmp_path / "3"


def test_a_good_export_passes_every_check(folder, cases, capsys):
    report = check_export(folder, "tagger", cases, python220=ABSENT)
    assert (folder / "assets.extra" / "conformance_cases.jsonl").exists()
    assert report["ops"] == "every op is in TensorFlow Serving 2.20"
    assert report["server"].startswith("serving tagger version 3 on REST port")
    assert report["gRPC"] == f"{len(cases)} requests agree"
    assert report["client"] == f"{len(cases)} requests agree"
    assert report["conformance over REST"].endswith(" items passed")
    assert report["ovmsclient over gRPC"] == "3 requests agree"
    assert report["tensorflow 2.20"] == NOT_RUN
    request, answer, asked, *table = capsys.readouterr().out.splitlines()
    assert request.endswith('{"text": ["Anna met Jo at 12"]}')
    assert request.startswith("request (serving_default at 127.0.0.1:")
    assert '"tags": [["B-NAME", "O", "B-NAME", "O", "B-TIME"]]' in answer
    assert asked.startswith("$ python serving/tagging_client.py --port ")
    assert asked.endswith("--model tagger --signature spans 'Anna met Jo at 12'")
    assert table[:2] == [
        "Anna met Jo at 12",
        "  span  type  score   bytes  characters",
    ]


@pytest.mark.parametrize(
    ("signature", "name", "place", "message"),
    [
        ("serving_default", "tags", [0, 0], "tags[0][0] is 'B-NAME', expected 'wrong'"),
        ("spans", "span_types", [0, 1], "span_types[0][1] is 'NAME', expected 'wrong'"),
        ("pretokenized", "tags", [1, 0], "tags[1][0] is 'O', expected 'wrong'"),
        ("k_best", "tags", [0, 1, 0], "tags[0][1][0] is 'O', expected 'wrong'"),
    ],
)
def test_another_answer_fails(folder, cases, signature, name, place, message):
    wrong = copy.deepcopy(next(case for case in cases if case["signature"] == signature))
    row = wrong["outputs"][name]
    for index in place[:-1]:
        row = row[index]
    row[place[-1]] = "wrong"
    with pytest.raises(CheckFailed) as caught:
        check_export(folder, "tagger", [wrong], python220=ABSENT)
    assert str(caught.value) == f"client: a request to {signature}: the client's answer.{message}"


def test_an_op_that_the_server_lacks_fails(folder, cases):
    path = folder / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    proto.meta_graphs[0].graph_def.node.add(name="x", op="NoSuchOp")
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(CheckFailed) as caught:
        check_export(folder, "tagger", cases, python220=ABSENT)
    assert str(caught.value) == (
        f"{folder} has 1 ops that TensorFlow Serving 2.20 does not know:"
        " NoSuchOp (saved_model.pb: graph)"
    )


@pytest.mark.slow
def test_an_export_that_does_not_load_fails(folder, cases):
    next((folder / "variables").glob("*.index")).unlink()
    with pytest.raises(
        CheckFailed, match=f"{folder} is not served: the test double did not start"
    ):
        check_export(folder, "tagger", cases, python220=ABSENT)


def test_no_cases_are_refused(folder):
    with pytest.raises(ValueError, match=r"`cases` must .* Received: cases=\[\]"):
        check_export(folder, "tagger", [])


@pytest.mark.slow
def test_a_good_export_passes_in_tensorflow_2_20(folder, cases):
    assert PYTHON_220.exists(), "`make serving220` makes the environment that this test needs"
    report = check_export(folder, "tagger", cases)
    assert report["tensorflow 2.20"] == (
        f"{len(cases)} cases of {folder} agree in tensorflow 2.20.0, without Keras"
    )
