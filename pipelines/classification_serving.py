"""The export and check stages of `pipelines.classification`."""

import random

import numpy as np

from pipelines import exports, trained_model
from pipelines.classification_evaluation import outputs_of, softmax
from pipelines.exports import BATCH, CHECKED, EDGE_STRINGS, SERVED_TEXT, WARM_UP
from seqnlp.export import classification_signatures
from seqnlp.records import read_labelled_texts, read_manifest
from seqnlp.text import BERTText


def export(options):
    """Writes the next version below `serving/NAME`; returns its folder."""
    exports.check_blessed(options)
    model, text, labels = _load(options)
    texts = _texts(options, WARM_UP)
    signatures = classification_signatures(model, text, labels, pairs=len(texts[0]) == 2)
    requests = [(name, _inputs(texts)) for name in signatures]
    return exports.write_version(options, model, text, signatures, requests)


def _load(options):
    model, text, labels = trained_model.load_classifier(options.output / "model.keras")
    return exports.in_float32(model), text, labels


def _texts(options, number):
    """Tuples of texts of the test split, the same ones each time."""
    manifest = read_manifest(str(options.output / "examples"), task="classification")
    texts = [texts for texts, _ in read_labelled_texts(manifest.folder, "test")]
    return random.Random(options.seed).sample(texts, min(number, len(texts)))


def _inputs(texts):
    columns = map(list, zip(*texts, strict=True))
    return dict(zip(("text", "text2"), columns, strict=False))


def check(options):
    """Serves the newest version and compares its answers with the model's; returns a report."""
    from serving.check import check_export

    newest = exports.newest_version(options)
    texts = _texts(options, CHECKED - len(EDGE_STRINGS))
    sides = EDGE_STRINGS, EDGE_STRINGS[::-1]
    texts += list(zip(*sides[: len(texts[0])], strict=True))
    model, _, labels = _load(options)
    expected = Expected(model, BERTText.load(str(newest / SERVED_TEXT)), labels)
    batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
    cases = [case for batch in batches for case in expected.cases(batch)]
    return check_export(newest, options.name, cases)


class Expected:
    """What the signatures must answer, by `model.predict` and NumPy.

    Args:
        model: The model.
        text: `BERTText` of the export.
        labels: List of the names of the classes, or None of numbers.
    """

    def __init__(self, model, text, labels):
        self.model = model
        self.text = text
        self.labels = labels

    def cases(self, texts):
        """A case for each signature, as `serving.check.write_cases` takes them."""
        inputs, truncated = self.text.inputs(*map(list, zip(*texts, strict=True)))
        rest = {"truncated": truncated.numpy().tolist()}
        yield _case("serving_default", texts, self.answers(texts) | rest)
        states = self.model.encoder.predict_on_batch(inputs)
        real = (inputs["token_ids"].numpy() != 0)[..., None]
        mean = np.where(real, states["tokens"], 0).sum(axis=1) / real.sum(axis=1)
        embedded = {"pooled": states["pooled"].tolist(), "mean": mean.tolist()}
        yield _case("embeddings", texts, embedded | rest)

    def answers(self, texts):
        """The columns of `serving_default`, but for `truncated`."""
        outputs = outputs_of(self.model, self.text, texts, len(texts))
        if self.labels is None:
            return {"value": outputs.tolist()}
        scores = softmax(outputs)
        return {
            "label": [self.labels[at] for at in scores.argmax(axis=1)],
            "label_scores": scores.tolist(),
            "label_names": [self.labels] * len(texts),
        }


def _case(signature, texts, outputs):
    return {"signature": signature, "inputs": _inputs(texts), "outputs": outputs}
