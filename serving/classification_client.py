"""Client of a served classifier: `python serving/classification_client.py "Cancel my flight"`.

It also asks models that tell a number, such as how similar two texts are. Standard library only;
to use it in another project, copy it together with client.py.
"""

import sys
from typing import NamedTuple

try:
    from serving.client import Client, checked_texts, program
except ModuleNotFoundError:  # run as a file, which lies beside client.py
    from client import Client, checked_texts, program


class Labelled(NamedTuple):
    """Texts, a tuple of one or two, with their label and the probability of each label.

    `truncated` if the model did not see all of them.
    """

    texts: tuple
    label: str
    label_scores: dict
    truncated: bool


class Valued(NamedTuple):
    """Texts with the number that the model tells of them; the rest as in `Labelled`."""

    texts: tuple
    value: float
    truncated: bool


class Embedded(NamedTuple):
    """Texts with two vectors, lists of float; the rest as in `Labelled`.

    `pooled` is what the encoder says of the first token, `mean` the mean over all tokens.
    """

    texts: tuple
    pooled: list
    mean: list
    truncated: bool


class ClassificationClient(Client):
    """Asks one classifier of one server; the arguments are those of `Client`."""

    def classify(self, texts):
        """Tell the labels of texts, or the numbers of them.

        Args:
            texts: List of `str`, or of pairs of `str` where the model tells something of two.

        Returns:
            List of `Labelled`, or of `Valued` where the model tells numbers, one a text or pair.

        Raises:
            ServingError: With a sentence that names the server and what it said.
            ValueError: A text is no string or holds what UTF-8 cannot encode, or there are single
                texts and pairs.
        """
        return self._ask_rows("serving_default", texts, _answer)

    def embed(self, texts):
        """Find the vectors of texts: a list of `Embedded`, one a text. Raises as `classify`."""
        return self._ask_rows("embeddings", texts, _embedded)

    def _ask_rows(self, signature, texts, read):
        rows = _rows(texts)
        columns = zip(*rows)  # noqa: B905
        inputs = {name: list(column) for name, column in zip(("text", "text2"), columns)}  # noqa: B905
        return self.ask_all(signature, rows, read, inputs) if rows else []


def _rows(texts):
    """Return the texts as tuples of one or two."""
    rows = [(text,) if isinstance(text, str) else tuple(text) for text in texts]
    rows = [tuple(checked_texts(row)) for row in rows]
    if any(len(row) not in (1, 2) or len(row) != len(rows[0]) for row in rows):
        raise ValueError(
            f"`texts` must hold strings, or pairs of strings alone. Received: texts={texts}"
        )
    return rows


def _answer(texts, answer, index):
    truncated = answer["truncated"][index]
    if "value" in answer:
        return Valued(texts, answer["value"][index], truncated)
    scores = zip(answer["label_names"][index], answer["label_scores"][index], strict=True)
    return Labelled(texts, answer["label"][index], dict(scores), truncated)


def _embedded(texts, answer, index):
    vectors = (answer[name][index] for name in ("pooled", "mean"))
    return Embedded(texts, *vectors, answer["truncated"][index])


def _ask_for(client, signature, lines):
    texts = [tuple(line.split("\t", 1)) for line in lines]
    return client.embed(texts) if signature == "embeddings" else client.classify(texts)


def _shown(result):
    """A result as lines of text."""
    lines = list(result.texts)
    if isinstance(result, Labelled):
        best = sorted(result.label_scores.items(), key=lambda item: -item[1])
        lines += [f"  {label}  ({score:.4f})" for label, score in best]
    elif isinstance(result, Valued):
        lines.append(f"  {result.value:.4f}")
    else:
        for name, vector in (("pooled", result.pooled), ("mean", result.mean)):
            begin = " ".join(f"{value:.4f}" for value in vector[:4])
            lines.append(f"  {name}  {begin} ... ({len(vector)} numbers)")
    cut = ["(cut: the model did not see all of it)"] if result.truncated else []
    return "\n".join([*lines, *cut])


def main(argv=None):
    """Run the program and return its exit status."""
    return program(
        argv,
        ClassificationClient,
        _ask_for,
        _shown,
        description="Ask a served classifier.",
        model="classifier",
        signatures=("serving_default", "embeddings"),
        note="where the model reads two texts, a tab stands between them",
    )


if __name__ == "__main__":
    sys.exit(main())
