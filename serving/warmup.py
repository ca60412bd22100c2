"""Warm-up requests: what the server replays before it answers the first client."""

import pathlib

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

FILE = "assets.extra/tf_serving_warmup_requests"
MAX_REQUESTS = 1000  # the server refuses a model with more


def write_warmup(version_folder, model_name, requests):
    """Write the warm-up requests of an export.

    Args:
        version_folder: The SavedModel's folder.
        model_name: Name of the model.
        requests: At most 1000 `(signature_name, {input name: nested list})`.

    Returns:
        The path of the file: a TFRecord of PredictionLog protos.

    Raises:
        ValueError: Too many requests, an unknown signature or an input it does not have.
    """
    folder = pathlib.Path(version_folder)
    if len(requests) > MAX_REQUESTS:
        raise ValueError(
            f"`requests` must hold at most {MAX_REQUESTS} requests."
            f" Received: requests of length {len(requests)}"
        )
    signatures = _signatures(folder)
    logs = [_log(model_name, name, inputs, signatures) for name, inputs in requests]
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs:
            writer.write(log.SerializeToString(deterministic=True))
    return path


def read_warmup(version_folder):
    """Return the PredictionLog protos of an export's warm-up file; none where there is no file.

    Raises:
        ValueError: The file is damaged or holds more than 1000 requests.
    """
    path = pathlib.Path(version_folder) / FILE
    if not path.exists():
        return []
    try:
        records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
        logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    except Exception as error:
        raise ValueError(f"{path} must be a TFRecord of PredictionLog protos: {error}") from error
    if len(logs) > MAX_REQUESTS:
        raise ValueError(f"{path} must hold at most {MAX_REQUESTS} requests, but has {len(logs)}")
    return logs


def _signatures(folder):
    from tensorflow.core.protobuf import saved_model_pb2

    proto = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    return proto.meta_graphs[0].signature_def


def _log(model_name, signature_name, inputs, signatures):
    if signature_name not in signatures:
        raise ValueError(
            "`requests` must name signatures of the export."
            f" Received: requests with signature_name={signature_name!r}"
        )
    specs = signatures[signature_name].inputs
    if inputs.keys() != set(specs):
        raise ValueError(
            f"`requests` must give {sorted(specs)} to signature {signature_name!r}."
            f" Received: requests with inputs={sorted(inputs)}"
        )
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature_name
    for name, value in inputs.items():
        proto = tf.make_tensor_proto(value, tf.as_dtype(specs[name].dtype))
        request.inputs[name].CopyFrom(proto)
    return log
