import copy
import json
import pathlib
import subprocess
import sys

import pytest

from serving import conformance


def run(double, *arguments):
    target = f"127.0.0.1:{double.rest_port}"
    return conformance.main(["--target", target, "--model", "tagger", *map(str, arguments)])


def test_the_double_conforms(double, cases_file, capsys):
    assert run(double, "--cases", cases_file) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("pass ") for line in lines[:-1])
    assert lines[-1].startswith(f"{len(lines) - 1} passed, 0 failed on 127.0.0.1:")


def test_another_answer_fails(double, cases, tmp_path, capsys):
    wrong = copy.deepcopy(cases[0])
    wrong["outputs"]["tags"][0][1] = "B-NAME"
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(wrong) + "\n")
    assert run(double, "--cases", path) == 1
    failures = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert failures == [
        "FAIL case 0 of serving_default as columns: answer.outputs.tags[0][1] is 'O',"
        " expected 'B-NAME'",
        "FAIL case 0 of serving_default as rows: answer.predictions[0].tags[1] is 'O',"
        " expected 'B-NAME'",
    ]


def test_another_model_fails(double, capsys):
    target = f"127.0.0.1:{double.rest_port}"
    assert conformance.main(["--target", target, "--model", "other"]) == 1
    assert "FAIL the model is available: answered 404" in capsys.readouterr().out


def test_nobody_there_is_a_sentence(capsys):
    assert conformance.main(["--target", "127.0.0.1:1", "--model", "tagger"]) == 1
    assert capsys.readouterr().err == (
        "conformance: 127.0.0.1:1 could not be checked:"
        " ConnectionRefusedError: [Errno 111] Connection refused\n"
    )


def test_an_address_without_a_port_is_refused():
    with pytest.raises(ValueError, match="`address` must be HOST:PORT. Received: address='x'"):
        conformance.Target("x", "tagger")


@pytest.mark.parametrize("line", ["{", "[]", '{"signature": "a"}'])
def test_a_line_that_is_no_case_is_named(tmp_path, line):
    path = tmp_path / "cases.jsonl"
    path.write_text('{"signature": "a", "inputs": {}, "outputs": {}}\n' + line)
    with pytest.raises(ValueError, match=r"cases.jsonl:2 must be a JSON object with signature"):
        conformance.read_cases(path)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1.0, 1.000009),
        ({"a": [1, "x", True, None]}, {"a": [1, "x", True, None]}),
        (float("nan"), float("nan")),
        (float("inf"), float("inf")),
        (1.0, 1),
    ],
)
def test_equal_answers_have_no_difference(expected, actual):
    assert conformance.difference(expected, actual) is None


@pytest.mark.parametrize(
    ("expected", "actual", "words"),
    [
        (1.0, 1.00002, "answer is 1.00002, expected 1.0"),
        (1, 2, "answer is 2, expected 1"),
        (1, True, "answer is True, expected 1"),
        ("1", 1, "answer is 1, expected '1'"),
        (float("nan"), 1.0, "answer is 1.0, expected nan"),
        ({"a": 1}, {"b": 1}, "answer has keys ['b'], expected ['a']"),
        ({"a": [1, [2]]}, {"a": [1, [3]]}, "answer.a[1][0] is 3, expected 2"),
        ([1], [1, 2], "answer has 2 items, expected 1"),
        ([1], 1, "answer is 1, expected [1]"),
    ],
)
def test_a_difference_is_located(expected, actual, words):
    assert conformance.difference(expected, actual) == words


@pytest.mark.parametrize("name", ["conformance", "client"])
def test_a_program_for_others_needs_the_standard_library_alone(name):
    path = pathlib.Path(conformance.__file__).with_name(f"{name}.py")
    done = subprocess.run([sys.executable, "-I", "-S", path, "--help"], capture_output=True)
    assert done.returncode == 0
