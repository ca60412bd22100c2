import json
import socket

import pytest

from serving.conformance import Target


@pytest.fixture(scope="module")
def target(double):
    return Target(f"127.0.0.1:{double.rest_port}", "tagger")


def raw(port, request, close_early=False):
    """Send bytes and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        if close_early:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while received := connection.recv(1 << 16):
            answer += received
    return answer


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def test_the_status_is_as_the_server_prints_it(target):
    assert target.ask("GET", "/v1/models/tagger") == (
        200,
        {
            "model_version_status": [
                {
                    "version": "3",
                    "state": "AVAILABLE",
                    "status": {"error_code": "OK", "error_message": ""},
                }
            ]
        },
    )


def test_the_metadata_states_types_and_shapes(target):
    _, answer = target.ask("GET", "/v1/models/tagger/versions/3/metadata")
    assert answer["model_spec"] == {"name": "tagger", "signature_name": "", "version": "3"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["pretokenized"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["tokens"]["dtype"] == "DT_STRING"
    sizes = [dim["size"] for dim in signature["inputs"]["tokens"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "-1"]


def test_a_version_can_be_asked(target):
    path = "/v1/models/tagger/versions/3:predict"
    status, answer = target.ask("POST", path, {"instances": ["Anna"]})
    assert status == 200
    assert answer["predictions"][0]["tags"] == ["B-NAME"]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models/no", 404, "Could not find any versions of model no"),
        ("GET", "/v1/models/tagger/versions/4", 404, "Could not find version 4 of model tagger"),
        ("GET", "/v1/models/no/metadata", 404, "Servable not found for request: Latest(no)"),
        ("GET", "/v1/models/tagger/labels/x", 400, "Unrecognized servable version label: x"),
        ("GET", "/v1/models", 400, "Malformed request: GET /v1/models"),
        ("GET", "/v1/models/tagger:predict", 400, "Malformed request: GET"),
        ("DELETE", "/v1/models/tagger", 400, "Malformed request: DELETE /v1/models/tagger"),
        ("POST", "/v1/models/tagger:explode", 400, "Malformed request: POST"),
        ("POST", "/v1/models/tagger:classify", 501, "The test double answers predict alone"),
        ("POST", f"/v1/models/tagger/versions/{'9' * 5000}:predict", 400, "Failed to convert"),
    ],
)
def test_a_path_that_means_nothing_is_refused(target, method, path, status, message):
    answered, answer = target.ask(method, path)
    assert answered == status
    assert message in answer["error"]


def test_a_path_outside_the_interface_is_answered_in_html(target):
    status, answer = target.ask("GET", "/v2/models")
    assert status == 404
    assert answer.startswith("<HTML>")


def test_a_post_without_a_length_has_no_body(double):
    answer = raw(double.rest_port, b"POST /v1/models/tagger:predict HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status_of(answer) == 400
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {
        "error": "JSON Parse error: The document is empty"
    }


def test_a_chunked_body_is_read(double):
    head = b"POST /v1/models/tagger:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(
        double.rest_port, head + b'8\r\n{"inputs\r\na\r\n": ["Anna"\r\n2\r\n]}\r\n0\r\n\r\n'
    )
    assert status_of(answer) == 200
    assert b"B-NAME" in answer


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"Content-Length: 99999999999\r\n\r\n", 413),
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Content-Length: 1e3\r\n\r\n", 400),
        (b"Content-Length: 100\r\n\r\n{}", 408),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
        (b"X: " + b"a" * 70000 + b"\r\n\r\n", 431),
        (b"a: b\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(double, request_bytes, status):
    head = b"POST /v1/models/tagger:predict HTTP/1.1\r\n"
    assert status_of(raw(double.rest_port, head + request_bytes)) == status


def test_a_body_cut_short_is_refused(double):
    request = b"POST /v1/models/tagger:predict HTTP/1.1\r\nContent-Length: 100\r\n\r\n{}"
    answer = raw(double.rest_port, request, close_early=True)
    assert status_of(answer) == 400
    assert b"the body ended after 2 of 100 bytes" in answer


@pytest.mark.parametrize(
    "line",
    [
        b"BREW /v1/models/tagger HTTP/1.1",
        b"\x00\xff",
        b"",
        b" ",
        b"GET",
        b"GET / HTTP/9",
        b"a b c d",
    ],
)
def test_a_line_that_is_no_request_is_refused_with_a_status(double, line):
    assert 400 <= status_of(raw(double.rest_port, line + b"\r\n\r\n")) < 506
