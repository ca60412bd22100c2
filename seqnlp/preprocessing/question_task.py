"""What a preparation has to know of answering questions."""

from seqnlp.preprocessing.question_examples import content_of
from seqnlp.preprocessing.statistics import (
    describe_lengths,
    duplicates,
    schema_text,
    share,
    tabulate,
)
from seqnlp.preprocessing.task import Task
from seqnlp.records import SPLITS
from seqnlp.records.columns import OFFSET_COLUMNS
from seqnlp.text.bert_names import QUESTIONS_FILE, VOCABULARY_FILE
from seqnlp.text.names import CONFIG_FILE

_COUNTED = (
    *("questions", "windows", "without_answer", "questions_cut"),
    *("answers_within_pieces", "answers_without_pieces", "answers_in_no_window"),
)
_MOST = 2**31 - 1  # what every format holds


class QuestionTask(Task):
    """Questions about texts, see `Task`.

    Args:
        files: List of the paths of all files, as records hold them; contents hold their numbers.
    """

    name = "question_answering"
    record = "question"
    packages = {"tensorflow_text": "tensorflow-text"}  # noqa: RUF012

    def __init__(self, files):
        self._numbers = {file: number for number, file in enumerate(files)}

    def content(self, record):
        """The content of a `Question`."""
        return content_of(record, self._numbers[record.file])

    def summarize(self, counts, rejects, text):
        """Dict with `splits`, `rejects` and `vocabulary`, see `Task`."""
        tables = tabulate(counts, ("totals", "lengths"))
        config = text["config"]
        return {
            "splits": {split: _split_summary(split, tables[split]) for split in SPLITS},
            "rejects": {"count": rejects["count"], "kinds": rejects["kinds"]},
            "vocabulary": {"size": 0 if config is None else len(config["tokens"])},
        }

    def problem(self, statistics):
        """No answer to learn from or to score, see `Task`."""
        for split in SPLITS:
            found = statistics["splits"][split]
            if found["without_answer"] == found["questions"]:
                return (
                    f"none of the {found['questions']} questions of the {split} split has an "
                    "answer",
                    "Give questions with answers.",
                )
        return None

    def schema(self, text):
        """The schema of the examples, see `Task`."""
        config = text["config"]
        place = (0, config["max_length"] - 1)
        integers = {
            "token_ids": (0, len(config["tokens"]) - 1),
            "first_length": (2, config["max_length"]),
            "start": place,
            "end": place,
            "piece_starts": (0, _MOST),
            "piece_ends": (1, _MOST),
            "window": (0, _MOST),
        }
        single = ("first_length", "start", "end", "window", "question_id")
        optional = ("question", "context", "answers")
        return schema_text(
            integers,
            ["question_id", *optional],
            single,
            optional=(*optional, *OFFSET_COLUMNS),
        )

    def save_text(self, folder, config):
        """Writes a `QuestionText`, see `Task`."""
        from seqnlp.text import QuestionText

        QuestionText.from_config(config).save(folder)
        return [VOCABULARY_FILE, CONFIG_FILE, QUESTIONS_FILE]


def _split_summary(split, tables):
    totals = tables["totals"]
    return {
        **{name: totals.get(name, 0) for name in _COUNTED},
        "out_of_vocabulary": share(totals.get("unknown", 0), totals.get("pieces", 0)),
        "lengths": describe_lengths(tables["lengths"]),
        "duplicates": duplicates(split, totals),
    }
