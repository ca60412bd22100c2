import json

import numpy as np
import pytest

from serving.cases import make_case, to_json, to_values, write_cases


def test_arrays_and_bytes_become_json():
    inputs = {"text": np.array(["도시".encode(), b"\xff"], object), "n": np.array([1])}
    outputs = {"tags": np.array([[b"O"]], object), "raw_bytes": [b"a"], "p": np.float32([0.5])}
    assert make_case("s", inputs, outputs) == {
        "signature": "s",
        "inputs": {"text": ["도시", {"b64": "/w=="}], "n": [1]},
        "outputs": {"tags": [["O"]], "raw_bytes": [{"b64": "YQ=="}], "p": [0.5]},
    }


def test_inputs_come_back_as_bytes():
    assert to_values([["도"], [{"b64": "/w=="}], [1]]) == [["도".encode()], [b"\xff"], [1]]


def test_an_output_that_is_not_utf8_needs_the_name_for_it():
    with pytest.raises(
        ValueError, match=r"`name` must end .* Received: name='tags' with b'\\xff'"
    ):
        to_json("tags", [b"\xff"])


def test_cases_are_written_one_a_line(tmp_path, cases):
    path = write_cases(tmp_path, cases)
    assert path == tmp_path / "assets.extra" / "conformance_cases.jsonl"
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == cases
