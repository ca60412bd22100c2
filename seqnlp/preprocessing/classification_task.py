"""What a preparation has to know of labelled texts."""

import os

from seqnlp.preprocessing.classification_examples import content_of, without_labels
from seqnlp.preprocessing.statistics import (
    describe_lengths,
    duplicates,
    quantiles,
    schema_text,
    share,
    tabulate,
)
from seqnlp.preprocessing.task import Task
from seqnlp.records import SPLITS
from seqnlp.text.bert_names import VOCABULARY_FILE
from seqnlp.text.names import CONFIG_FILE, LABELS_FILE

_DIGITS = 6


class ClassificationTask(Task):
    """Texts and pairs of texts with a label or a number, see `Task`.

    Args:
        options: Dict of the options as the manifest holds them.
    """

    name = "classification"
    record = "example"
    packages = {"tensorflow_text": "tensorflow-text"}  # noqa: RUF012

    def __init__(self, options):
        self._regression = options["task"] == "regression"
        self._pairs = options["pairs"]

    def content(self, record):
        """What `EncodeLabelledTexts` takes of a `LabelledText`."""
        return content_of(record)

    def summarize(self, counts, rejects, text):
        """Dict with `splits`, `rejects` and `vocabulary`, see `Task`."""
        tables = tabulate(counts, ("totals", "lengths", "labels"))
        config = text["config"]
        return {
            "splits": {split: self._split_summary(split, tables[split]) for split in SPLITS},
            "rejects": {"count": rejects["count"], "kinds": rejects["kinds"]},
            "vocabulary": {"size": 0 if config is None else len(config["tokens"])},
        }

    def problem(self, statistics):
        """Fewer than two labels or numbers, see `Task`."""
        train = statistics["splits"]["train"]
        kind, found = "label", [*train.get("labels", ())]
        if self._regression:
            kind, found = "number", [train["values"]["min"], train["values"]["max"]]
        if len(set(found)) < 2:
            return (
                f"the training split has one {kind} only, {found[0]!r}, and needs two",
                f"Check which column or field holds the {kind}.",
            )
        return None

    def schema(self, text):
        """The schema of the examples, see `Task`."""
        config = text["config"]
        texts = ["text", "text2"] if self._pairs else ["text"]
        integers = {
            "token_ids": (0, len(config["tokens"]) - 1),
            "first_length": (2, config["max_length"]),
        }
        if not self._regression:
            integers["label_id"] = (0, len(config["labels"]) - 1)
        numbers = ["value"] if self._regression else []
        single = [*texts, "first_length", "label_id", *numbers]
        return schema_text(integers, texts, single, numbers)

    def save_text(self, folder, config):
        """Writes a `BERTText` and the labels, see `Task`."""
        from seqnlp.text import BERTText
        from seqnlp.text.files import write_lines

        BERTText.from_config(without_labels(config)).save(folder)
        if config["labels"] is None:
            return [VOCABULARY_FILE, CONFIG_FILE]
        write_lines(os.path.join(folder, LABELS_FILE), config["labels"])
        return [VOCABULARY_FILE, CONFIG_FILE, LABELS_FILE]

    def _split_summary(self, split, tables):
        totals, labels = tables["totals"], sorted(tables["labels"].items())
        pieces = sum(length * count for length, count in tables["lengths"].items())
        described = {"values": _describe(labels)} if self._regression else {"labels": dict(labels)}
        return {
            "examples": sum(count for _, count in labels),
            "lengths": describe_lengths(tables["lengths"]),
            **described,
            "truncated": totals.get("truncated", 0),
            "out_of_vocabulary": share(totals.get("unknown", 0), pieces),
            "duplicates": duplicates(split, totals),
        }


def _describe(histogram):
    """Sorted `(number, count)` pairs -> dict with `min`, `max`, `mean` and `quantiles`."""
    total = sum(count for _, count in histogram)
    if not total:
        return {"min": 0.0, "max": 0.0, "mean": 0.0, "quantiles": {}}
    mean = sum(value * count for value, count in histogram) / total
    return {
        "min": histogram[0][0],
        "max": histogram[-1][0],
        "mean": round(mean, _DIGITS),
        "quantiles": quantiles(histogram, total),
    }
