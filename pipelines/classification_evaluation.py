"""The evaluate stage of `pipelines.classification`."""

import collections
import json
from typing import NamedTuple

import numpy as np

from pipelines import trained_model
from pipelines.evaluation import bless, forget, verdict
from seqnlp import plot
from seqnlp.metrics import class_scores, number_scores
from seqnlp.records import read_labelled_texts, read_manifest

FILES = ("evaluation.json", "confusion.png", "errors.txt")
SHOWN_ERRORS = 50
TITLE = "Texts: true label in the row, predicted in the column"


class Answer(NamedTuple):
    """What is said of texts: a list of labels or numbers, and how sure each label is, or None."""

    labels: list
    confidence: list | None = None


def forget_evaluation(output):
    """Removes what an evaluation said of a model that is no more."""
    forget(output, FILES)


def evaluate(options):
    """Scores the test split and writes evaluation.json, a picture, errors and the blessing."""
    manifest = read_manifest(str(options.output / "examples"), task="classification")
    regression = manifest.options["task"] == "regression"
    texts, truth = map(list, zip(*read_labelled_texts(manifest.folder, "test"), strict=True))
    settings = (texts, regression, options.batch_size)
    answers = {"model": predict(options.output / "model.keras", *settings)}
    name = "mean" if regression else "most frequent label"
    answers[name] = constant(manifest, len(texts))
    if options.previous:
        answers["previous model"] = predict(options.previous, *settings)
    score = number_scores if regression else class_scores
    scores = {name: score(truth, answer.labels) for name, answer in answers.items()}
    rivals = [rival for name, rival in scores.items() if name != "model"]
    blessed = all(beats(scores["model"], rival) for rival in rivals)
    measure = "pearson, with a smaller mse" if regression else "accuracy"
    report = {"blessed": blessed, "measure": measure, "examples": len(texts), "scores": scores}
    forget_evaluation(options.output)
    (options.output / "evaluation.json").write_text(
        json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    if not regression:
        _write_confusion(options.output / "confusion.png", truth, answers["model"].labels)
    _write_errors(options.output / "errors.txt", texts, truth, answers["model"])
    bless(options.output, blessed)
    _print(report)


def beats(scores, rival):
    """Whether a model is more accurate than a rival; of numbers, correlates more and errs less.

    One number for all texts correlates with nothing, so that its error must be undercut, too.
    """
    if "mse" in scores:
        return scores["pearson"] > rival["pearson"] and scores["mse"] < rival["mse"]
    return scores["accuracy"] > rival["accuracy"]


def predict(path, texts, regression, batch_size):
    """The `Answer` of the model of a `.keras` file, with its own text, to every tuple of texts.

    Raises:
        ValueError: The model cannot be read, or tells numbers where labels are wanted.
    """
    model, text, names = trained_model.load_classifier(path)
    if (names is None) != regression:
        kinds = ("a model of labels", "a model of numbers")
        raise ValueError(
            f"{path}: expected {kinds[regression]}, as the examples have. "
            f"Received: {kinds[not regression]}"
        )
    outputs = outputs_of(model, text, texts, batch_size)
    if regression:
        return Answer(outputs.astype("float64").tolist())
    scores = softmax(outputs)
    labels = [names[at] for at in scores.argmax(axis=1)]
    return Answer(labels, scores.max(axis=1).tolist())


def outputs_of(model, text, texts, batch_size):
    """What a model tells of tuples of texts, `(texts,)` or `(texts, labels)`, in their order."""
    found = []
    for at in range(0, len(texts), batch_size):
        inputs, _ = text.inputs(*map(list, zip(*texts[at : at + batch_size], strict=True)))
        found.append(np.asarray(model.predict_on_batch(inputs)))
    return np.concatenate(found)


def softmax(logits):
    """Probabilities `(texts, labels)` in float64."""
    scores = np.exp(logits.astype("float64") - logits.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def constant(manifest, number):
    """The baseline, an `Answer`: the most frequent label of training, or the mean number."""
    train = manifest.statistics["splits"]["train"]
    if "values" in train:
        return Answer([train["values"]["mean"]] * number)
    counts = collections.Counter(train["labels"])
    return Answer([min(counts, key=lambda label: (-counts[label], label))] * number)


def _write_confusion(path, true, predicted):
    labels = sorted({*true, *predicted})
    ids = {label: at for at, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype="int64")
    np.add.at(counts, ([ids[label] for label in true], [ids[label] for label in predicted]), 1)
    path.write_bytes(plot.png(plot.confusion(counts, labels, TITLE)))


def _write_errors(path, texts, truth, answer):
    """The wrong labels that the model is most sure of, or the numbers that are furthest off."""
    if answer.confidence is None:
        order = "the furthest off first"
        weights = [abs(x - y) for x, y in zip(truth, answer.labels, strict=True)]
    else:
        order, weights = "the most confident first", answer.confidence
    rows = zip(weights, truth, answer.labels, texts, strict=True)
    wrong = sorted((row for row in rows if row[1] != row[2]), key=lambda row: -row[0])
    lines = [f"# {len(wrong)} of {len(texts)} answers are wrong; {order}"]
    for weight, true, predicted, sides in wrong[:SHOWN_ERRORS]:
        lines.append(f"\n# {weight:.4f}\ntrue      {_shown(true)}\npredicted {_shown(predicted)}")
        lines += [f"text      {' '.join(side.split())}" for side in sides]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shown(label):
    return label if isinstance(label, str) else f"{label:.4f}"


def _print(report):
    print(f"{report['examples']} examples of the test split")
    for name, scores in report["scores"].items():
        listed = ", ".join(f"{key} {x:.4f}" for key, x in scores.items() if key != "classes")
        print(f"{name:>20}: {listed}")
    for name, row in report["scores"]["model"].get("classes", {}).items():
        print(
            f"{name:>20}: precision {row['precision']:.4f}, recall {row['recall']:.4f}, "
            f"f1 {row['f1']:.4f}, {row['support']} texts"
        )
    print(verdict(report["blessed"], report["measure"]))
