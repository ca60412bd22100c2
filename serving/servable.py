"""One version of one exported model: its signatures, checked requests, and answers."""

import pathlib

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

DEFAULT_SIGNATURE = "serving_default"
MAX_ELEMENTS = 1 << 24
CODES = {code.value[0]: code for code in grpc.StatusCode}


class ServerError(Exception):
    """A refusal as the server words it: `code` (`grpc.StatusCode`) and `message`."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message):
    """Return the `ServerError` of a bad argument."""
    return ServerError(grpc.StatusCode.INVALID_ARGUMENT, message)


def newest_version(base_path):
    """Return `(version, folder)` of the highest numeric version below `base_path`.

    Raises:
        ValueError: No numeric folder with a `saved_model.pb` is there.
    """
    base = pathlib.Path(base_path)
    versions = {
        int(p.parent.name): p.parent
        for p in base.glob("*/saved_model.pb")
        if p.parent.name.isdecimal()
    }
    if not versions:
        raise ValueError(
            "`base_path` must hold a folder with a number for a name and a saved_model.pb inside."
            f" Received: base_path={base}"
        )
    version = max(versions)
    return version, versions[version]


class Servable:
    """A loaded SavedModel that validates what it is asked.

    Args:
        name: Name of the model, as requests give it.
        version: Integer version.
        folder: The SavedModel's folder.
    """

    def __init__(self, name, version, folder):
        self.name = name
        self.version = version
        folder = pathlib.Path(folder)
        proto = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        self.signatures = dict(proto.meta_graphs[0].signature_def)
        # The loaded object owns the tables and variables that its functions only point at.
        self._loaded = tf.saved_model.load(str(folder))

    def check_spec(self, name, version=None, label=None):
        """Raise NOT_FOUND unless `name` and `version` are served here; labels are unknown."""
        if label:
            raise ServerError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"Unrecognized servable version label: {label}",
            )
        if name != self.name or version not in (None, self.version):
            asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise ServerError(
                grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {asked}"
            )

    def predict(self, signature_name, inputs, output_filter=()):
        """Run a signature on checked inputs.

        Args:
            signature_name: Its name; empty for `serving_default`.
            inputs: `{name: numpy array}`; strings as object arrays of `bytes`.
            output_filter: Names of the wanted outputs; all when empty.

        Returns:
            `{name: numpy array}`.

        Raises:
            ServerError: With the code and words of the server.
        """
        name = signature_name or DEFAULT_SIGNATURE
        if name not in self._loaded.signatures:
            raise ServerError(
                grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        signature = self.signatures[name]
        _check_names(signature, inputs, output_filter)
        tensors = {key: _checked(key, signature.inputs[key], inputs[key]) for key in inputs}
        outputs = self._run(name, tensors)
        return {key: outputs[key].numpy() for key in (output_filter or sorted(outputs))}

    def _run(self, name, tensors):
        try:
            return self._loaded.signatures[name](**tensors)
        except tf.errors.OpError as error:
            code = CODES.get(error.error_code, grpc.StatusCode.UNKNOWN)
            raise ServerError(code, error.message) from error
        except (TypeError, ValueError) as error:
            raise invalid(str(error)) from error


def _check_names(signature, inputs, output_filter):
    given, wanted = set(inputs), set(signature.inputs)
    if len(given) != len(wanted):
        extra, missing = ",".join(sorted(given - wanted)), ",".join(sorted(wanted - given))
        raise invalid(
            f"input size does not match signature: {len(given)}!={len(wanted)}"
            f" len({{{','.join(sorted(given))}}}) != len({{{','.join(sorted(wanted))}}})."
            f" Sent extra: {{{extra}}}. Missing but required: {{{missing}}}."
        )
    for name in sorted(given - wanted):
        raise invalid(
            f"input tensor alias not found in signature: {name}."
            f" Inputs expected to be in the set {{{','.join(sorted(wanted))}}}."
        )
    for index, name in enumerate(output_filter):
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in"
                f" the set {{{','.join(sorted(signature.outputs))}}}."
            )
        if name in output_filter[:index]:
            raise invalid(f"duplicate output tensor alias: {name}")


def _checked(name, info, array):
    """Return `array` as a tensor of the dtype and rank that the signature's `info` states."""
    wanted = tf.as_dtype(info.dtype)
    given = tf.string if array.dtype.kind in "OSU" else tf.as_dtype(array.dtype)
    if given != wanted:
        raise invalid(f"Expects input {name} to be {wanted.name} but {given.name} is provided")
    if not info.tensor_shape.unknown_rank:
        dims = [dim.size for dim in info.tensor_shape.dim]
        fits = len(dims) == array.ndim and all(
            dim in (-1, size) for dim, size in zip(dims, array.shape, strict=True)
        )
        if not fits:
            raise invalid(
                f"input {name} must have shape {dims}, where -1 is any size,"
                f" but has shape {list(array.shape)}"
            )
    return tf.constant(array, wanted, array.shape)


def from_proto(name, proto):
    """Return a TensorProto's value as a numpy array.

    Raises:
        ServerError: INVALID_ARGUMENT where the proto contradicts itself or is too large.
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    # A proto of a few bytes may claim any shape, since its last value is repeated.
    if any(size < 0 for size in sizes) or np.prod([float(size) for size in sizes]) > MAX_ELEMENTS:
        raise invalid(f"input {name} has an impossible shape: {sizes}")
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise invalid(f"tensor parsing error: {name}: {error}") from error
