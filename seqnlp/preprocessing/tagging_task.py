"""What a preparation has to know of tagging."""

from seqnlp.preprocessing.examples import content_of
from seqnlp.preprocessing.statistics import (
    describe_lengths,
    duplicates,
    schema_text,
    share,
    tabulate,
)
from seqnlp.preprocessing.task import Task
from seqnlp.records import SPLITS
from seqnlp.text.names import CHARACTERS_FILE, LABELS_FILE, SPECIALS, TEXT_FILES


class TaggingTask(Task):
    """Labelled sentences, see `Task`."""

    name = "tagging"
    record = "sentence"

    def content(self, record):
        """The content of a `Sentence`."""
        return content_of(record)

    def summarize(self, counts, rejects, text):
        """Dict with `splits`, `rejects` and `vocabulary`, see `Task`."""
        tables = tabulate(counts, ("totals", "lengths", "tags", "labels"))
        config = text["config"]
        vocabulary = {}
        if config is not None:
            vocabulary = {"words": len(config["words"]["tokens"]), "tags": len(config["tags"])}
            if config["characters"] is not None:
                vocabulary["characters"] = len(config["characters"]["tokens"])
            if config["labels"] is not None:
                vocabulary["labels"] = len(config["labels"])
        return {
            "splits": {split: _split_summary(split, tables[split]) for split in SPLITS},
            "rejects": {"count": rejects["count"], "kinds": rejects["kinds"]},
            "vocabulary": vocabulary,
        }

    def problem(self, statistics):
        """Fewer than two tags or labels, see `Task`."""
        tags = statistics["splits"]["train"]["tags"]
        labels = statistics["splits"]["train"].get("labels", ())
        if len(tags) < 2:
            return (
                f"the training split has one tag only, {next(iter(tags))!r}, and needs two",
                "Check which column or field holds the tags.",
            )
        if len(labels) == 1:
            return (
                f"the training split has one label only, {next(iter(labels))!r}, and needs two",
                "Check which comment or field holds the label, or prepare without labels.",
            )
        return None

    def schema(self, text):
        """The schema of a tagger's examples, see `Task`."""
        config, specials = text["config"], len(SPECIALS)
        integers = {
            "tag_ids": (0, len(config["tags"]) - 1),
            "word_ids": (1, len(config["words"]["tokens"]) + specials - 1),
        }
        if config["characters"] is not None:
            integers["char_ids"] = (1, len(config["characters"]["tokens"]) + specials - 1)
            integers["char_counts"] = (1, config["max_word_length"])
        if config["labels"] is not None:
            integers["label_id"] = (0, len(config["labels"]) - 1)
        return schema_text(integers, ["tokens"], ["label_id"])

    def save_text(self, folder, config):
        """Writes a `TaggingText`, see `Task`."""
        from seqnlp.text import TaggingText

        TaggingText.from_config(config).save(folder)
        optional = {CHARACTERS_FILE: config["characters"], LABELS_FILE: config["labels"]}
        return [name for name in TEXT_FILES if optional.get(name, True)]


def _split_summary(split, tables):
    sentences = sum(tables["lengths"].values())
    tokens = sum(length * count for length, count in tables["lengths"].items())
    totals = tables["totals"]
    labels = {"labels": dict(sorted(tables["labels"].items()))} if tables["labels"] else {}
    return {
        "sentences": sentences,
        "tokens": tokens,
        "lengths": describe_lengths(tables["lengths"]),
        "tags": dict(sorted(tables["tags"].items())),
        **labels,
        "out_of_vocabulary": share(totals.get("unknown", 0), tokens),
        "duplicates": duplicates(split, totals),
    }
