"""Asks a server over gRPC and compares with cases: by the server's own stubs and by ovmsclient."""

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.cases import to_json, to_values
from serving.conformance import difference


def differences(address, model_name, cases, timeout=60.0):
    """Ask each case through PredictionService.Predict.

    Args:
        address: `host:port` of the gRPC interface.
        model_name: Name of the model.
        cases: Dicts with `signature`, `inputs` and `outputs`.
        timeout: Seconds to wait for each answer.

    Yields:
        `(case, what differs or None)`.
    """
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        signatures = _signatures(stub, model_name, timeout)
        for case in cases:
            specs = signatures[case["signature"]].inputs
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model_name
            request.model_spec.signature_name = case["signature"]
            for name, value in case["inputs"].items():
                request.inputs[name].CopyFrom(
                    tf.make_tensor_proto(to_values(value), specs[name].dtype)
                )
            try:
                answer = stub.Predict(request, timeout)
            except grpc.RpcError as error:
                yield case, f"answered {error.code().name}: {error.details()}"
                continue
            outputs = {name: tf.make_ndarray(proto) for name, proto in answer.outputs.items()}
            yield case, _difference(case, outputs)


def ovms_differences(address, model_name, version, cases):
    """Ask the cases of `serving_default` through ovmsclient, which knows no other signature.

    An empty batch is left out: ovmsclient refuses to send one. It always names a version, so the
    version must be the served one.

    Yields:
        `(case, what differs or None)`.
    """
    import ovmsclient

    client = ovmsclient.make_grpc_client(address)
    for case in cases:
        if case["signature"] != "serving_default" or not all(case["inputs"].values()):
            continue
        inputs = {name: to_values(value) for name, value in case["inputs"].items()}
        try:
            outputs = client.predict(inputs, model_name, version, timeout=60.0)
        except Exception as error:
            yield case, f"{type(error).__name__}: {error}"
            continue
        yield case, _difference({"outputs": _without_last_nuls(case["outputs"])}, outputs)


def _without_last_nuls(value):
    """As ovmsclient answers: in NumPy's fixed-width bytes, which end at the last other byte."""
    if isinstance(value, dict):
        return {name: _without_last_nuls(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_last_nuls(item) for item in value]
    return value.rstrip("\0") if isinstance(value, str) else value


def _difference(case, arrays):
    outputs = {name: to_json(name, array) for name, array in arrays.items()}
    return difference(case["outputs"], outputs)


def _signatures(stub, model_name, timeout):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model_name
    answer = stub.GetModelMetadata(request, timeout)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    answer.metadata["signature_def"].Unpack(signatures)
    return signatures.signature_def
