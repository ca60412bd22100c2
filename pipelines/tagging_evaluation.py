"""The evaluate stage of `pipelines.tagging`."""

import collections
import json
from typing import NamedTuple

import numpy as np

from pipelines import trained_model
from pipelines.evaluation import bless, forget, verdict
from seqnlp import plot
from seqnlp.callbacks import joint_scores, tag_scores
from seqnlp.metrics import span_scores
from seqnlp.records import read_labels, read_manifest, read_sentences
from seqnlp.tag_schemes import convert

FILES = ("evaluation.json", "confusion.png", "label_confusion.png", "errors.txt")
SHOWN_ERRORS = 50
MEASURES = ("joint_score", "f1", "token_accuracy")  # what a model is judged by: the first it has


class Answer(NamedTuple):
    """What is said of sentences: lists of tag names, and a list of labels or None."""

    tags: list
    labels: list | None = None


def evaluate(options):
    """Scores the test split and writes evaluation.json, pictures, examples and the blessing."""
    manifest = read_manifest(str(options.output / "examples"))
    encoding = manifest.options["encoding"]
    sentences = list(read_sentences(manifest.folder, "test"))
    truth = _truth(manifest, sentences)
    settings = (sentences, encoding, options.batch_size)
    answer = predict(options.output / "model.keras", *settings)
    _check_labels(options.output / "model.keras", answer, manifest)
    rivals = {"most frequent tag": most_frequent(manifest, sentences)}
    if options.previous:
        rivals["previous model"] = predict(options.previous, *settings)
    answers = {"model": answer, **rivals}
    scores = {name: _scores(truth, given, encoding) for name, given in answers.items()}
    measures = [name for name in MEASURES if name in scores["model"]]
    blessed = all(_beats(scores["model"], scores[rival], measures) for rival in rivals)
    report = {
        "blessed": blessed,
        "measure": measures[0],
        "sentences": len(sentences),
        "tokens": sum(map(len, truth.tags)),
        "scores": scores,
    }
    if encoding != "none":
        report["spans"] = span_scores(truth.tags, answer.tags, encoding=encoding)
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    _write_confusion(options.output / "confusion.png", truth.tags, answer.tags)
    if truth.labels:
        sides = ([[label] for label in side.labels] for side in (truth, answer))
        _write_confusion(options.output / "label_confusion.png", *sides)
    _write_errors(options.output / "errors.txt", sentences, truth, answer)
    bless(options.output, blessed)
    _print(report)


def _truth(manifest, sentences):
    labels = None if manifest.label is None else list(read_labels(manifest.folder, "test"))
    return Answer([tags for _, tags in sentences], labels)


def _scores(truth, answer, encoding):
    if not (truth.labels and answer.labels):
        return tag_scores(truth.tags, answer.tags, encoding)
    labels = list(zip(truth.labels, answer.labels, strict=True))
    return joint_scores(truth.tags, answer.tags, labels, encoding)


def _beats(scores, rival, measures):
    """Whether the scores exceed a rival's in the first measure that it has too.

    Where sentences have labels that is `joint_score`, in which both tasks weigh the same; a
    previous model that gives tags alone is beaten in those.
    """
    measure = next(measure for measure in measures if measure in rival)
    return scores[measure] > rival[measure]


def _check_labels(path, answer, manifest):
    if manifest.label is not None and answer.labels is None:
        raise ValueError(
            f"{path}: expected a model that labels sentences, as the examples were prepared with "
            f"--label {manifest.label}; run the train stage again. Received: a model of tags alone"
        )


def predict(path, sentences, encoding, batch_size):
    """The `Answer` of the model of a `.keras` file, with its own text, to every sentence.

    Tags that mark spans are converted to `encoding`.
    """
    import tensorflow as tf

    model, text, learnt = trained_model.load(path)
    comparable = "none" not in (learnt, encoding)
    names, predicted, labels = text.tags, [], []
    for at in range(0, len(sentences), batch_size):
        tokens = [tokens for tokens, _ in sentences[at : at + batch_size]]
        outputs = model.predict_on_batch(text.inputs(tf.ragged.constant(tokens)))
        for row, words in zip(outputs["tags"], tokens, strict=True):
            tags = [names[tag] for tag in row[: len(words)]]
            predicted.append(convert(tags, learnt, encoding) if comparable else tags)
        labels += [text.labels[label] for label in outputs.get("label", ())]
    return Answer(predicted, labels or None)


def forget_evaluation(output):
    """Removes what an evaluation said of a model that is no more."""
    forget(output, FILES)


def most_frequent(manifest, sentences):
    """The baseline, an `Answer`: most frequent tags, and the most frequent label of training."""
    labels = None
    if manifest.label is not None:
        label = _most_common(collections.Counter(read_labels(manifest.folder, "train")))
        labels = [label] * len(sentences)
    return Answer(most_frequent_tags(manifest.folder, sentences), labels)


def most_frequent_tags(folder, sentences):
    """Each token's most frequent tag in training, the overall one if unseen."""
    counts, overall = collections.defaultdict(collections.Counter), collections.Counter()
    for tokens, tags in read_sentences(folder, "train"):
        overall.update(tags)
        for token, tag in zip(tokens, tags, strict=True):
            counts[token][tag] += 1
    best = {token: _most_common(tags) for token, tags in counts.items()}
    fallback = _most_common(overall)
    return [[best.get(token, fallback) for token in tokens] for tokens, _ in sentences]


def _most_common(counter):
    return min(counter, key=lambda tag: (-counter[tag], tag))


def _write_confusion(path, true, predicted):
    tags = sorted({tag for side in (true, predicted) for row in side for tag in row})
    tags.sort(key=lambda tag: tag != "O")
    ids = {tag: index for index, tag in enumerate(tags)}
    counts = np.zeros((len(tags), len(tags)), dtype="int64")
    for row, guess in zip(true, predicted, strict=True):
        np.add.at(counts, ([ids[tag] for tag in row], [ids[tag] for tag in guess]), 1)
    path.write_bytes(plot.png(plot.confusion(counts, tags)))


def _write_errors(path, sentences, truth, answer):
    """The sentences with most wrong tags, a token a line: token, true tag, predicted tag.

    Where sentences have labels, their first line holds the true and the predicted one.
    """
    wrong = []
    for index, (tokens, tags) in enumerate(sentences):
        rows = list(zip(tokens, tags, answer.tags[index], strict=True))
        if truth.labels:
            rows.insert(0, ("# label", truth.labels[index], answer.labels[index]))
        faults = sum(true != guess for _, true, guess in rows)
        if faults:
            wrong.append((faults, rows))
    wrong.sort(key=lambda entry: -entry[0])
    kinds = "tags or labels" if truth.labels else "tags"
    lines = [f"# {len(wrong)} of {len(sentences)} sentences have wrong {kinds}; the worst first"]
    for faults, rows in wrong[:SHOWN_ERRORS]:
        lines.append(f"\n# {faults} wrong")
        lines += ["\t".join([*row, "" if row[1] == row[2] else "<--"]).rstrip() for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _print(report):
    measure = report["measure"]
    print(f"{report['sentences']} sentences, {report['tokens']} tokens of the test split")
    for name, scores in report["scores"].items():
        listed = ", ".join(f"{key} {value:.4f}" for key, value in scores.items())
        print(f"{name:>18}: {listed}")
    for name, row in report.get("spans", {}).items():
        print(
            f"{name:>18}: precision {row['precision']:.4f}, recall {row['recall']:.4f}, "
            f"f1 {row['f1']:.4f}, {row['support']} spans"
        )
    print(verdict(report["blessed"], measure))
