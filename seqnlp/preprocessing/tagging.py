"""From files of labelled sentences to everything that training a tagger reads."""

import apache_beam as beam

from seqnlp.preprocessing.examples import EncodeSentences, RejectUnseen, content_of
from seqnlp.preprocessing.inputs import find_files, find_splits
from seqnlp.preprocessing.preparation import (
    WriteExamples,
    check_least,
    check_output,
    output_options,
    prepare,
    read_splits,
)
from seqnlp.preprocessing.readers import ReadSentences, SentenceReader
from seqnlp.preprocessing.split import SplitSentences
from seqnlp.preprocessing.subset import TakeSome
from seqnlp.preprocessing.tagging_pieces import AddPieces, bert_options
from seqnlp.preprocessing.tagging_task import TaggingTask
from seqnlp.preprocessing.vocabulary import ListLabels, ListTags, MakeText
from seqnlp.records import task_columns
from seqnlp.tag_schemes import ENCODINGS, converted_names


class PrepareTagging(beam.PTransform):
    """Reads, splits, counts, encodes and writes; the manifest comes last.

    Args:
        output: Folder to write to, on any file system of Beam.
        files: Dict from split to its list of paths; `train` at least.
        reader: A `SentenceReader`.
        options: Dict of the options as the manifest holds them.
        pieces: List of the pieces of a BERT, or None: with `bert` among the options they are
            then learned.
    """

    def __init__(self, output, files, reader, options, pieces=None):
        super().__init__()
        self._output = output
        self._files = files
        self._reader = reader
        self._options = options
        self._pieces = pieces

    def expand(self, root):
        """Applies the transform to the root of a pipeline; gives one element, a dict."""
        options, more = self._options, {}
        splits, rejects, inputs = read_splits(
            root,
            self._files,
            lambda files: ReadSentences(files, self._reader),
            "sentences",
            SplitSentences(options["fractions"], options["seed"]),
        )
        if "max_train_examples" in options:
            some = TakeSome(options["max_train_examples"], content_of, options["seed"])
            taken = splits["train"] | "TakeSome" >> some
            splits["train"], more = taken["records"], {"counts": taken["counts"]}
        tags = splits["train"] | "ListTags" >> ListTags()
        labels = splits["train"] | "ListLabels" >> ListLabels()
        for split in ("eval", "test"):
            known = splits[split] | f"Known-{split}" >> beam.ParDo(
                RejectUnseen(), beam.pvalue.AsSingleton(tags), beam.pvalue.AsSingleton(labels)
            ).with_outputs("rejects", main="sentences")
            splits[split] = known["sentences"]
            rejects.append(known["rejects"])
        tags |= "ConvertTags" >> beam.Map(
            converted_names, options["input_encoding"], options["encoding"]
        )
        text = self._text(splits["train"], tags, labels)
        rejects |= "FlattenRejects" >> beam.Flatten()
        found = {**splits, **more, "rejects": rejects, "inputs": inputs, "text": text}
        return found | "Write" >> self._write()

    def _text(self, sentences, tags, labels):
        """One dict, see `MakeText` and `AddPieces`."""
        sources = {"sentences": sentences, "tags": tags, "labels": labels}
        text = sources | "MakeText" >> MakeText(self._options)
        if "bert" not in self._options:
            return text
        add = AddPieces(self._options["bert"], self._pieces)
        return {"text": text, "sentences": sentences} | "BERT" >> add

    def _write(self):
        options = self._options
        task, encode = TaggingTask("bert" in options), EncodeSentences(options)
        columns = task_columns(task.name, options)
        return WriteExamples(self._output, options, task, encode, columns)


