import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import wrappers_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving import grpc_check, grpc_server


@pytest.fixture(scope="module")
def channel(double):
    with grpc.insecure_channel(f"127.0.0.1:{double.grpc_port}") as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request(name="tagger", version=None, signature="", **inputs):
    built = predict_pb2.PredictRequest()
    built.model_spec.name = name
    built.model_spec.signature_name = signature
    if version is not None:
        built.model_spec.version.CopyFrom(wrappers_pb2.Int64Value(value=version))
    for key, value in inputs.items():
        built.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return built


def test_every_case_is_answered(double, cases):
    address = f"127.0.0.1:{double.grpc_port}"
    assert [wrong for _, wrong in grpc_check.differences(address, "tagger", cases)] == (
        [None] * len(cases)
    )


def test_ovmsclient_gets_the_same_answers(double, cases):
    address = f"127.0.0.1:{double.grpc_port}"
    found = list(grpc_check.ovms_differences(address, "tagger", 3, cases))
    assert len(found) == 3
    assert [wrong for _, wrong in found] == [None] * 3


def test_ovmsclient_reads_status_and_metadata(double):
    import ovmsclient

    client = ovmsclient.make_grpc_client(f"127.0.0.1:{double.grpc_port}")
    assert client.get_model_status("tagger", 3)[3]["state"] == "AVAILABLE"
    metadata = client.get_model_metadata("tagger", 3)
    assert metadata["inputs"] == {"text": {"shape": [-1], "dtype": "DT_STRING"}}


def test_the_answer_names_model_version_and_signature(stub):
    spec = stub.Predict(request(text=["Anna"])).model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("tagger", 3, "serving_default")


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (request("no"), "NOT_FOUND", "Servable not found for request: Latest(no)"),
        (request(version=9), "NOT_FOUND", "Servable not found for request: Specific(tagger, 9)"),
        (request(signature="no"), "FAILED_PRECONDITION", 'Serving signature key "no" not found.'),
        (request(), "INVALID_ARGUMENT", "Missing but required: {text}."),
        (request(x=["a"]), "INVALID_ARGUMENT", "input tensor alias not found in signature: x."),
        (request(text=[1]), "INVALID_ARGUMENT", "to be string but int32 is provided"),
        (request(text=[["a"]]), "INVALID_ARGUMENT", "must have shape [-1]"),
    ],
)
def test_a_bad_request_is_refused(stub, asked, code, message):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(asked)
    assert caught.value.code() == grpc.StatusCode[code]
    assert message in caught.value.details()


def test_metadata_needs_a_known_field(stub):
    asked = get_model_metadata_pb2.GetModelMetadataRequest()
    asked.model_spec.name = "tagger"
    for fields, message in (
        ([], "must specify at least one"),
        (["x"], "field x is not supported"),
    ):
        asked.metadata_field[:] = fields
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetModelMetadata(asked)
        assert message in caught.value.details()


def test_the_status_of_another_model_is_not_found(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    asked = get_model_status_pb2.GetModelStatusRequest()
    asked.model_spec.name = "no"
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetModelStatus(asked)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "Could not find any versions of model no"


def test_other_methods_are_unimplemented(stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Classify(classification_pb2.ClassificationRequest())
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1.5, -2.0]], np.float32),
        np.array([1.5]),
        np.array([[1], [2]], np.int32),
        np.array(7),
        np.array([True, False]),
        np.array([[b"a", b"\xff"]], object),
        np.zeros((0, 3), np.float32),
        np.array([1, 2], np.uint8),
    ],
)
def test_a_proto_holds_the_array(array):
    back = tf.make_ndarray(grpc_server.to_proto(array))
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


def test_ovmsclient_is_forgiven_the_nuls_that_it_drops():
    assert grpc_check._without_last_nuls({"a": [["b\0", "\0c", 1]]}) == {"a": [["b", "\0c", 1]]}
