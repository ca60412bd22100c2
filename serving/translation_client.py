"""Client of a served translator: `python serving/translation_client.py "Where is the station?"`.

Standard library only; to use it in another project, copy it together with client.py.
"""

import math
import sys
from typing import NamedTuple

try:
    from serving.client import Client, checked_texts, first, program
except ModuleNotFoundError:  # run as a file, which lies beside client.py
    from client import Client, checked_texts, first, program


class Translation(NamedTuple):
    """A translation of `source`.

    `score` is the logarithm of its probability, over a power of its length if the export says so.
    It is not `finished` where it was stopped at the longest length, and `truncated` where the
    model did not see all of the source.
    """

    source: str
    text: str
    score: float
    finished: bool
    truncated: bool


class Hypothesis(NamedTuple):
    """One of the best translations of a source; the rest as in `Translation`.

    `alignment` has for each piece how much each of the source pieces counted, or is None where
    the model cannot tell.
    """

    text: str
    score: float
    finished: bool
    pieces: list
    alignment: list | None = None


class Ranked(NamedTuple):
    """A source, the pieces that the model saw of it, and its best translations, best first."""

    source: str
    pieces: list
    hypotheses: list
    truncated: bool


class Scored(NamedTuple):
    """A given translation with its log probability, in all and of each of its pieces.

    The last piece is the end. `truncated` if the model did not see all of either side.
    """

    source: str
    target: str
    log_probability: float
    pieces: list
    token_log_probabilities: list
    truncated: bool


class TranslationClient(Client):
    """Asks one translator of one server; the arguments are those of `Client`."""

    def translate(self, texts):
        """Translate texts.

        Args:
            texts: List of `str`.

        Returns:
            List of `Translation`, one a text.

        Raises:
            ServingError: With a sentence that names the server and what it said.
            ValueError: A text is no string or holds what UTF-8 cannot encode.
        """
        return self.ask_all("serving_default", checked_texts(texts), _translation)

    def n_best(self, texts):
        """Find the best translations: a list of `Ranked`, one a text. Raises as `translate`."""
        return self.ask_all("n_best", checked_texts(texts), _ranked)

    def score(self, pairs):
        """Score given translations.

        Args:
            pairs: List of `(source, target)`, both `str`.

        Returns:
            List of `Scored`, one a pair.

        Raises:
            ServingError, ValueError: As `translate`.
        """
        pairs = [tuple(checked_texts(pair)) for pair in pairs]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError(
                f"`pairs` must each be a source and a target. Received: pairs={pairs}"
            )
        sides = [[pair[side] for pair in pairs] for side in (0, 1)]
        inputs = dict(zip(("source", "target"), sides, strict=True))
        return self.ask_all("score", pairs, _scored, inputs)


def _translation(text, answer, index):
    names = ("translations", "scores", "finished", "truncated")
    return Translation(text, *(answer[name][index] for name in names))


def _ranked(text, answer, index):
    source = answer["source_lengths"][index]
    hypotheses = []
    for at in range(answer["paths"][index]):
        length = answer["lengths"][index][at]
        alignment = None
        if "alignments" in answer:
            rows = first(answer["alignments"][index][at], length)
            alignment = [first(row, source) for row in rows]
        columns = (answer[name][index][at] for name in ("translations", "scores", "finished"))
        pieces = first(answer["pieces"][index][at], length)
        hypotheses.append(Hypothesis(*columns, pieces, alignment))
    pieces = first(answer["source_pieces"][index], source)
    return Ranked(text, pieces, hypotheses, answer["truncated"][index])


def _scored(pair, answer, index):
    length = answer["lengths"][index]
    columns = (
        first(answer[name][index], length) for name in ("pieces", "token_log_probabilities")
    )
    total = answer["log_probabilities"][index]
    return Scored(*pair, total, *columns, answer["truncated"][index])


def _ask_for(client, signature, lines):
    if signature == "score":
        return client.score([line.split("\t") for line in lines])
    return getattr(client, "translate" if signature == "serving_default" else signature)(lines)


def _shown(result):
    """A result as lines of text."""
    if isinstance(result, Scored):
        lines = [result.source, f"  {result.target}  ({result.log_probability:.4f})"]
        parts = zip(result.pieces, result.token_log_probabilities, strict=True)
        lines.append("  " + " ".join(f"{piece} {math.exp(p):.4f}" for piece, p in parts))
    elif isinstance(result, Ranked):
        lines = [result.source, *(_line(hypothesis) for hypothesis in result.hypotheses)]
    else:
        lines = [result.source, _line(result)]
    cut = ["(cut: the model did not see all of it)"] if result.truncated else []
    return "\n".join([*lines, *cut])


def _line(translation):
    stopped = "" if translation.finished else ", stopped at the longest length"
    return f"  {translation.text}  ({translation.score:.4f}{stopped})"


def main(argv=None):
    """Run the program and return its exit status."""
    return program(
        argv,
        TranslationClient,
        _ask_for,
        _shown,
        description="Ask a served translator.",
        model="translator",
        signatures=("serving_default", "n_best", "score"),
        note="score takes a source and a target in each text, a tab between them",
    )


if __name__ == "__main__":
    sys.exit(main())