def prepare_tagging(
    output,
    train,
    dev=None,
    test=None,
    *,
    input_format="conll",
    layout=None,
    encoding="none",
    train_encoding=None,
    max_length=None,
    max_token_bytes=1000,
    min_count=1,
    vocabulary_size=None,
    normal_form="nfc",
    lowercase=True,
    digits=True,
    characters=True,
    max_word_length=20,
    bert=None,
    max_train_examples=None,
    output_format="tfrecord",
    num_shards=4,
    seed=0,
    max_rejects=0.01,
    pipeline_options=None,
):
    """Prepares a corpus for a tagger, with Apache Beam.

    The same input and options give the same bytes, on any runner and any number of workers.
    Missing splits are split off `train` by a hash of the sentence. Input that cannot be used
    goes to `rejects/rejects.jsonl` with its place and the reason.

    Args:
        output: Folder to write to. What an earlier preparation left there is removed.
        train: Path or pattern of the training files, or a list of them: plain, .gz or .xz.
        dev: The same for evaluation during training, or None.
        test: The same for the test, or None.
        input_format: `"conll"`, `"conllu"` or `"jsonl"`.
        layout: Dict of arguments of the format, see `SentenceReader`. With a `label` every
            sentence has a label of its own beside its tags.
        encoding: Tag scheme that the tags must keep, one of `seqnlp.tag_schemes.ENCODINGS`.
        train_encoding: Tag scheme of the examples, into which the tags are converted; None
            is that of the files.
        max_length: Most tokens of a sentence; None takes all.
        max_token_bytes: Most bytes of a token.
        min_count: Rarer words are unknown words.
        vocabulary_size: Largest number of word ids; None keeps all.
        normal_form: `"nfc"`, `"nfkc"` or None: the Unicode normal form of words.
        lowercase: Whether words are lower-cased.
        digits: Whether every digit of a word becomes 0.
        characters: Whether the examples hold the ids of the words' characters.
        max_word_length: Most characters of a word.
        bert: Dict of what cuts words into the pieces of a BERT, for a `BERTTagger`, or None for
            a tagger that reads words: `vocabulary`, path of a vocab.txt, without which one is
            learned of the words of the training split; `vocabulary_size`, most pieces that are
            learned; `lowercase`, whether case and accents are taken away; and `max_length`, most
            ids that are read at once. Sentences of more come in parts of whole words.
        max_train_examples: Most sentences of the training split; others are left out, by a hash
            of their content. None takes all.
        output_format: `"tfrecord"` for gzip-compressed `tf.train.Example`s, or `"parquet"`,
            which is read without TensorFlow: a list column for each of their features.
        num_shards: Files of the training split; the others have one.
        seed: Seed of the split and of the order of the examples.
        max_rejects: Largest share of rejected sentences, from 0 to 1.
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
    files = find_splits(find_files, train, dev, test)
    layout = {name: value for name, value in (layout or {}).items() if value is not None}
    reader = SentenceReader(input_format, encoding, max_length, max_token_bytes, **layout)
    options = {
        "input_format": input_format,
        "layout": layout,
        "input_encoding": encoding,
        "encoding": encoding if train_encoding is None else train_encoding,
        "max_length": max_length,
        "max_token_bytes": max_token_bytes,
        "min_count": min_count,
        "vocabulary_size": vocabulary_size,
        "normalizer": {"form": normal_form, "lowercase": lowercase, "digits": digits},
        "characters": characters,
        "max_word_length": max_word_length,
        **output_options(files, output_format, num_shards, seed, max_rejects),
    }
    pieces = None
    if bert is not None:
        options["bert"], pieces = bert_options(bert)
    if max_train_examples is not None:
        options["max_train_examples"] = max_train_examples
        check_least(options, {"max_train_examples": 2})
    _check_options(options)
    return prepare(
        output,
        lambda folder: PrepareTagging(folder, files, reader, options, pieces),
        pipeline_options,
    )


def _check_options(options):
    _check_encodings(options["input_encoding"], options["encoding"])
    check_least(options, {"min_count": 1, "max_word_length": 1, "seed": 0})
    check_output(options)
    size = options["vocabulary_size"]
    if size is not None and size < 3:
        raise ValueError(
            "`vocabulary_size` must be at least 3, the two specials and a word. "
            f"Received: vocabulary_size={size}"
        )
    form = options["normalizer"]["form"]
    if form not in (None, "nfc", "nfkc"):
        raise ValueError(
            f"`normal_form` must be 'nfc', 'nfkc' or None. Received: normal_form={form!r}"
        )


def _check_encodings(encoding, train_encoding):
    """The first is known to be one of `ENCODINGS`; the second is equal to it where not given."""
    if encoding == "none" and train_encoding != "none":
        raise ValueError(
            "`train_encoding` must be None where the tags of the files mark no spans. "
            f"Received: train_encoding={train_encoding!r}"
        )
    schemes = [name for name in ENCODINGS if name != "none"]
    if encoding != "none" and train_encoding not in schemes:
        raise ValueError(
            f"`train_encoding` must be one of {', '.join(schemes)}. "
            f"Received: train_encoding={train_encoding!r}"
        )
