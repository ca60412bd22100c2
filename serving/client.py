"""What the clients of every task have in common: asking the REST interface of TensorFlow Serving.

Standard library only, so that it can be copied into another project together with a task's client.
"""

import argparse
import contextlib
import http.client
import json
import sys
import urllib.parse
from typing import NamedTuple


class ServingError(Exception):
    """The server could not be reached, refused, or gave an answer that makes no sense."""


class ModelVersion(NamedTuple):
    """One version of a model and its state, `AVAILABLE` when it answers."""

    version: int
    state: str
    error: str


class Client:
    """Asks one model of one server.

    Args:
        host: Name or address of the server.
        port: Port of its REST interface.
        model_name: Name of the model.
        version: Version to ask; the server chooses when None.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, host, port, model_name, version=None, timeout=30.0):
        self.host = host
        self.port = port
        self.path = f"/v1/models/{urllib.parse.quote(model_name, safe='')}"
        if version is not None:
            self.path += f"/versions/{int(version)}"
        self.timeout = timeout

    def status(self):
        """Return the list of `ModelVersion` that the server holds. Raises what `predict` does."""
        answer = self._ask("GET", self.path, None, "its status")
        with _reading(self, answer):
            entries = answer["model_version_status"]
            errors = [entry.get("status", {}).get("error_message", "") for entry in entries]
            return [
                ModelVersion(int(entry["version"]), entry["state"], error)
                for entry, error in zip(entries, errors, strict=True)
            ]

    def predict(self, signature, inputs):
        """Ask any signature and return its outputs as they come.

        Args:
            signature: Name of the signature.
            inputs: `{name: nested list}`.

        Returns:
            `{name: nested list}`; the bare list where the signature has one output.

        Raises:
            ServingError: With a sentence that names the server and what it said.
        """
        request = {"signature_name": signature, "inputs": inputs}
        answer = self._ask("POST", f"{self.path}:predict", request, f"signature {signature}")
        with _reading(self, answer):
            return answer["outputs"]

    def ask_all(self, signature, texts, read, inputs=None):
        """Ask, and return what `read` makes of each text and the answer."""
        answer = self.predict(signature, inputs or {"text": texts})
        with _reading(self, answer):
            if len(answer["truncated"]) != len(texts):
                raise ValueError(f"{len(answer['truncated'])} answers to {len(texts)} texts")
            return [read(text, answer, index) for index, text in enumerate(texts)]

    def _ask(self, method, path, document, what):
        where = f"the server at {self.host}:{self.port}, asked for {what} at {path},"
        try:
            status, body = self._exchange(method, path, document)
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise ServingError(f"{where} could not be reached: {reason}") from error
        try:
            answer = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            answer = None
        if status != 200:
            said = answer.get("error") if isinstance(answer, dict) else None
            said = said or body[:200].decode("utf-8", "replace").strip() or "nothing"
            raise ServingError(f"{where} answered {status}: {said}")
        if not isinstance(answer, dict):
            raise ServingError(f"{where} gave an answer that is no JSON object: {body[:200]!r}")
        return answer

    def _exchange(self, method, path, document):
        body = None if document is None else json.dumps(document).encode("ascii")
        server = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        with contextlib.closing(server) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()


@contextlib.contextmanager
def _reading(client, answer):
    """Turn what goes wrong while an answer is read into a `ServingError`."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise ServingError(
            f"the server at {client.host}:{client.port} gave an answer that cannot be read"
            f" ({type(error).__name__}: {error}): {json.dumps(answer)[:200]}"
        ) from error


def checked_texts(texts):
    """Return the texts as a list; a ValueError if one is none or UTF-8 cannot encode it."""
    texts = list(texts)
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f"`texts` must hold strings. Received: texts with {text!r}")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(
                f"`texts` must hold strings that UTF-8 can encode. Received: texts with {text!r}"
            ) from None
    return texts


def first(values, number):
    """Return the first values, behind which stands filling."""
    first = values[:number]
    if len(first) != number:
        raise ValueError(f"{len(values)} items where {number} are announced")
    return first


def located(text, start, end):
    """Return what stands between two bytes of a text, and the two characters it is between.

    Raises:
        ValueError: The bytes are outside the text or within a character.
    """
    encoded = text.encode("utf-8")
    if not 0 <= start <= end <= len(encoded):
        raise ValueError(f"bytes {start} to {end} are outside a text of {len(encoded)} bytes")
    before = len(encoded[:start].decode("utf-8"))
    after = before + len(encoded[start:end].decode("utf-8"))
    return text[before:after], before, after


def plain(value):
    """Return what JSON can write; fields without a value are left out."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "_asdict"):
        return {name: plain(v) for name, v in value._asdict().items() if v is not None}
    return value


def program(argv, connect, ask, show, *, description, model, signatures, note):
    """Ask a server what a command line says and print the answers; return the exit status.

    Args:
        argv: List of arguments, or None for those of this process.
        connect: The class of the client.
        ask: Function of the client, the signature and the texts; returns results.
        show: Function that makes a result readable.
        description: First sentence of `--help`.
        model: Name of the model unless another one is given.
        signatures: Names of the signatures; the first one is asked unless another is given.
        note: What to know about them.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="default: lines of stdin")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501, help="of the REST interface")
    parser.add_argument("--model", default=model, metavar="NAME")
    parser.add_argument("--version", type=int)
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--signature", default=signatures[0], choices=signatures, help=note)
    parser.add_argument("--json", action="store_true", help="print JSON, one line a text")
    arguments = parser.parse_args(argv)
    place = (arguments.host, arguments.port, arguments.model)
    client = connect(*place, arguments.version, arguments.timeout)
    try:
        texts = arguments.texts or [line.rstrip("\r\n") for line in sys.stdin]
        results = ask(client, arguments.signature, texts)
    except (ServingError, ValueError) as error:
        print(f"client: {error}", file=sys.stderr)
        return 1
    for result in results:
        print(json.dumps(plain(result), ensure_ascii=False) if arguments.json else show(result))
    return 0
