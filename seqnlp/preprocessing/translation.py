"""From files of parallel text to everything that training a translator reads."""

import apache_beam as beam

from seqnlp.preprocessing.files import base_name
from seqnlp.preprocessing.inputs import find_files, find_pairs, find_splits
from seqnlp.preprocessing.pairs import PairReader, ReadPairs
from seqnlp.preprocessing.preparation import (
    WriteExamples,
    check_least,
    check_output,
    output_options,
    prepare,
    read_splits,
)
from seqnlp.preprocessing.split import SplitSentences
from seqnlp.preprocessing.translation_examples import EncodePairs
from seqnlp.preprocessing.translation_task import TranslationTask
from seqnlp.preprocessing.translation_text import SUBWORDS, CountWords, MakeTranslationText
from seqnlp.records import SPLITS, TRANSLATION_COLUMNS


class PrepareTranslation(beam.PTransform):
    """Reads, splits, learns subwords, encodes and writes; the manifest comes last.

    Args:
        output: Folder to write to, on any file system of Beam.
        files: Dict from split to its list of paths, or of pairs of paths where the reader's
            format is `parallel`; `train` at least.
        reader: A `PairReader`.
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
        options, names = self._options, self._names()
        numbers = {name: number for number, name in enumerate(names)}
        splits, rejects, inputs = read_splits(
            root,
            self._files,
            lambda files: ReadPairs(files, self._reader),
            "pairs",
            SplitSentences(options["fractions"], options["seed"], _source),
        )
        rejects |= "FlattenRejects" >> beam.Flatten()
        words = [
            splits[split] | f"Words-{split}" >> CountWords(split, numbers) for split in SPLITS
        ]
        text = (
            words
            | "FlattenWords" >> beam.Flatten()
            | "MakeText" >> MakeTranslationText(options, rejects)
        )
        found = {**splits, "rejects": rejects, "inputs": inputs, "text": text}
        task = TranslationTask(numbers, list(names.values()), list(self._files))
        encode = EncodePairs(options, list(names))
        write = WriteExamples(self._output, options, task, encode, TRANSLATION_COLUMNS)
        return found | "Write" >> write

    def _names(self):
        """Dict from the names of files that pairs hold to those without folders, sorted."""
        groups = {
            file if isinstance(file, tuple) else (file,)
            for f in self._files.values()
            for file in f
        }
        return {" + ".join(group): " + ".join(map(base_name, group)) for group in sorted(groups)}


def _source(pair):
    return (pair.source,)


def prepare_translation(
    output,
    train,
    dev=None,
    test=None,
    *,
    input_format="parallel",
    layout=None,
    max_line_tokens=1000,
    max_line_bytes=10_000,
    subwords="bpe",
    vocabulary_size=8000,
    joint=True,
    subword_settings=None,
    max_length=256,
    output_format="tfrecord",
    num_shards=4,
    seed=0,
    max_rejects=0.01,
    pipeline_options=None,
):
    """Prepares parallel text for a translator, with Apache Beam.

    The same input and options give the same bytes, on any runner, any number of workers and
    from any order of the files. Missing splits are split off `train` by a hash of the source.
    Input that cannot be used goes to `rejects/rejects.jsonl` with its place and the reason; two
    files of different length end the preparation. The examples of `dev` and `test` are in the
    order of the files' paths and lines, so translations of the test split line up with its file
    but for rejected lines.

    Args:
        output: Folder to write to. What an earlier preparation left there is removed.
        train: The training files, plain, .gz or .xz. Two things, the files of the source and
            those of the target, each a path, a pattern or a list of them, where `input_format`
            is `"parallel"`: lines of the same number translate each other. Else one of them.
        dev: The same for evaluation during training, or None.
        test: The same for the test, or None.
        input_format: `"parallel"`, `"tsv"` or `"jsonl"`.
        layout: Dict of arguments of the format, see `PairReader`.
        max_line_tokens: Most tokens, parted by white space, of a sentence; a longer one is a
            reject in every split.
        max_line_bytes: The same in bytes.
        subwords: Kind of the subwords, `"bpe"`, `"unigram"` or `"wordpiece"`.
        vocabulary_size: Number of ids (of word pieces the most), of each side where they are
            not joint.
        joint: Whether both sides share their subwords.
        subword_settings: Dict of further arguments of `learn_sentence_piece`, or of
            `learn_word_piece`.
        max_length: Most pieces of a sentence, or None. Longer pairs of training are rejects. Those
            of the other splits stay, so that scores are those of the whole split: their ids are
            cut, as the text cuts what a served model is sent, and their strings are whole.
        output_format: `"tfrecord"` for gzip-compressed `tf.train.Example`s, or `"parquet"`,
            which is read without TensorFlow: a list column for each of their features.
        num_shards: Files of the training split; the others have one.
        seed: Seed of the split and of the order of the training examples.
        max_rejects: Largest share of rejected pairs, from 0 to 1.
        pipeline_options: List of Beam's options, as `["--runner=FlinkRunner"]`.

    Returns:
        The `seqnlp.records.Manifest`. Its `statistics["warnings"]` is a list of sentences on
        what looks wrong: files whose source and target are exchanged.

    Raises:
        ImportError: A package is missing; the message names its extra.
        ValueError: An argument is wrong; nothing was written.
        PrepareError: The corpus cannot be used or the output cannot be written; there is no
            manifest.
    """
    layout = {name: value for name, value in (layout or {}).items() if value is not None}
    reader = PairReader(input_format, max_line_tokens, max_line_bytes, **layout)
    find = find_pairs if reader.format.num_files == 2 else find_files
    files = find_splits(find, train, dev, test)
    options = {
        "input_format": input_format,
        "layout": layout,
        "max_line_tokens": max_line_tokens,
        "max_line_bytes": max_line_bytes,
        "subwords": subwords,
        "vocabulary_size": vocabulary_size,
        "joint": joint,
        "subword_settings": dict(subword_settings or {}),
        "max_length": max_length,
        **output_options(files, output_format, num_shards, seed, max_rejects),
    }
    _check_options(options)
    return prepare(
        output, lambda folder: PrepareTranslation(folder, files, reader, options), pipeline_options
    )


def _check_options(options):
    check_least(options, {"vocabulary_size": 5, "max_length": 1, "seed": 0})
    check_output(options)
    if options["subwords"] not in SUBWORDS:
        raise ValueError(
            f"`subwords` must be one of {', '.join(SUBWORDS)}. "
            f"Received: subwords={options['subwords']!r}"
        )
    kind, settings = options["subwords"], options["subword_settings"]
    if not set(settings) <= set(SUBWORDS[kind]):
        raise ValueError(
            f"`subword_settings` must hold arguments of {kind}, {', '.join(SUBWORDS[kind])}. "
            f"Received: subword_settings={settings}"
        )
