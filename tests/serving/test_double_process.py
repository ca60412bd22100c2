import stat

import pytest

from serving.double_process import clean_environment, running_double


def program(folder, text):
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo 'test double: no version' >&2; exit 1", "test double: no version"),
        ("echo hello", "hello"),
        ("exit 0", "it said nothing"),
    ],
)
def test_a_start_that_fails_says_why(tmp_path, text, said):
    start = running_double(tmp_path, "tagger", python=program(tmp_path, text))
    with pytest.raises(RuntimeError, match=f"the test double did not start: {said}"), start:
        pass


def test_a_start_that_takes_too_long_is_ended(tmp_path):
    python = program(tmp_path, "exec sleep 60")
    start = running_double(tmp_path, "tagger", python=python, timeout=0.5)
    with pytest.raises(RuntimeError, match="did not start: it said nothing"), start:
        pass


def test_an_end_with_another_status_is_an_error(tmp_path):
    line = "serving tagger version 3 on REST port 1, gRPC port 2 (test double)"
    python = program(tmp_path, f"trap 'exit 3' TERM; echo '{line}'; while :; do sleep 0.1; done")
    with (
        pytest.raises(RuntimeError, match="the test double ended with exit status 3"),
        running_double(tmp_path, "tagger", python=python) as double,
    ):
        assert (double.version, double.rest_port, double.grpc_port) == (3, 1, 2)


def test_the_environment_shows_serving_and_nothing_of_this_process(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    environment = clean_environment(tmp_path)
    assert "KERAS_BACKEND" not in environment
    assert environment["HOME"] == str(tmp_path)
