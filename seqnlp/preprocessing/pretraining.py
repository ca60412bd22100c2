"""From files of plain text to everything that pretraining BERT reads."""

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from seqnlp.preprocessing.documents import DocumentReader, ReadDocuments
from seqnlp.preprocessing.finish import Finish
from seqnlp.preprocessing.inputs import find_files, find_splits
from seqnlp.preprocessing.preparation import (
    check_least,
    check_output,
    output_options,
    prepare,
    read_splits,
)
from seqnlp.preprocessing.pretraining_examples import EncodeDocuments, WritePairs
from seqnlp.preprocessing.pretraining_task import PretrainingTask
from seqnlp.preprocessing.pretraining_text import MakeBERTText, bert_text, read_vocabulary
from seqnlp.preprocessing.shards import WriteRejects
from seqnlp.preprocessing.spill import Spill, remove_spilled
from seqnlp.preprocessing.split import SplitSentences
from seqnlp.preprocessing.vocabulary import CountValues
from seqnlp.records import SPLITS

# Bytes of text that make a shard: this bounds the memory of a worker.
_SHARD_BYTES = 1 << 25


class PreparePretraining(beam.PTransform):
    """Reads, splits, learns word pieces, makes pairs and writes; the manifest comes last.

    The files are read twice where word pieces are learned, so that no runner holds the text.

    Args:
        output: Folder to write to, on any file system of Beam.
        files: Dict from split to its list of paths; `train` at least.
        reader: A `DocumentReader`.
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
        text = self._text(root)
        splits, rejects, inputs = read_splits(
            root, self._files, self._read, "documents", self._split()
        )
        config = beam.pvalue.AsSingleton(text)
        encoded = [
            splits[split]
            | f"Encode-{split}"
            >> beam.ParDo(EncodeDocuments(split, options), config).with_outputs(
                "counts", main="documents"
            )
            for split in SPLITS
        ]
        places = [
            found["documents"] | f"Spill-{split}" >> beam.ParDo(Spill(self._output))
            for split, found in zip(SPLITS, encoded, strict=True)
        ]
        numbers = options["num_shards"].items()
        empty = root | "Shards" >> beam.Create(
            [((split, number), None) for split, count in numbers for number in range(count)],
            reshuffle=False,
        )
        written = (
            [*places, empty]
            | "FlattenPlaces" >> beam.Flatten()
            | "GroupShards" >> beam.GroupByKey()
            | "WritePairs"
            >> beam.ParDo(WritePairs(self._output, options), config).with_outputs(
                "counts", main="shards"
            )
        )
        counts = [written["counts"], *(found["counts"] for found in encoded)]
        results = {
            "shards": written["shards"],
            "counts": counts
            | "FlattenCounts" >> beam.Flatten()
            | "SumCounts" >> beam.CombinePerKey(sum),
            "rejects": rejects
            | "FlattenRejects" >> beam.Flatten()
            | "WriteRejects" >> WriteRejects(self._output),
            "inputs": inputs,
            "text": text,
        }
        return root | "Finish" >> Finish(self._output, options, PretrainingTask(), results)

    def _read(self, files):
        return ReadDocuments(files, self._reader)

    def _split(self):
        return SplitSentences(self._options["fractions"], self._options["seed"], _whole)

    def _text(self, root):
        """One dict, see `MakeBERTText`."""
        options = self._options
        if self._tokens is not None:
            made = bert_text(self._tokens, options)
            return root | "Text" >> beam.Create([made], reshuffle=False)
        found = root | "ReadWords" >> self._read(self._files["train"])
        train = (found["documents"] | "SplitWords" >> self._split())["train"]
        counts = train | "CountWords" >> CountValues(_words)
        return counts | "Learn" >> MakeBERTText(options)


def _whole(document):
    return (document.whole.hex(),)


def _words(document):
    for sentence in document.sentences:
        yield from sentence.split()


def prepare_pretraining(
    output,
    train,
    dev=None,
    test=None,
    *,
    language="en",
    max_line_bytes=1_000_000,
    max_document_bytes=1_000_000,
    vocabulary=None,
    vocabulary_size=8000,
    lowercase=False,
    max_length=128,
    short_share=0.1,
    dupe_factor=None,
    most_predictions=20,
    mask_share=0.15,
    whole_words=False,
    output_format="tfrecord",
    num_shards=None,
    seed=0,
    max_rejects=0.01,
    pipeline_options=None,
):
    """Prepares plain text for pretraining BERT, with Apache Beam.

    The same input and options give the same bytes, on any runner, any number of workers and
    from any order of the files. Missing splits are split off `train`, whole documents, by a hash
    of their text. Lines that cannot be used go to `rejects/rejects.jsonl` with their place and
    the reason. Memory is bounded by `num_shards`, not by the corpus: documents are grouped in
    files.

    Args:
        output: Folder to write to. What an earlier preparation left there is removed.
        train: The training files, plain, .gz or .xz: a path, a pattern or a list of them. Blank
            lines part documents.
        dev: The same for evaluation during training, or None.
        test: The same for the test, or None.
        language: Code of the language whose rules find the sentences of a line, or None where
            each line is one.
        max_line_bytes: Most bytes of a line; a longer one is a reject.
        max_document_bytes: Longer documents come in parts.
        vocabulary: Path of a vocab.txt of BERT, or None to learn one.
        vocabulary_size: Most word pieces that are learned.
        lowercase: Whether case and accents are taken away.
        max_length: Most ids of a pair, its specials among them.
        short_share: Share of pairs that are to be of random length.
        dupe_factor: How often each document is made into pairs, whose tokens are then hidden
            once and for all; None to make them once and hide others in each epoch.
        most_predictions: Of a pair with a `dupe_factor`, most tokens that are chosen.
        mask_share: Of those, the share that is chosen.
        whole_words: Whether they are chosen word by word.
        output_format: `"tfrecord"` or `"parquet"`, which is read without TensorFlow.
        num_shards: Files of the training split; None sizes them by the input.
        seed: Seed of all that is drawn.
        max_rejects: Largest share of rejects among documents and rejects, from 0 to 1.
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
    reader = DocumentReader(language, max_line_bytes, max_document_bytes)
    files = find_splits(find_files, train, dev, test)
    if num_shards is None:
        num_shards = -(-_text_bytes(files["train"]) // _SHARD_BYTES)
    tokens = None if vocabulary is None else read_vocabulary(vocabulary)
    options = {
        "language": language,
        "max_line_bytes": max_line_bytes,
        "max_document_bytes": max_document_bytes,
        "vocabulary_size": vocabulary_size if tokens is None else len(tokens),
        "lowercase": lowercase,
        "max_length": max_length,
        "short_share": short_share,
        "dupe_factor": dupe_factor,
        "most_predictions": most_predictions,
        "mask_share": mask_share,
        "whole_words": whole_words,
        **output_options(files, output_format, num_shards, seed, max_rejects),
    }
    _check_options(options)
    try:
        return prepare(
            output,
            lambda folder: PreparePretraining(folder, files, reader, options, tokens),
            pipeline_options,
        )
    finally:
        remove_spilled(str(output))


def _text_bytes(paths):
    """About the bytes of text in files; text is about a quarter of its size when compressed."""
    found = [item for path in paths for item in FileSystems.match([path])[0].metadata_list]
    return sum(
        item.size_in_bytes * (4 if item.path.endswith((".gz", ".xz")) else 1) for item in found
    )


def _check_options(options):
    least = {"vocabulary_size": 6, "max_length": 5, "most_predictions": 1, "dupe_factor": 1}
    check_least(options, {**least, "seed": 0})
    check_output(options)
    if not 0 <= options["short_share"] <= 1:
        raise ValueError(
            "`short_share` must be a share from 0 to 1. "
            f"Received: short_share={options['short_share']}"
        )
    if not 0 < options["mask_share"] < 1:
        raise ValueError(
            "`mask_share` must be a share above 0 and below 1. "
            f"Received: mask_share={options['mask_share']}"
        )
