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
from seqnlp.text.bert_names import BERT_FILES
from seqnlp.text.names import CHARACTERS_FILE, LABELS_FILE, SPECIALS, TEXT_FILES

_OF_PARTS = ("parts", "part_lengths")  # of a sentence: their number, and the longest one


class TaggingTask(Task):
    """Labelled sentences, see `Task`.

    Args:
        bert: Whether words are cut into the pieces of a BERT.
    """

    name = "tagging"
    record = "sentence"

    def __init__(self, bert=False):
        self.packages = {"tensorflow_text": "tensorflow-text"} if bert else {}

    def content(self, record):
        """The content of a `Sentence`."""
        return content_of(record)

    def summarize(self, counts, rejects, text):
        """Dict with `splits`, `rejects` and `vocabulary`, see `Task`."""
        tables = tabulate(counts, ("totals", "lengths", "tags", "labels", *_OF_PARTS))
        config = text["config"]
        vocabulary = {}
        if config is not None:
            vocabulary = {"words": len(config["words"]["tokens"]), "tags": len(config["tags"])}
            if config["characters"] is not None:
                vocabulary["characters"] = len(config["characters"]["tokens"])
            if config["labels"] is not None:
                vocabulary["labels"] = len(config["labels"])
            if "bert" in config:
                vocabulary["pieces"] = len(config["bert"]["tokens"])
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
        if "bert" in config:
            integers["token_ids"] = (0, len(config["bert"]["tokens"]) - 1)
            integers["word_starts"] = (0, 1)
            integers["part_lengths"] = (3, config["bert"]["max_length"])
        return schema_text(integers, ["tokens"], ["label_id"])

    def save_text(self, folder, config):
        """Writes a `TaggingText`, see `Task`."""
        from seqnlp.text import TaggingText

        TaggingText.from_config(config).save(folder)
        bert_files = BERT_FILES if "bert" in config else ()
        optional = {CHARACTERS_FILE: config["characters"], LABELS_FILE: config["labels"]}
        return [*(name for name in TEXT_FILES if optional.get(name, True)), *bert_files]


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
        **{name: totals[name] for name in ("left_out",) if name in totals},
        **_parts_summary(tables),
        "out_of_vocabulary": share(totals.get("unknown", 0), tokens),
        "duplicates": duplicates(split, totals),
    }


def _parts_summary(tables):
    """What there is to say of the parts that a BERT reads; nothing where there are none."""
    if not tables["parts"]:
        return {}
    totals, found = tables["totals"], {name: describe_lengths(tables[name]) for name in _OF_PARTS}
    in_parts = sum(count for number, count in tables["parts"].items() if number > 1)
    unknown = share(totals.get("unknown_pieces", 0), totals.get("pieces", 0))
    return {**found, "in_several_parts": in_parts, "unknown_pieces": unknown}
