"""The features of examples by task: the same names in TFRecord and in Parquet."""

# Lists of strings, and lists of numbers in float32; all others are lists of integers.
TEXT_COLUMNS = (
    *("tokens", "source", "target", "text", "text2"),
    *("question_id", "question", "context", "answers"),
)
FLOAT_COLUMNS = ("value",)
TRANSLATION_COLUMNS = ("source", "target", "source_ids", "target_ids")

# What a tagger on BERT reads: parts of a sentence one after the other, and how long each is.
PART_COLUMNS = ("token_ids", "word_starts", "part_lengths")
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


def example_columns(characters, label=False, pieces=False):
    """Names of the columns of a tagger's examples.

    Args:
        characters: Whether words are spelled.
        label: Whether sentences have a label.
        pieces: Whether words are cut into the pieces of a BERT.
    """
    spelling = ("char_ids", "char_counts") if characters else ()
    labels, parts = ("label_id",) if label else (), PART_COLUMNS if pieces else ()
    return ("tokens", "word_ids", "tag_ids", *spelling, *labels, *parts)


def classification_columns(pairs, regression):
    """Names of the columns of labelled texts.

    Args:
        pairs: Whether a label is that of two texts.
        regression: Whether labels are numbers.
    """
    texts = ("text", "text2") if pairs else ("text",)
    return (*texts, "token_ids", "first_length", "value" if regression else "label_id")


def task_columns(task, options):
    """Names of the columns of a preparation's examples.

    Args:
        task: Name of the task, as the manifest holds it.
        options: Dict of the options, as the manifest holds them.
    """
    if task == "translation":
        return TRANSLATION_COLUMNS
    if task == "classification":
        return classification_columns(options["pairs"], options["task"] == "regression")
    if task == "question_answering":
        return QUESTION_COLUMNS
    if task == "pretraining":
        return PRETRAINING_COLUMNS if options["dupe_factor"] is None else STATIC_COLUMNS
    labelled = options["layout"].get("label") is not None
    return example_columns(options["characters"], labelled, "bert" in options)
