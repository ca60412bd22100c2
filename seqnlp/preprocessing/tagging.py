"""From files of labelled sentences to everything that training a tagger reads."""

import os

import apache_beam as beam

from seqnlp.preprocessing.examples import EncodeSentences, GroupByContent, RejectUnseen
from seqnlp.preprocessing.finish import Finish, remove_old, take_failure
from seqnlp.preprocessing.inputs import find_files
from seqnlp.preprocessing.readers import ReadSentences, SentenceReader
from seqnlp.preprocessing.running import PrepareError, make_pipeline, run_pipeline
from seqnlp.preprocessing.shards import WriteRejects, WriteShards
from seqnlp.preprocessing.split import FRACTIONS, SplitSentences
from seqnlp.preprocessing.vocabulary import ListLabels, ListTags, MakeText
from seqnlp.records import OUTPUT_FORMATS, SPLITS, import_pyarrow, read_manifest
from seqnlp.tag_schemes import ENCODINGS, converted_names

_HELD_OUT_SHARDS = 1


class PrepareTagging(beam.PTransform):
    """Reads, splits, counts, encodes and writes; the manifest comes last.

    Args:
        output: Folder to write to, on any file system of Beam.
        files: Dict from split to its list of paths; `train` at least.
        reader: A `SentenceReader`.
        options: Dict of the options as the manifest holds them.
    """

    def __init__(self, output, files, reader, options):
        super().__init__()
        self._output = output
        self._files = files
        self._reader = reader
        self._options = options

    def expand(self, root):
        """Applies the transform to the root of a pipeline; gives one element, a dict."""
        options, output = self._options, self._output
        splits, rejects, inputs = self._read(root)
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
        sources = {"sentences": splits["train"], "tags": tags, "labels": labels}
        text = sources | "MakeText" >> MakeText(options)
        buckets = [
            splits[split] | f"Bucket-{split}" >> beam.ParDo(GroupByContent(split))
            for split in SPLITS
        ]
        encoded = (
            buckets
            | "FlattenSplits" >> beam.Flatten()
            | "GroupEqual" >> beam.GroupByKey()
            | "Encode"
            >> beam.ParDo(EncodeSentences(options), beam.pvalue.AsSingleton(text)).with_outputs(
                "counts", main="examples"
            )
        )
        shards = encoded["examples"] | "WriteShards" >> WriteShards(output, options)
        rejects = (
            rejects | "FlattenRejects" >> beam.Flatten() | "WriteRejects" >> WriteRejects(output)
        )
        counts = encoded["counts"] | "SumCounts" >> beam.CombinePerKey(sum)
        return root | "Finish" >> Finish(output, options, shards, counts, rejects, inputs, text)

    def _read(self, root):
        """The splits as a dict, the rejects and the inputs as lists of PCollections."""
        splits, rejects, inputs = {}, [], []
        for split, files in self._files.items():
            read = root | f"Read-{split}" >> ReadSentences(files, self._reader)
            splits[split] = read["sentences"]
            rejects.append(read["rejects"])
            named = read["inputs"] | f"Name-{split}" >> beam.Map(_with_split, split)
            inputs.append(named)
        parts = SplitSentences(self._options["fractions"], self._options["seed"])
        splits.update(splits["train"] | "SplitTrain" >> parts)
        return splits, rejects, inputs | "FlattenInputs" >> beam.Flatten()


def _with_split(entry, split):
    return split, entry


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
        ValueError: An argument is wrong; nothing was written.
        PrepareError: The corpus cannot be used or the output cannot be written; there is no
            manifest.
    """
    files = _find_all(train, dev, test)
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
        "output_format": output_format,
        "num_shards": {"train": num_shards, "eval": _HELD_OUT_SHARDS, "test": _HELD_OUT_SHARDS},
        "seed": seed,
        "max_rejects": max_rejects,
        "fractions": FRACTIONS[frozenset(SPLITS) - set(files)],
    }
    _check_options(options)
    return _run(os.fspath(output), files, reader, options, pipeline_options)


def _run(output, files, reader, options, pipeline_options):
    """Runs the pipeline; returns the manifest that it wrote last."""
    pipeline = make_pipeline(pipeline_options)
    pipeline | "PrepareTagging" >> PrepareTagging(output, files, reader, options)
    remove_old(output)
    run_pipeline(pipeline)
    message = take_failure(output)
    if message is not None:
        raise PrepareError(message)
    return read_manifest(output, verify=False)


def _find_all(train, dev, test):
    given = {"train": ("train", train), "eval": ("dev", dev), "test": ("test", test)}
    return {
        split: find_files(argument, patterns)
        for split, (argument, patterns) in given.items()
        if patterns is not None
    }


def _check_options(options):
    _check_encodings(options["input_encoding"], options["encoding"])
    least = {"min_count": 1, "max_word_length": 1, "seed": 0}
    for name, minimum in least.items():
        if options[name] < minimum:
            raise ValueError(
                f"`{name}` must be at least {minimum}. Received: {name}={options[name]}"
            )
    if options["num_shards"]["train"] < 1:
        received = options["num_shards"]["train"]
        raise ValueError(f"`num_shards` must be at least 1. Received: num_shards={received}")
    if options["output_format"] not in OUTPUT_FORMATS:
        raise ValueError(
            f"`output_format` must be one of {', '.join(OUTPUT_FORMATS)}. "
            f"Received: output_format={options['output_format']!r}"
        )
    if options["output_format"] == "parquet":
        import_pyarrow()  # workers need it
    size = options["vocabulary_size"]
    if size is not None and size < 3:
        raise ValueError(
            "`vocabulary_size` must be at least 3, the two specials and a word. "
            f"Received: vocabulary_size={size}"
        )
    if not 0 <= options["max_rejects"] <= 1:
        raise ValueError(
            "`max_rejects` must be a share from 0 to 1. "
            f"Received: max_rejects={options['max_rejects']}"
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
