import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from serving import rest_json
from serving.servable import ServerError

DTYPES = {"string": tf.string, "int": tf.int32, "long": tf.int64, "float": tf.float32,
          "flag": tf.bool}  # fmt: skip


def inputs(*names):
    return {name: meta_graph_pb2.TensorInfo(dtype=DTYPES[name].as_datatype_enum) for name in names}


def parse(document, *names):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return rest_json.parse_request(body, lambda signature: inputs(*names))


def refusal(document, *names):
    with pytest.raises(ServerError) as caught:
        parse(document, *names)
    assert caught.value.code.name == "INVALID_ARGUMENT"
    return caught.value.message


def test_columns_become_arrays():
    name, arrays, form = parse({"signature_name": "s", "inputs": {"int": [[1, 2], [3, 4]]}}, "int")
    assert (name, form) == ("s", "inputs")
    assert arrays["int"].dtype == np.int32
    np.testing.assert_array_equal(arrays["int"], [[1, 2], [3, 4]])


def test_rows_become_a_batch():
    rows = [{"string": ["a", "b"], "int": 1}, {"string": ["c", "d"], "int": 2}]
    _, arrays, form = parse({"instances": rows}, "string", "int")
    assert form == "instances"
    assert arrays["string"].tolist() == [[b"a", b"b"], [b"c", b"d"]]
    assert arrays["int"].tolist() == [1, 2]


@pytest.mark.parametrize("form", ["inputs", "instances"])
def test_one_input_needs_no_name(form):
    _, arrays, _ = parse({form: ["a", "도"]}, "string")
    assert arrays["string"].tolist() == [b"a", "도".encode()]


def test_base64_becomes_bytes():
    _, arrays, _ = parse({"instances": [{"b64": "/+E="}, {"b64": "/+E"}]}, "string")
    assert arrays["string"].tolist() == [b"\xff\xe1", b"\xff\xe1"]


def test_bytes_that_are_not_utf8_are_handed_through():
    _, arrays, _ = parse(b'{"inputs": ["\xff"]}', "string")
    assert arrays["string"].tolist() == [b"\xff"]


def test_an_empty_batch_keeps_its_shape():
    _, arrays, _ = parse({"inputs": []}, "string")
    assert arrays["string"].shape == (0,)


@pytest.mark.parametrize(
    ("document", "names", "message"),
    [
        (b"", ["int"], "JSON Parse error: The document is empty"),
        (b"{", ["int"], "JSON Parse error: Expecting property name"),
        (b'{"inputs": ["\\ud800"]}', ["string"], "JSON Parse error: The surrogate pair"),
        (b"[" * 100000, ["int"], "nested too deeply"),
        (b'{"inputs": ' + b"[" * 90 + b"]" * 90 + b"}", ["int"], "list at unexpected level: 32"),
        (b'{"inputs": [' + b"1" * 5000 + b"]}", ["int"], "JSON Parse error: Exceeds the limit"),
        ([1], ["int"], "JSON Value: [1] Is not object"),
        ({}, ["int"], "Missing 'inputs' or 'instances' key"),
        ({"inputs": [1], "instances": [1]}, ["int"], "only one of 'inputs' or 'instances'"),
        ({"inputs": [1]}, [], "Failed to get input map for signature: DEFAULT"),
        ({"signature_name": 3, "inputs": [1]}, ["int"], "'signature_name' key must be a string"),
        ({"instances": 1}, ["int"], "Excepting 'instances' to be an list/array"),
        ({"instances": []}, ["int"], "No values in 'instances' array"),
        ({"instances": [1]}, ["int", "flag"], "expecting list of objects as multiple input"),
        ({"inputs": [1]}, ["int", "flag"], "expecting an object as multiple input"),
        ({"instances": [{"int": 1}, 2]}, ["int"], "Expecting object but got list at item 1"),
        ({"instances": [2, {"int": 1}]}, ["int"], "Expecting value/list but got object at item 1"),
        ({"instances": [{"long": 1}]}, ["int"], '{"long": 1} keys must be equal to: int'),
        ({"inputs": {"long": [1]}}, ["int"], "Missing named input: int in 'inputs' object."),
        ({"inputs": [[1, 2], [3]]}, ["int"], "unexpected size: 1 at level: 1 expected size: 2"),
        ({"inputs": [1, [2]]}, ["int"], "Encountered list at unexpected level: 1 expected < 1"),
        ({"inputs": [[1], 2]}, ["int"], "JSON Value: 2 found at incorrect level: 2"),
        ({"inputs": ["a"]}, ["int"], '"a" Type: String is not of expected type: int32'),
        ({"inputs": [2**31]}, ["int"], "Type: Number is not of expected type: int32"),
        ({"inputs": [1.5]}, ["long"], "Type: Number is not of expected type: int64"),
        ({"inputs": [True]}, ["int"], "Type: True is not of expected type: int32"),
        ({"inputs": [1]}, ["flag"], "Type: Number is not of expected type: bool"),
        ({"inputs": [None]}, ["string"], "JSON Value: null Type: Null is not of expected type"),
        ({"inputs": [{"a": 1}]}, ["string"], "not formatted correctly for base64 data"),
        ({"inputs": [{"b64": "?"}]}, ["string"], "Unable to base64 decode"),
        ({"inputs": [{"a": 1}]}, ["int"], "Type: Object is not of expected type: int32"),
        ({"inputs": [1e39]}, ["float"], "Cannot convert JSON value: 1e+39 to float32 without"),
        ({"inputs": [2**24]}, ["float"], "Cannot convert JSON value: 16777216 to float32 without"),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused(document, names, message):
    assert message in refusal(document, *names)


def test_a_message_does_not_repeat_a_whole_request():
    assert len(refusal({"inputs": ["a" * 10**6]}, "int")) < 400


def test_columns_answer_columns():
    outputs = {"a": np.array([[1, 2]]), "b": np.array([True])}
    assert json.loads(rest_json.write_answer(outputs, "inputs")) == {
        "outputs": {"a": [[1, 2]], "b": [True]}
    }


def test_rows_answer_rows():
    outputs = {"a": np.array([[1], [2]]), "b": np.array([b"x", b"y"], object)}
    assert json.loads(rest_json.write_answer(outputs, "instances")) == {
        "predictions": [{"a": [1], "b": "x"}, {"a": [2], "b": "y"}]
    }


@pytest.mark.parametrize(("form", "key"), [("inputs", "outputs"), ("instances", "predictions")])
def test_one_output_has_no_name(form, key):
    answer = rest_json.write_answer({"a": np.array([1, 2])}, form)
    assert json.loads(answer) == {key: [1, 2]}


def test_float32_is_written_in_its_own_digits():
    assert b"0.2\n" in rest_json.write_answer({"a": np.array([0.2], np.float32)}, "inputs")


def test_bytes_outputs_are_base64():
    answer = rest_json.write_answer({"a_bytes": np.array([b"\xff"], object)}, "inputs")
    assert json.loads(answer) == {"outputs": [{"b64": "/w=="}]}


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"a": np.array(1)}, "Tensor name: a has no shape information"),
        ({"a": np.zeros(2), "b": np.zeros(3)}, "b has inconsistent batch size: 3 expecting: 2"),
    ],
)
def test_rows_need_one_batch_axis(outputs, message):
    with pytest.raises(ServerError, match=message):
        rest_json.write_answer(outputs, "instances")
