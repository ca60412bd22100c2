"""From files of questions about texts to everything that training on them reads."""

import apache_beam as beam

from seqnlp.preprocessing.inputs import find_files, find_splits
from seqnlp.preprocessing.preparation import (
    WriteExamples,
    check_least,
    check_output,
    output_options,
    prepare,
    read_splits,
)
from seqnlp.preprocessing.pretraining_text import MakeBERTText, read_vocabulary
from seqnlp.preprocessing.question_examples import EncodeQuestions
from seqnlp.preprocessing.question_task import QuestionTask
from seqnlp.preprocessing.split import SplitSentences
from seqnlp.preprocessing.squad import ReadQuestions, SquadReader
from seqnlp.preprocessing.vocabulary import CountValues
from seqnlp.records.columns import QUESTION_COLUMNS

INPUT_FORMATS = ("squad",)


class PrepareQuestionAnswering(beam.PTransform):
    """Reads, splits, learns word pieces, cuts windows and writes; the manifest comes last.

    Args:
        output: Folder to write to, on any file system of Beam.
        files: Dict from split to its list of paths; `train` at least.
        options: Dict of the options as the manifest holds them.
        tokens: List of `str`, the vocabulary, or None to learn one.
    """

    def __init__(self, output, files, options, tokens=None):
        super().__init__()
        self._output = output
        self._files = files
        self._options = options
        self._tokens = tokens

    def expand(self, root):
        """Applies the transform to the root of a pipeline; gives one element, a dict."""
        options, reader = self._options, SquadReader()
        splits, rejects, inputs = read_splits(
            root,
            self._files,
            lambda files: ReadQuestions(files, reader),
            "questions",
            SplitSentences(options["fractions"], options["seed"], _context),
        )
        rejects |= "FlattenRejects" >> beam.Flatten()
        text = self._text(root, splits["train"])
        found = {**splits, "rejects": rejects, "inputs": inputs, "text": text}
        task = QuestionTask(sorted({file for files in self._files.values() for file in files}))
        encode = EncodeQuestions(options)
        write = WriteExamples(self._output, options, task, encode, QUESTION_COLUMNS)
        return found | "Write" >> write

    def _text(self, root, train):
        """One dict with the `config` of a `QuestionText` and `problem`, see `MakeBERTText`."""
        options = self._options
        names = ("lowercase", "max_length", "max_question_length", "stride")
        settings = {name: options[name] for name in names}
        if self._tokens is not None:
            made = {"config": {"tokens": self._tokens, **settings}, "problem": None}
            return root | "Text" >> beam.Create([made], reshuffle=False)
        counts = train | "CountWords" >> CountValues(_words)
        learned = counts | "Learn" >> MakeBERTText(options)
        return learned | "AddSizes" >> beam.Map(_with_settings, settings)


def _context(question):
    return (question.context,)


def _words(question):
    yield from question.question.split()
    if question.is_first:
        yield from question.context.split()


def _with_settings(text, settings):
    config = text["config"]
    return {**text, "config": None if config is None else {**config, **settings}}


def prepare_question_answering(
    output,
    train,
    dev=None,
    test=None,
    *,
    input_format="squad",
    vocabulary=None,
    vocabulary_size=8000,
    lowercase=False,
    max_length=384,
    stride=128,
    max_question_length=64,
    output_format="tfrecord",
    num_shards=4,
    seed=0,
    max_rejects=0.01,
    pipeline_options=None,
):
    """Prepares questions about texts for a model that finds their answers, with Apache Beam.

    The same input and options give the same bytes, on any runner and any number of workers.
    Missing splits are split off `train` by a hash of the context, so that no context is in two
    splits. Questions that cannot be used go to `rejects/rejects.jsonl` with their place and the
    reason. The examples hold all that scoring an answer needs.

    Args:
        output: Folder to write to. What an earlier preparation left there is removed.
        train: Path or pattern of the training files, or a list of them: plain, .gz or .xz.
        dev: The same for evaluation during training, or None.
        test: The same for the test, or None.
        input_format: `"squad"`, see `SquadReader`.
        vocabulary: Path of a vocab.txt of BERT, or None to learn one.
        vocabulary_size: Most word pieces that are learned.
        lowercase: Whether case and accents are taken away.
        max_length: Most ids of a window, see `seqnlp.text.QuestionText`.
        stride: Pieces from one window of a context to the next.
        max_question_length: Most pieces of a question; longer ones are cut and counted.
        output_format: `"tfrecord"` or `"parquet"`, which is read without TensorFlow.
        num_shards: Files of the training split; the others have one.
        seed: Seed of the split and of the order of the examples.
        max_rejects: Largest share of rejects among questions and rejects, from 0 to 1.
        pipeline_options: List of Beam's options, as `["--runner=FlinkRunner"]`.

    Returns:
        The `seqnlp.records.Manifest`.

    Raises:
        ImportError: A package is missing; the message names its extra.
        FileNotFoundError: There is no such vocabulary.
        ValueError: An argument is wrong; nothing was written.
        PrepareError: The questions cannot be used or the output cannot be written; there is no
            manifest.
    """
    from seqnlp.text.question_text import check_sizes

    if input_format not in INPUT_FORMATS:
        raise ValueError(
            f"`input_format` must be one of {', '.join(INPUT_FORMATS)}. "
            f"Received: input_format={input_format!r}"
        )
    check_sizes(max_length, max_question_length, stride)
    files = find_splits(find_files, train, dev, test)
    tokens = None if vocabulary is None else read_vocabulary(vocabulary)
    options = {
        "input_format": input_format,
        "vocabulary_size": vocabulary_size if tokens is None else len(tokens),
        "lowercase": lowercase,
        "max_length": max_length,
        "stride": stride,
        "max_question_length": max_question_length,
        **output_options(files, output_format, num_shards, seed, max_rejects),
    }
    check_least(options, {"vocabulary_size": 6, "seed": 0})
    check_output(options)
    return prepare(
        output,
        lambda folder: PrepareQuestionAnswering(folder, files, options, tokens),
        pipeline_options,
    )
