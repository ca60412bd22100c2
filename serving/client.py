"""Client of a served tagger: `python serving/client.py --model tagger "Fly me to Seoul"`.

Asks the REST interface of TensorFlow Serving. Standard library only, so that this one file can be
copied into another project.
"""

import argparse
import contextlib
import http.client
import json
import math
import sys
import unicodedata
import urllib.parse
from typing import NamedTuple


class ServingError(Exception):
    """The server could not be reached, refused, or gave an answer that makes no sense."""


class Token(NamedTuple):
    """A tagged token; `start`, `end` count bytes of UTF-8, `char_start`, `char_end` characters."""

    text: str
    tag: str
    start: int
    end: int
    char_start: int
    char_end: int
    marginals: dict | None = None


class Span(NamedTuple):
    """A span of one type; offsets as in `Token`."""

    text: str
    type: str
    score: float
    start: int
    end: int
    char_start: int
    char_end: int


class Tagged(NamedTuple):
    """A text with its tokens; `truncated` if the model did not see all of it.

    Where the model labels texts, `label` is the text's and `label_scores` the probability of each.
    `log_probability` is that of all the tags together, where it was asked for.
    """

    text: str
    tokens: list
    truncated: bool
    label: str | None = None
    label_scores: dict | None = None
    log_probability: float | None = None


class Spanned(NamedTuple):
    """A text with its spans; the rest as in `Tagged`."""

    text: str
    spans: list
    truncated: bool
    label: str | None = None
    label_scores: dict | None = None


class TaggedTokens(NamedTuple):
    """Tokens with their tags; `truncated` if some at the end have none; else as in `Tagged`."""

    tokens: list
    tags: list
    truncated: bool
    label: str | None = None
    label_scores: dict | None = None


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

    def tag(self, texts):
        """Tag texts.

        Args:
            texts: List of `str`.

        Returns:
            List of `Tagged`, one a text.

        Raises:
            ServingError: With a sentence that names the server and what it said.
            ValueError: A text is no string or holds what UTF-8 cannot encode.
        """
        return self.ask_all("serving_default", checked_texts(texts), _tagged)

    def marginals(self, texts):
        """Tag texts as `tag` does; each token also has `marginals`, `{tag: probability}`."""
        return self.ask_all("marginals", checked_texts(texts), _with_marginals)

    def tag_tokens(self, lists):
        """Tag lists of tokens: a list of `TaggedTokens`, one a list. Raises what `tag` does."""
        lists = [checked_texts(tokens) for tokens in lists]
        if not lists:
            return []
        width = max(1, *map(len, lists))
        tokens = [list(row) + [""] * (width - len(row)) for row in lists]
        inputs = {"tokens": tokens, "lengths": list(map(len, lists))}
        return self.ask_all("pretokenized", lists, _tagged_tokens, inputs)

    def spans(self, texts):
        """Find the spans of texts: a list of `Spanned`, one a text. Raises what `tag` does."""
        return self.ask_all("spans", checked_texts(texts), _spanned)

    def k_best(self, texts):
        """Find the best taggings of texts: a list a text of `Tagged`, most probable first.

        Each has its `log_probability`. Raises what `tag` does.
        """
        return self.ask_all("k_best", checked_texts(texts), _ranked)

    def status(self):
        """Return the list of `ModelVersion` that the server holds. Raises what `tag` does."""
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
            ServingError: As `tag`.
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


def _rows_of(answer, index, *columns):
    """Return the rows of a text's columns, which are as many as its length says."""
    length = answer["lengths"][index]
    return zip(*(first(column, length) for column in columns), strict=True)


def _located(kind, text, start, end, *fields):
    """Return a token or span of a text; its byte offsets must fall between characters."""
    encoded = text.encode("utf-8")
    if not 0 <= start <= end <= len(encoded):
        raise ValueError(f"bytes {start} to {end} are outside a text of {len(encoded)} bytes")
    before = len(encoded[:start].decode("utf-8"))
    after = before + len(encoded[start:end].decode("utf-8"))
    return kind(text[before:after], *fields, start, end, before, after)


