"""What a server tells about a model: its state and its signatures."""

import grpc
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.servable import ServerError, invalid


def status(servable, name, version=None, label=None):
    """Return the GetModelStatusResponse.

    Raises:
        ServerError: NOT_FOUND for another model or version.
    """
    if label:
        servable.check_spec(name, version, label)
    if name != servable.name:
        text = f"Could not find any versions of model {name}"
        raise ServerError(grpc.StatusCode.NOT_FOUND, text)
    if version not in (None, servable.version):
        text = f"Could not find version {version} of model {name}"
        raise ServerError(grpc.StatusCode.NOT_FOUND, text)
    response = get_model_status_pb2.GetModelStatusResponse()
    entry = response.model_version_status.add(version=servable.version)
    entry.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    entry.status.SetInParent()
    return response


def metadata(servable, fields):
    """Return the GetModelMetadataResponse.

    Args:
        servable: The `Servable`.
        fields: The wanted metadata; only `signature_def` exists.

    Raises:
        ServerError: INVALID_ARGUMENT for no or another field.
    """
    if not fields:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in fields:
        if field != "signature_def":
            raise invalid(f"Metadata field {field} is not supported")
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.metadata["signature_def"].Pack(_signature_map(servable))
    return response


def signatures_as_json(servable):
    """Return the metadata as the REST interface prints it."""
    signatures = json_format.MessageToDict(
        _signature_map(servable),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    return {
        "model_spec": {
            "name": servable.name,
            "signature_name": "",
            "version": str(servable.version),
        },
        "metadata": {"signature_def": signatures},
    }


def _signature_map(servable):
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in servable.signatures.items():
        signatures.signature_def[name].CopyFrom(signature)
    return signatures
