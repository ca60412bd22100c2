"""Client of a served tagger: `python serving/tagging_client.py "Fly me to Seoul"`.

Standard library only; to use it in another project, copy it together with client.py.
"""

import math
import sys
import unicodedata
from typing import NamedTuple

try:
    from serving.client import Client, checked_texts, first, located, program
except ModuleNotFoundError:  # run as a file, which lies beside client.py
    from client import Client, checked_texts, first, located, program


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


class TaggingClient(Client):
    """Asks one tagger of one server; the arguments are those of `Client`."""

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


def _rows_of(answer, index, *columns):
    """Return the rows of a text's columns, which are as many as its length says."""
    length = answer["lengths"][index]
    return zip(*(first(column, length) for column in columns), strict=True)


def _located(kind, text, start, end, *fields):
    """Return a token or span of a text; its byte offsets must fall between characters."""
    part, before, after = located(text, start, end)
    return kind(part, *fields, start, end, before, after)


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


def _rows(result):
    if isinstance(result, TaggedTokens):
        return [("token", "tag"), *zip(result.tokens, result.tags, strict=False)]
    if isinstance(result, Spanned):
        head = ("span", "type", "score", "bytes", "characters")
        if not result.spans:
            return [("no spans",)]
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


def main(argv=None):
    """Run the program and return its exit status."""
    return program(
        argv,
        TaggingClient,
        _ask_for,
        _table,
        description="Ask a served tagger.",
        model="tagger",
        signatures=("serving_default", "pretokenized", "spans", "marginals", "k_best"),
        note="pretokenized splits each text at white space",
    )


if __name__ == "__main__":
    sys.exit(main())
