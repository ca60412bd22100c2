"""From prepared examples back to sentences and pairs of them."""

import os

from seqnlp.records.columns import FLOAT_COLUMNS, TEXT_COLUMNS, task_columns
from seqnlp.records.manifest import read_manifest
from seqnlp.records.parquet import read_parquet
from seqnlp.records.tfrecord import import_tensorflow, read_tfrecord


def read_sentences(folder, split):
    """Yields the sentences of a split as text, in the order of the files.

    Args:
        folder: Folder that `prepare_tagging` wrote.
        split: One of `SPLITS`.

    Yields:
        `(tokens, tags)`, two lists of `str`.

    Raises:
        ValueError: As `read_manifest`, `read_tfrecord` and `read_parquet` raise it.
    """
    manifest = read_manifest(folder, verify=False, task="tagging")
    names = _names(folder, "tags.txt")
    for tokens, tag_ids in rows_of(manifest, split, "tokens", "tag_ids"):
        yield tokens, [names[index] for index in tag_ids]


def read_labels(folder, split):
    """Yields the label of each sentence of a split, in the order of `read_sentences`.

    Args:
        folder: Folder that `prepare_tagging` wrote, with a label.
        split: One of `SPLITS`.

    Raises:
        ValueError: As `read_sentences`, and where the sentences have no labels.
    """
    manifest = read_manifest(folder, verify=False, task="tagging")
    if manifest.label is None:
        raise ValueError(
            "`folder` must hold examples that were prepared with a label. "
            f"Received: folder={folder!r}"
        )
    names = _names(folder, "labels.txt")
    for ((label_id,),) in rows_of(manifest, split, "label_id"):
        yield names[label_id]


def read_pairs(folder, split):
    """Yields the pairs of sentences of a split, in the order of the files.

    For the eval and the test split that is the order of the lines that were prepared, and that of
    `translation_batches` with a `batch_size`.

    Args:
        folder: Folder that `prepare_translation` wrote.
        split: One of `SPLITS`.

    Yields:
        `(source, target)`, two `str`.

    Raises:
        ValueError: As `read_manifest`, `read_tfrecord` and `read_parquet` raise it.
    """
    manifest = read_manifest(folder, verify=False, task="translation")
    for (source,), (target,) in rows_of(manifest, split, "source", "target"):
        yield source, target


def read_labelled_texts(folder, split):
    """Yields the texts of a split with their labels, in the order of the files.

    Args:
        folder: Folder that `prepare_classification` wrote.
        split: One of `SPLITS`.

    Yields:
        `(texts, label)`: a tuple of one or two `str`, and a `str` or, of regression, a float.

    Raises:
        ValueError: As `read_manifest`, `read_tfrecord` and `read_parquet` raise it.
    """
    manifest = read_manifest(folder, verify=False, task="classification")
    *texts, _, _, label = task_columns(manifest.task, manifest.options)
    names = _names(folder, "labels.txt") if label == "label_id" else None
    for *cells, (value,) in rows_of(manifest, split, *texts, label):
        yield tuple(text for (text,) in cells), value if names is None else names[value]


def _names(folder, file):
    with open(os.path.join(folder, file), encoding="utf-8") as lines:
        return lines.read().split("\n")


def rows_of(manifest, split, *columns):
    """Yields the lists of the columns of every example of a split."""
    rows = _parquet_rows if manifest.output_format == "parquet" else _tfrecord_rows
    for path in manifest.shards(split):
        yield from rows(path, columns)


def _tfrecord_rows(path, columns):
    parse = import_tensorflow().train.Example.FromString
    for payload in read_tfrecord(path):
        features = parse(payload).features.feature
        yield [_values(name, features[name]) for name in columns]


def _values(name, feature):
    if name in TEXT_COLUMNS:
        return [text.decode() for text in feature.bytes_list.value]
    return (feature.float_list if name in FLOAT_COLUMNS else feature.int64_list).value


def _parquet_rows(path, columns):
    for table in read_parquet(path, columns):
        yield from zip(*(table[name].to_pylist() for name in columns), strict=True)
