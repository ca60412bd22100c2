import copy
import json
import subprocess

import pytest

from serving.check import PYTHON_220
from serving.double_process import clean_environment, running_double

pytestmark = pytest.mark.slow


@pytest.fixture
def python220():
    assert PYTHON_220.exists(), "`make serving220` makes the environment that this test needs"
    return PYTHON_220


def load(python, folder, path, place):
    return subprocess.run(
        [python, "-m", "serving.load_220", str(folder), str(path)], cwd=place,
        env=clean_environment(place), capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_2_20_gives_the_stored_answers(python220, export, cases, cases_file, tmp_path):
    done = load(python220, export, cases_file, tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == (
        f"{len(cases)} cases of {export} agree in tensorflow 2.20.0, without Keras"
    )


def test_another_answer_is_a_sentence(python220, export, cases, tmp_path):
    wrong = copy.deepcopy(cases[1])
    wrong["outputs"]["scores"][0][0] += 0.001
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(wrong))
    done = load(python220, export, path, tmp_path)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"load 2.20: {export}: case 0 (spans): answer.scores[0][0] is 0.8")


def test_an_unknown_signature_is_a_sentence(python220, export, tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text('{"signature": "no", "inputs": {}, "outputs": {}}')
    done = load(python220, export, path, tmp_path)
    assert done.returncode == 1
    assert "must have signature no, but has not" in done.stderr.splitlines()[-1]


def test_the_environment_has_no_keras(python220, tmp_path):
    done = subprocess.run([python220, "-c", "import keras"], cwd=tmp_path, capture_output=True)
    assert b"No module named 'keras'" in done.stderr


def test_the_test_double_runs_on_2_20(python220, export, cases):
    from serving import grpc_check

    with running_double(export.parent, "tagger", python=python220) as double:
        address = f"127.0.0.1:{double.grpc_port}"
        assert all(wrong is None for _, wrong in grpc_check.differences(address, "tagger", cases))
