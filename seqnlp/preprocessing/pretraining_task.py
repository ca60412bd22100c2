"""What a preparation has to know of pretraining BERT."""

from seqnlp.preprocessing.pretraining_text import text_of
from seqnlp.preprocessing.statistics import describe_lengths, schema_text, share, tabulate
from seqnlp.preprocessing.task import Task
from seqnlp.records import SPLITS
from seqnlp.text.bert_names import VOCABULARY_FILE
from seqnlp.text.names import CONFIG_FILE

_COUNTED = ("sentences", "sentences_without_pieces", "pieces", "pairs")
_LEFT_OUT = ("pieces_cut", "pieces_without_pair")


class PretrainingTask(Task):
    """Documents, of which pairs of spans are made, see `Task`."""

    name = "pretraining"
    record = "document"
    packages = {"tensorflow_text": "tensorflow-text", "sentencex": "sentencex"}  # noqa: RUF012

    def summarize(self, counts, rejects, text):
        """Dict with `splits`, `rejects` and `vocabulary`, see `Task`."""
        tables = tabulate(counts, ("totals", "lengths"))
        config = text["config"]
        return {
            "splits": {split: _split_summary(tables[split]) for split in SPLITS},
            "rejects": {"count": rejects["count"], "kinds": rejects["kinds"]},
            "vocabulary": {"size": 0 if config is None else len(config["tokens"])},
        }

    def problem(self, statistics):
        """Pairs need two pieces, and spans of another document one, see `Task`."""
        for split in SPLITS:
            found = statistics["splits"][split]
            lonely = found["lonely_documents"]
            if lonely:
                return (
                    f"{lonely} documents of the {split} split are alone in their shard, and half "
                    "of the pairs take their second span from another document",
                    "Give more documents (blank lines part them), or fewer `num_shards`.",
                )
            if not found["pairs"] and statistics["vocabulary"]["size"]:
                return (
                    f"the {split} split has no pair of spans, as its {found['documents']} "
                    f"documents are of {found['pieces']} pieces",
                    "Give documents of two pieces at least.",
                )
        return None

    def schema(self, text):
        """The schema of the examples, see `Task`."""
        config = text["config"]
        ids = (0, len(config["tokens"]) - 1)
        integers = {
            "token_ids": ids,
            "first_length": (3, config["max_length"]),
            "is_next": (0, 1),
            "key": (0, 2**31 - 1),
        }
        return schema_text(integers, (), ("first_length", "is_next", "key"))

    def save_text(self, folder, config):
        """Writes a `BERTText`, see `Task`."""
        text_of(config).save(folder)
        return [VOCABULARY_FILE, CONFIG_FILE]


def _split_summary(tables):
    totals = tables["totals"]
    return {
        "documents": totals.get("documents", 0),
        "lonely_documents": totals.get("lonely_documents", 0),
        **{name: totals.get(name, 0) for name in (*_COUNTED, *_LEFT_OUT)},
        "out_of_vocabulary": share(totals.get("unknown", 0), totals.get("pieces", 0)),
        "next": share(totals.get("next", 0), totals.get("pairs", 0)),
        "lengths": describe_lengths(tables["lengths"]),
    }
