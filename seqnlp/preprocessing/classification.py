"""From files of labelled texts to everything that training a classifier reads."""

import apache_beam as beam

from seqnlp.preprocessing.classification_examples import EncodeLabelledTexts, RejectUnseenLabels
from seqnlp.preprocessing.classification_task import ClassificationTask
from seqnlp.preprocessing.inputs import find_files, find_splits
from seqnlp.preprocessing.labelled_texts import LabelledTextReader, ReadLabelledTexts
from seqnlp.preprocessing.preparation import (
    WriteExamples,
    check_least,
    check_output,
    output_options,
    prepare,
    read_splits,
)
from seqnlp.preprocessing.pretraining_text import MakeBERTText, bert_text, read_vocabulary
from seqnlp.preprocessing.split import SplitSentences
from seqnlp.preprocessing.vocabulary import CountValues, ListLabels
from seqnlp.records import classification_columns


class PrepareClassification(beam.PTransform):
    """Reads, splits, learns word pieces, encodes and writes; the manifest comes last.

    Args:
        output: Folder to write to, on any file system of Beam.
        files: Dict from split to its list of paths; `train` at least.
        reader: A `LabelledTextReader`.
        options: Dict of the options as the manifest holds them.
        tokens: List of `str`, the vocabulary, or None to learn one.
    """

    def __init__(self, output, files, reader, options, tokens=None):
        super().__init__()
        self._output = output
        self._files = files
        self._reader = reader
        self._options = options
        self._tokens = tokens

    def expand(self, root):
        """Applies the transform to the root of a pipeline; gives one element, a dict."""
        options = self._options
        splits, rejects, inputs = read_splits(
            root,
            self._files,
            lambda files: ReadLabelledTexts(files, self._reader),
            "examples",
            SplitSentences(options["fractions"], options["seed"], _texts),
        )
        text = self._text(root, splits["train"])
        if options["task"] == "classification":
            labels = splits["train"] | "ListLabels" >> ListLabels()
            for split in ("eval", "test"):
                known = splits[split] | f"Known-{split}" >> beam.ParDo(
                    RejectUnseenLabels(), beam.pvalue.AsSingleton(labels)
                ).with_outputs("rejects", main="examples")
                splits[split] = known["examples"]
                rejects.append(known["rejects"])
            text |= "AddLabels" >> beam.Map(_with_labels, beam.pvalue.AsSingleton(labels))
        else:
            text |= "NoLabels" >> beam.Map(_with_labels, None)
        rejects |= "FlattenRejects" >> beam.Flatten()
        found = {**splits, "rejects": rejects, "inputs": inputs, "text": text}
        columns = classification_columns(options["pairs"], options["task"] == "regression")
        encode = EncodeLabelledTexts(options)
        task = ClassificationTask(options)
        return found | "Write" >> WriteExamples(self._output, options, task, encode, columns)

    def _text(self, root, train):
        """One dict, see `MakeBERTText`."""
        if self._tokens is not None:
            made = bert_text(self._tokens, self._options)
            return root | "Text" >> beam.Create([made], reshuffle=False)
        counts = train | "CountWords" >> CountValues(_words)
        return counts | "Learn" >> MakeBERTText(self._options)


def _texts(record):
    return record.texts


def _words(record):
    for text in record.texts:
        yield from text.split()


def _with_labels(text, labels):
    if text["config"] is None:
        return text
    return {**text, "config": {**text["config"], "labels": labels}}


def prepare_classification(
    output,
    train,
    dev=None,
    test=None,
    *,
    input_format="tsv",
    layout=None,
    task="classification",
    max_text_bytes=100_000,
    vocabulary=None,
    vocabulary_size=8000,
    lowercase=False,
    max_length=128,
    output_format="tfrecord",
    num_shards=1,
    seed=0,
    max_rejects=0.01,
    pipeline_options=None,
):
    """Prepares texts or pairs of texts with a label or a number each, with Apache Beam.

    The same input and options give the same bytes, on any runner, any number of workers and
    from any order of the files. Missing splits are split off `train` by a hash of the texts.
    Input that cannot be used goes to `rejects/rejects.jsonl` with its place and the reason. Each
    file of the examples is in the order of a hash of their content. Longer texts than a model
    reads are cut, the longer one of a pair first, and counted; their strings are whole.

    Args:
        output: Folder to write to. What an earlier preparation left there is removed.
        train: Path or pattern of the training files, or a list of them: plain, .gz or .xz.
        dev: The same for evaluation during training, or None.
        test: The same for the test, or None.
        input_format: `"tsv"`, `"csv"` or `"jsonl"`.
        layout: Dict of arguments of the format, see `LabelledTextReader`. With a `text2` every
            label is that of two texts.
        task: `"classification"`, or `"regression"` where labels are numbers.
        max_text_bytes: Most bytes of a text; a longer one is a reject.
        vocabulary: Path of a vocab.txt of BERT, or None to learn one of the training split.
        vocabulary_size: Most word pieces that are learned.
        lowercase: Whether case and accents are taken away.
        max_length: Most ids of an input, its specials among them.
        output_format: `"tfrecord"` for gzip-compressed `tf.train.Example`s, or `"parquet"`,
            which is read without TensorFlow.
        num_shards: Files of the training split; the others have one.
        seed: Seed of the split and of the order of the examples.
        max_rejects: Largest share of rejected examples, from 0 to 1.
        pipeline_options: List of Beam's options, as `["--runner=FlinkRunner"]`.

    Returns:
        The `seqnlp.records.Manifest`.

    Raises:
        ImportError: A package is missing; the message names its extra.
        FileNotFoundError: There is no such vocabulary.
        ValueError: An argument is wrong; nothing was written.
        PrepareError: The corpus cannot be used or the output cannot be written; there is no
            manifest.
    """
    layout = {name: value for name, value in (layout or {}).items() if value is not None}
    reader = LabelledTextReader(input_format, task, max_text_bytes, **layout)
    files = find_splits(find_files, train, dev, test)
    tokens = None if vocabulary is None else read_vocabulary(vocabulary)
    options = {
        "input_format": input_format,
        "layout": layout,
        "task": task,
        "pairs": len(reader.format.texts) == 2,
        "max_text_bytes": max_text_bytes,
        "vocabulary_size": vocabulary_size if tokens is None else len(tokens),
        "lowercase": lowercase,
        "max_length": max_length,
        **output_options(files, output_format, num_shards, seed, max_rejects),
    }
    check_least(options, {"vocabulary_size": 6, "max_length": 5, "seed": 0})
    check_output(options)
    return prepare(
        output,
        lambda folder: PrepareClassification(folder, files, reader, options, tokens),
        pipeline_options,
    )
