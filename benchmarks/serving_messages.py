"""Requests and answers of `serving_default`, one text each, over REST and gRPC."""

import json
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

MODEL = "tagger"


class Messages(NamedTuple):
    """Where to send a request, `body(text)` to bytes, and `tags(answer)` from bytes."""

    path: str
    body: Callable
    tags: Callable


def _rest_body(text):
    return json.dumps({"inputs": {"text": [text]}}).encode()


def _rest_tags(answer):
    return json.loads(answer)["outputs"]["tags"][0]


def _grpc_body(text):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    request.inputs["text"].CopyFrom(tf.make_tensor_proto([text]))
    return request.SerializeToString()


def _grpc_tags(answer):
    response = predict_pb2.PredictResponse.FromString(answer)
    return [tag.decode() for tag in tf.make_ndarray(response.outputs["tags"])[0]]


MESSAGES = {
    "rest": Messages(f"/v1/models/{MODEL}:predict", _rest_body, _rest_tags),
    "grpc": Messages("/tensorflow.serving.PredictionService/Predict", _grpc_body, _grpc_tags),
}
