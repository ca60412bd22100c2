"""The gRPC half of the test double: PredictionService and ModelService before a `Servable`."""

import concurrent.futures

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving import metadata
from serving.servable import DEFAULT_SIGNATURE, ServerError, from_proto, invalid

_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}


def _spec(request):
    """Return `(name, version, label)`; an unset version is None."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    return spec.name, version, spec.version_label


def _answer(context, work):
    try:
        return work()
    except ServerError as error:
        context.abort(error.code, error.message)


def to_proto(array):
    """Return a TensorProto with its values in the typed field, as the server fills it."""
    dtype = tf.string if array.dtype.kind in "OSU" else tf.as_dtype(array.dtype)
    if dtype not in _FIELDS:
        return tf.make_tensor_proto(array)
    proto = tf.make_tensor_proto([], dtype, shape=(0,))
    proto.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    getattr(proto, _FIELDS[dtype]).extend(array.reshape(-1).tolist())
    return proto


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the other methods are UNIMPLEMENTED."""

    def __init__(self, servable):
        self.servable = servable

    def Predict(self, request, context):
        """Run the requested signature."""
        return _answer(context, lambda: predict(self.servable, request))

    def GetModelMetadata(self, request, context):
        """Return the signatures."""

        def work():
            self.servable.check_spec(*_spec(request))
            return metadata.metadata(self.servable, request.metadata_field)

        return _answer(context, work)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; the other methods are UNIMPLEMENTED."""

    def __init__(self, servable):
        self.servable = servable

    def GetModelStatus(self, request, context):
        """Return the state of the served version."""
        return _answer(context, lambda: metadata.status(self.servable, *_spec(request)))


def predict(servable, request, check_spec=True):
    """Answer a PredictRequest.

    Args:
        servable: The `Servable`.
        request: The PredictRequest.
        check_spec: Whether the request must name the served model; warm-up requests need not.

    Returns:
        The PredictResponse.

    Raises:
        ServerError: As the server refuses.
    """
    if check_spec:
        servable.check_spec(*_spec(request))
    inputs = {name: from_proto(name, proto) for name, proto in request.inputs.items()}
    name = request.model_spec.signature_name
    outputs = servable.predict(name, inputs, tuple(request.output_filter))
    response = predict_pb2.PredictResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.model_spec.signature_name = name or DEFAULT_SIGNATURE
    for name, array in outputs.items():
        response.outputs[name].CopyFrom(to_proto(array))
    return response


def start(servable, host, port, threads=16, max_message=32 << 20):
    """Start the gRPC server.

    Returns:
        `(server, port)`.

    Raises:
        RuntimeError: The port cannot be bound.
    """
    pool = concurrent.futures.ThreadPoolExecutor(threads, "grpc")
    # Without so_reuseport=0, two servers would share a port and each get half the requests.
    options = [("grpc.max_receive_message_length", max_message), ("grpc.so_reuseport", 0)]
    server = grpc.server(pool, options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(servable), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(servable), server)
    bound = server.add_insecure_port(f"{host}:{port}")
    server.start()
    return server, bound
