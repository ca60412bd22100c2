"""Client of a served BERT: `python serving/bert_client.py "Paris is the [MASK] of France."`.

Standard library only; to use it in another project, copy it together with client.py.
"""

import sys
from typing import NamedTuple

try:
    from serving.client import Client, checked_texts, first, program
except ModuleNotFoundError:  # run as a file, which lies beside client.py
    from client import Client, checked_texts, first, program


class Filled(NamedTuple):
    """A text whose gaps are filled.

    `guesses` has for each gap a list of `(piece, probability)`, best first. `truncated` where the
    model did not see all of the text: gaps behind its end have no guesses.
    """

    source: str
    text: str
    guesses: list
    truncated: bool


class Embedded(NamedTuple):
    """A text as vectors: of its first state, and the mean of its states."""

    source: str
    pooled: list
    mean: list
    truncated: bool


class Following(NamedTuple):
    """Two texts, and the probability that the second one follows the first."""

    first: str
    second: str
    follows: float
    truncated: bool


class BERTClient(Client):
    """Asks one pretrained BERT of one server; the arguments are those of `Client`."""

    def fill_mask(self, texts):
        """Fill the gaps of texts.

        Args:
            texts: List of `str`, gaps written [MASK].

        Returns:
            List of `Filled`, one a text.

        Raises:
            ServingError: With a sentence that names the server and what it said.
            ValueError: A text is no string or holds what UTF-8 cannot encode.
        """
        return self.ask_all("fill_mask", checked_texts(texts), _filled)

    def embeddings(self, texts):
        """Turn texts into vectors: a list of `Embedded`. Raises as `fill_mask`."""
        return self.ask_all("embeddings", checked_texts(texts), _embedded)

    def next_sentence(self, pairs):
        """Tell whether texts follow on others.

        Args:
            pairs: List of `(first, second)`, both `str`.

        Returns:
            List of `Following`, one a pair.

        Raises:
            ServingError, ValueError: As `fill_mask`.
        """
        pairs = [tuple(checked_texts(pair)) for pair in pairs]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError(f"`pairs` must each be two texts. Received: pairs={pairs}")
        sides = [[pair[side] for pair in pairs] for side in (0, 1)]
        inputs = dict(zip(("text", "text_pair"), sides, strict=True))
        return self.ask_all("next_sentence", pairs, _following, inputs)


def _filled(text, answer, index):
    length = answer["lengths"][index]
    gaps = zip(*(first(answer[name][index], length) for name in ("pieces", "scores")), strict=True)
    guesses = [list(zip(*gap, strict=True)) for gap in gaps]
    return Filled(text, answer["filled"][index], guesses, answer["truncated"][index])


def _embedded(text, answer, index):
    return Embedded(text, *(answer[name][index] for name in ("pooled", "mean", "truncated")))


def _following(pair, answer, index):
    return Following(*pair, answer["follows"][index], answer["truncated"][index])


def _ask_for(client, signature, lines):
    if signature == "next_sentence":
        return client.next_sentence([line.split("\t") for line in lines])
    return getattr(client, "embeddings" if signature == "serving_default" else signature)(lines)


def _shown(result):
    """A result as lines of text."""
    if isinstance(result, Filled):
        lines = [result.source, f"  {result.text}"]
        lines += ["  " + ", ".join(f"{x} {p:.4f}" for x, p in gap) for gap in result.guesses]
    elif isinstance(result, Following):
        lines = [result.first, result.second, f"  follows with probability {result.follows:.4f}"]
    else:
        vectors = {"pooled": result.pooled, "mean": result.mean}
        lines = [result.source, *(f"  {name} {_short(x)}" for name, x in vectors.items())]
    cut = ["(cut: the model did not see all of it)"] if result.truncated else []
    return "\n".join([*lines, *cut])


def _short(vector):
    shown = " ".join(f"{x:.4f}" for x in vector[:6])
    return f"({len(vector)} numbers) {shown}{' ...' if len(vector) > 6 else ''}"


def main(argv=None):
    """Run the program and return its exit status."""
    return program(
        argv,
        BERTClient,
        _ask_for,
        _shown,
        description="Ask a served BERT.",
        model="bert",
        signatures=("fill_mask", "embeddings", "next_sentence", "serving_default"),
        note="gaps are written [MASK]; next_sentence takes two texts in each, a tab between them",
    )


if __name__ == "__main__":
    sys.exit(main())
