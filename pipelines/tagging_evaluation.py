"""The evaluate stage of `pipelines.tagging`."""

import collections
import json
import pathlib

import keras
import numpy as np

import seqnlp.models  # noqa: F401 - registers what a .keras file holds
from seqnlp import plot
from seqnlp.callbacks import decode, tag_scores
from seqnlp.metrics import span_scores
from seqnlp.records import read_manifest, read_sentences, tagging_batches
from seqnlp.text import TaggingText

BLESSED, NOT_BLESSED = "BLESSED", "NOT_BLESSED"
SHOWN_ERRORS = 50


def load_model(path):
    """The model of a `.keras` file; a `ValueError` says in a sentence why there is none."""
    if not path.is_file():
        raise ValueError(f"{path}: expected a .keras file; run the train stage first")
    try:
        return keras.models.load_model(path)
    except Exception as error:  # zip, JSON, HDF5 and Keras each raise their own
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"{path}: expected a .keras file that can be read; train again. "
            f"Received: {type(error).__name__}: {reason}"
        ) from None


def evaluate_tagger(options):
    """Scores the test split and writes evaluation.json, pictures, examples and the blessing."""
    manifest = read_manifest(str(options.output / "examples"))
    text = TaggingText.load(manifest.folder)
    encoding = manifest.options["encoding"]
    sentences = list(read_sentences(manifest.folder, "test"))
    true, predicted = decode_test(options.output / "model.keras", manifest, options)
    scores = {"model": tag_scores(true, predicted, text.tags, encoding)}
    guesses = most_frequent_tags(manifest.folder, sentences)
    tag_ids = {tag: index for index, tag in enumerate(text.tags)}
    guesses = [np.array([tag_ids[tag] for tag in row]) for row in guesses]
    scores["most frequent tag"] = tag_scores(true, guesses, text.tags, encoding)
    if options.previous:
        _, before = decode_test(pathlib.Path(options.previous), manifest, options)
        scores["previous model"] = tag_scores(true, before, text.tags, encoding)

    measure = "token_accuracy" if encoding == "none" else "f1"
    rivals = {name: row[measure] for name, row in scores.items() if name != "model"}
    blessed = all(scores["model"][measure] > rival for rival in rivals.values())
    names = [[[text.tags[tag] for tag in row] for row in side] for side in (true, predicted)]
    report = {
        "blessed": blessed,
        "measure": measure,
        "sentences": len(true),
        "tokens": sum(map(len, true)),
        "scores": scores,
    }
    if encoding != "none":
        report["spans"] = span_scores(*names, encoding=encoding)
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    _write_confusion(options.output / "confusion.png", true, predicted, text.tags)
    _write_errors(options.output / "errors.txt", sentences, names[1])
    _bless(options.output, blessed)
    _print(report)


def decode_test(path, manifest, options):
    """`(true, predicted)` tag ids of the test split under the model of a `.keras` file."""
    model = load_model(path)
    batches = tagging_batches(
        manifest.folder, "test", options.batch_size, characters=model.char_encoder is not None
    )
    return decode(model, batches)


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


def _write_confusion(path, true, predicted, tags):
    counts = np.zeros((len(tags), len(tags)), dtype="int64")
    for row, guess in zip(true, predicted, strict=True):
        np.add.at(counts, (row, guess), 1)
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
