import grpc
import numpy as np
import pytest
import tensorflow as tf

from serving.servable import Servable, ServerError, from_proto, newest_version


@pytest.fixture(scope="module")
def servable(export):
    return Servable("tagger", 3, export)


def strings(*values):
    return np.array([value.encode() for value in values], object)


def test_the_highest_number_is_the_newest_version(tmp_path):
    for name in ("2", "10", "x", "11"):
        (tmp_path / name).mkdir()
    for name in ("2", "10", "x"):
        (tmp_path / name / "saved_model.pb").touch()
    assert newest_version(tmp_path) == (10, tmp_path / "10")


def test_a_folder_without_versions_is_refused(tmp_path):
    with pytest.raises(ValueError, match=f"`base_path` must .* Received: base_path={tmp_path}"):
        newest_version(tmp_path)


def test_predict_runs_the_default_signature(servable):
    outputs = servable.predict("", {"text": strings("Anna met")})
    assert outputs["tags"].tolist() == [[b"B-NAME", b"O"]]


def test_predict_returns_only_the_filtered_outputs(servable):
    outputs = servable.predict("", {"text": strings("a")}, ("tags", "lengths"))
    assert list(outputs) == ["tags", "lengths"]


@pytest.mark.parametrize(
    ("signature", "inputs", "output_filter", "code", "message"),
    [
        ("no", {}, (), "FAILED_PRECONDITION", 'Serving signature key "no" not found.'),
        ("", {}, (), "INVALID_ARGUMENT", "input size does not match signature: 0!=1"),
        ("", {"x": strings("a")}, (), "INVALID_ARGUMENT", "alias not found in signature: x"),
        (
            "",
            {"text": np.array([1])},
            (),
            "INVALID_ARGUMENT",
            "to be string but int64 is provided",
        ),
        ("", {"text": np.array([[b"a"]])}, (), "INVALID_ARGUMENT", "must have shape [-1], where"),
        (
            "",
            {"text": strings("a")},
            ("x",),
            "INVALID_ARGUMENT",
            "alias not found in signature: x",
        ),
        ("", {"text": strings("a")}, ("tags", "tags"), "INVALID_ARGUMENT", "duplicate output"),
    ],
)
def test_a_bad_request_is_refused(servable, signature, inputs, output_filter, code, message):
    with pytest.raises(ServerError) as caught:
        servable.predict(signature, inputs, output_filter)
    assert caught.value.code == grpc.StatusCode[code]
    assert message in caught.value.message


def test_an_error_of_the_graph_keeps_its_code(servable):
    # Three lengths for two rows: the graph itself fails.
    tokens = np.array([[b"a"], [b"b"]], object)
    inputs = {"tokens": tokens, "lengths": np.array([1, 1, 1], np.int32)}
    with pytest.raises(ServerError) as caught:
        servable.predict("pretokenized", inputs)
    assert caught.value.code == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (("other",), "Servable not found for request: Latest(other)"),
        (("tagger", 7), "Servable not found for request: Specific(tagger, 7)"),
        (("tagger", None, "stable"), "Unrecognized servable version label: stable"),
    ],
)
def test_another_model_is_not_served(servable, spec, message):
    with pytest.raises(ServerError) as caught:
        servable.check_spec(*spec)
    assert caught.value.message == message


@pytest.mark.parametrize("sizes", [[1 << 40], [-1], [1 << 20, 1 << 20]])
def test_a_small_proto_with_a_huge_shape_is_refused(sizes):
    proto = tf.make_tensor_proto([1])
    del proto.tensor_shape.dim[:]
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    with pytest.raises(ServerError, match="impossible shape"):
        from_proto("x", proto)


def test_a_proto_that_contradicts_itself_is_refused():
    proto = tf.make_tensor_proto([1, 2, 3])
    proto.tensor_content = b"12345"
    with pytest.raises(ServerError, match="tensor parsing error: x"):
        from_proto("x", proto)
