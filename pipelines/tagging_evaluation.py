"""The evaluate stage of `pipelines.tagging`."""

import collections
import json

import numpy as np

from pipelines import trained_model
from seqnlp import plot
from seqnlp.callbacks import tag_scores
from seqnlp.metrics import span_scores
from seqnlp.records import read_manifest, read_sentences
from seqnlp.tag_schemes import convert

BLESSED, NOT_BLESSED = "BLESSED", "NOT_BLESSED"
SHOWN_ERRORS = 50


def evaluate_tagger(options):
    """Scores the test split and writes evaluation.json, pictures, examples and the blessing."""
    manifest = read_manifest(str(options.output / "examples"))
    encoding = manifest.options["encoding"]
    sentences = list(read_sentences(manifest.folder, "test"))
    true = [tags for _, tags in sentences]
    settings = (sentences, encoding, options.batch_size)
    predicted = predict(options.output / "model.keras", *settings)
    guesses = most_frequent_tags(manifest.folder, sentences)
    rivals = {"most frequent tag": guesses}
    if options.previous:
        rivals["previous model"] = predict(options.previous, *settings)
    scores = {"model": tag_scores(true, predicted, encoding)}
    scores |= {name: tag_scores(true, tags, encoding) for name, tags in rivals.items()}

    measure = "token_accuracy" if encoding == "none" else "f1"
    blessed = all(scores["model"][measure] > scores[rival][measure] for rival in rivals)
    report = {
        "blessed": blessed,
        "measure": measure,
        "sentences": len(true),
        "tokens": sum(map(len, true)),
        "scores": scores,
    }
    if encoding != "none":
        report["spans"] = span_scores(true, predicted, encoding=encoding)
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    _write_confusion(options.output / "confusion.png", true, predicted)
    _write_errors(options.output / "errors.txt", sentences, predicted)
    _bless(options.output, blessed)
    _print(report)


def predict(path, sentences, encoding, batch_size):
    """Tag names of every sentence under the model of a `.keras` file, with its own text.

    Tags that mark spans are converted to `encoding`.
    """
    import tensorflow as tf

    model, text, learnt = trained_model.load(path)
    comparable = "none" not in (learnt, encoding)
    names, predicted = text.tags, []
    for at in range(0, len(sentences), batch_size):
        tokens = [tokens for tokens, _ in sentences[at : at + batch_size]]
        outputs = model.predict_on_batch(text.inputs(tf.ragged.constant(tokens)))
        for row, words in zip(outputs["tags"], tokens, strict=True):
            tags = [names[tag] for tag in row[: len(words)]]
            predicted.append(convert(tags, learnt, encoding) if comparable else tags)
    return predicted


def forget_evaluation(output):
    """Removes what an evaluation said of a model that is no more."""
    for name in (BLESSED, NOT_BLESSED, "evaluation.json", "confusion.png", "errors.txt"):
        (output / name).unlink(missing_ok=True)


def most_frequent_tags(folder, sentences):
    """The baseline: each token's most frequent tag in training, the overall one if unseen."""
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


def _write_errors(path, sentences, predicted):
    """The sentences with most wrong tags, a token a line: token, true tag, predicted tag."""
    wrong = []
    for (tokens, tags), guess in zip(sentences, predicted, strict=True):
        faults = sum(a != b for a, b in zip(tags, guess, strict=True))
        if faults:
            wrong.append((faults, list(zip(tokens, tags, guess, strict=True))))
    wrong.sort(key=lambda entry: -entry[0])
    lines = [f"# {len(wrong)} of {len(sentences)} sentences have wrong tags; the worst first"]
    for faults, rows in wrong[:SHOWN_ERRORS]:
        lines.append(f"\n# {faults} wrong")
        lines += ["\t".join([*row, "" if row[1] == row[2] else "<--"]).rstrip() for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _bless(output, blessed):
    for name in (BLESSED, NOT_BLESSED):
        (output / name).unlink(missing_ok=True)
    (output / (BLESSED if blessed else NOT_BLESSED)).touch()


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
    verdict = f"{BLESSED}: " if report["blessed"] else f"{NOT_BLESSED}: not "
    print(f"{verdict}above every rival in {measure}")