def _rest(answer, index):
    """Return whether a text was cut; where the model labels it, the label and all scores, too."""
    truncated = answer["truncated"][index]
    if "label" not in answer:
        return (truncated,)
    scores = zip(answer["label_names"][index], answer["label_scores"][index], strict=True)
    return truncated, answer["label"][index], dict(scores)


def _tagged_tokens(tokens, answer, index):
    tags = first(answer["tags"][index], answer["lengths"][index])
    return TaggedTokens(tokens, tags, *_rest(answer, index))


def _tagged(text, answer, index, tags=None):
    tags = answer["tags"][index] if tags is None else tags
    rows = _rows_of(answer, index, answer["starts"][index], answer["ends"][index], tags)
    return Tagged(text, [_located(Token, text, *row) for row in rows], *_rest(answer, index))


def _with_marginals(text, answer, index):
    result, names = _tagged(text, answer, index), answer["tag_names"][index]
    rows = _rows_of(answer, index, result.tokens, answer["marginals"][index])
    tokens = [token._replace(marginals=dict(zip(names, row, strict=True))) for token, row in rows]
    return result._replace(tokens=tokens)


def _ranked(text, answer, index):
    number = answer["paths"][index]
    paths, scores = (first(answer[name][index], number) for name in ("tags", "scores"))
    return [
        _tagged(text, answer, index, tags)._replace(log_probability=float(score))
        for tags, score in zip(paths, scores, strict=True)
    ]


def _spanned(text, answer, index):
    names = ("span_starts", "span_ends", "span_types", "scores")
    rows = _rows_of(answer, index, *(answer[name][index] for name in names))
    return Spanned(text, [_located(Span, text, *row) for row in rows], *_rest(answer, index))


def _ask_for(client, signature, texts):
    if signature == "pretokenized":
        return client.tag_tokens([text.split() for text in texts])
    return getattr(client, "tag" if signature == "serving_default" else signature)(texts)


def plain(value):
    """Return what JSON can write; fields without a value are left out."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "_asdict"):
        return {name: plain(v) for name, v in value._asdict().items() if v is not None}
    return value


def _rows(result):
    if isinstance(result, TaggedTokens):
        return [("token", "tag"), *zip(result.tokens, result.tags, strict=False)]
    if isinstance(result, Spanned):
        head = ("span", "type", "score", "bytes", "characters")
        return [head, *[(s.text, s.type, f"{s.score:.4f}", *_offsets(s)) for s in result.spans]]
    rows = [("token", "tag", "bytes", "characters")]
    rows += [(token.text, token.tag, *_offsets(token)) for token in result.tokens]
    if any(token.marginals for token in result.tokens):
        best = [f"{token.marginals.get(token.tag, 0):.4f}" for token in result.tokens]
        rows = [(*row, p) for row, p in zip(rows, ["probability", *best], strict=True)]
    return rows


def _offsets(item):
    return f"{item.start}-{item.end}", f"{item.char_start}-{item.char_end}"


def _width(text):
    """Return the columns of a terminal that a text takes: two for a Korean character."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def _table(result):
    if isinstance(result, list):
        return "\n".join(map(_table, result))
    rows = _rows(result)
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths)).rstrip()  # noqa: B905
        for row in rows
    ]
    text = result.text if hasattr(result, "text") else " ".join(result.tokens)
    if result.label is not None:
        text += f"\n  label: {result.label} ({result.label_scores[result.label]:.4f})"
    if getattr(result, "log_probability", None) is not None:
        text += f"\n  probability: {math.exp(result.log_probability):.4f}"
    cut = ["(cut: the model did not see all of it)"] if result.truncated else []
    return "\n".join([text, *(f"  {line}" for line in lines), *cut])


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


def main(argv=None):
    """Run the program and return its exit status."""
    return program(
        argv,
        Client,
        _ask_for,
        _table,
        description="Ask a served tagger.",
        model="tagger",
        signatures=("serving_default", "pretokenized", "spans", "marginals", "k_best"),
        note="pretokenized splits each text at white space",
    )


if __name__ == "__main__":
    sys.exit(main())
