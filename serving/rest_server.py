"""The REST half of the test double: HTTP in front of a `Servable`, on a bounded pool of threads.

What a client sees follows TensorFlow Serving: paths, methods, status codes and error bodies. Every
answer closes its connection, so that an idle client cannot hold a thread.
"""

import concurrent.futures
import contextlib
import http.server
import json
import re
import socket
import threading
import urllib.parse

import grpc
from google.protobuf import json_format

from serving import metadata, rest_json
from serving.servable import ServerError, invalid

_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_PREDICT_PATH = re.compile(rf"(?i){_MODEL}:(classify|regress|predict)")
_STATUS_PATH = re.compile(rf"(?i){_MODEL}(?:/(metadata))?")
_STATUS_OF = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


class BodyError(Exception):
    """A body that cannot be read: `status` is the HTTP status to answer."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request and closes."""

    protocol_version = "HTTP/1.1"
    # Without it, a request line that cannot be parsed is answered in HTTP/0.9: no status line.
    default_request_version = "HTTP/1.0"
    error_content_type = "text/html"
    error_message_format = "<HTML><HEAD><TITLE>%(code)d</TITLE></HEAD><BODY>%(message)s</BODY>\n"

    def setup(self):
        """Set the read timeout before the streams are made."""
        self.timeout = self.server.read_timeout
        super().setup()

    def log_message(self, *args):
        """Keep quiet: a client's garbage is no news."""

    def parse_request(self):
        """Parse as the base class does, and answer also what it drops: a line of blanks."""
        if super().parse_request():
            return True
        if not self.raw_requestline.decode("latin-1").split():
            self.send_error(400)
        return False

    def send_error(self, code, message=None, explain=None):
        """Answer an HTTP error; an unknown method is the client's fault, as the server has it."""
        super().send_error(400 if code == 501 else code, message, explain)

    def answer(self):
        """Answer any method."""
        try:
            body = self._read_body()
        except BodyError as error:
            self.send_error(error.status, str(error))
            return
        path = self.path.partition("?")[0]
        if not path.lower().startswith("/v1/"):
            self.send_error(404, "Not Found")
            return
        try:
            status, document = 200, self.server.respond(self.command, path, body)
        except ServerError as error:
            status = _STATUS_OF.get(error.code, 500)
            document = json.dumps({"error": error.message}).encode()
        except Exception as error:
            # A fault of the double itself must reach the client as an answer, too.
            status, document = 500, json.dumps({"error": f"Internal: {error!r}"}).encode()
        self._send(status, document)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = answer

    def _send(self, status, document):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(document)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(document)

    def _read_body(self):
        """Return the body; a request that states no length has none, as the server has it."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        stated = self.headers.get("Content-Length", "0").strip()
        if not (stated.isascii() and stated.isdigit()):
            raise BodyError(400, "Content-Length must be a number")
        return self._read_exactly(int(stated[:20]))

    def _read_chunks(self):
        chunks, total = [], 0
        while True:
            line = self.rfile.readline(100).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", line):
                raise BodyError(400, "a chunk must start with its size")
            size = int(line, 16)
            total += size
            if total > self.server.max_body:
                raise BodyError(413, "Request Entity Too Large")
            chunks.append(self._read_exactly(size))
            self.rfile.readline(100)
            if not size:
                return b"".join(chunks)

    def _read_exactly(self, size):
        if size > self.server.max_body:
            raise BodyError(413, "Request Entity Too Large")
        try:
            body = self.rfile.read(size)
        except TimeoutError:
            raise BodyError(408, "Request Timeout") from None
        if len(body) < size:
            raise BodyError(400, f"the body ended after {len(body)} of {size} bytes")
        return body


class RestServer(http.server.HTTPServer):
    """HTTP server with a fixed number of threads.

    Args:
        servable: The `Servable` to ask.
        address: `(host, port)`; port 0 takes a free one.
        threads: Number of requests worked on at once.
        max_body: Largest body in bytes; a larger one is refused unread.
        read_timeout: Seconds that a client may be silent inside a request.
    """

    request_queue_size = 256

    def __init__(self, servable, address, threads=16, max_body=32 << 20, read_timeout=5.0):
        self.servable = servable
        self.max_body = max_body
        self.read_timeout = read_timeout
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, "rest")
        # At most four waiting connections a thread are accepted; the rest wait in the kernel.
        self._places = threading.BoundedSemaphore(5 * threads)
        super().__init__(address, Handler)  # last: it closes the server if it cannot bind

    def process_request(self, request, client_address):
        """Hand an accepted connection to the pool."""
        self._places.acquire()
        try:
            self._pool.submit(self._work, request, client_address)
        except RuntimeError:  # the pool is shut down
            self._places.release()
            self.shutdown_request(request)

    def _work(self, request, client_address):
        try:
            with contextlib.suppress(OSError):  # the client has gone
                self.finish_request(request, client_address)
            _drain(request)
        finally:
            self.shutdown_request(request)
            self._places.release()

    def server_close(self):
        """Close the port and wait for the requests that are being answered."""
        super().server_close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def respond(self, method, path, body):
        """Return the answer's bytes.

        Raises:
            ServerError: As the server refuses.
        """
        if method == "POST" and (match := _PREDICT_PATH.fullmatch(path)):
            return self._predict(match, body)
        if method == "GET" and (match := _STATUS_PATH.fullmatch(path)):
            return self._status(match)
        raise invalid(f"Malformed request: {method} {path}")

    def _predict(self, match, body):
        name, version, label = _model_of(match)
        if match[4].lower() != "predict":
            raise ServerError(
                grpc.StatusCode.UNIMPLEMENTED, "The test double answers predict alone"
            )

        def inputs_of(signature_name):
            self.servable.check_spec(name, version, label)
            signature_name = signature_name or "serving_default"
            if signature_name not in self.servable.signatures:
                raise invalid(
                    f'Serving signature name: "{signature_name}" not found in signature def'
                )
            return self.servable.signatures[signature_name].inputs

        signature_name, inputs, form = rest_json.parse_request(body, inputs_of)
        outputs = self.servable.predict(signature_name, inputs)
        return rest_json.write_answer(outputs, form)

    def _status(self, match):
        name, version, label = _model_of(match)
        if match[4]:
            self.servable.check_spec(name, version, label)
            return json.dumps(metadata.signatures_as_json(self.servable), indent=1).encode()
        response = metadata.status(self.servable, name, version, label)
        document = json_format.MessageToDict(response, preserving_proto_field_name=True)
        for entry in document["model_version_status"]:
            # The server prints fields that hold their default; the JSON printer leaves them out.
            entry["status"] = {"error_code": "OK", "error_message": "", **entry["status"]}
        return json.dumps(document, indent=1).encode()


def _model_of(match):
    name, version, label = (
        urllib.parse.unquote(part) if part else None for part in match.groups()[:3]
    )
    if version is None:
        return name, None, label
    if int(version[:30]) >= 1 << 63:
        raise invalid(f"Failed to convert version: {version[:30]} to numeric.")
    return name, int(version), label


def _drain(connection, seconds=0.2, limit=1 << 20):
    """Read what the client still sends: closing on unread bytes would reset its answer away."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(seconds)
        while limit > 0 and (received := len(connection.recv(1 << 16))):
            limit -= received
