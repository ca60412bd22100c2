"""The features of examples by task: the same names in TFRecord and in Parquet."""

# Lists of strings; all others are lists of integers.
TEXT_COLUMNS = (
    *("tokens", "source", "target"),
    *("question_id", "question", "context", "answers"),
)
TRANSLATION_COLUMNS = ("source", "target", "source_ids", "target_ids")

PRETRAINING_COLUMNS = ("token_ids", "first_length", "is_next", "key")
STATIC_COLUMNS = (*PRETRAINING_COLUMNS, "positions", "labels")  # with a `dupe_factor`

# An example is a window; the texts are in the first window of a question alone.
WINDOW_COLUMNS = ("token_ids", "first_length", "start", "end")
OFFSET_COLUMNS = ("piece_starts", "piece_ends")
QUESTION_COLUMNS = (
    *WINDOW_COLUMNS,
    *OFFSET_COLUMNS,
    *("window", "question_id", "question", "context", "answers"),
)


def example_columns(characters, label=False):
    """Names of the columns of a tagger's examples.

    Args:
        characters: Whether words are spelled.
        label: Whether sentences have a label.
    """
    spelling = ("char_ids", "char_counts") if characters else ()
    return ("tokens", "word_ids", "tag_ids", *spelling, *(("label_id",) if label else ()))


def task_columns(task, options):
    """Names of the columns of a preparation's examples.

    Args:
        task: Name of the task, as the manifest holds it.
        options: Dict of the options, as the manifest holds them.
    """
    if task == "translation":
        return TRANSLATION_COLUMNS
    if task == "question_answering":
        return QUESTION_COLUMNS
    if task == "pretraining":
        return PRETRAINING_COLUMNS if options["dupe_factor"] is None else STATIC_COLUMNS
    return example_columns(options["characters"], options["layout"].get("label") is not None)
