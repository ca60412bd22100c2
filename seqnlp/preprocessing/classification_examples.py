"""From labelled texts to the rows of their examples."""

import struct

import apache_beam as beam

from seqnlp.preprocessing.examples import unseen
from seqnlp.preprocessing.groups import FIELD, PART, EncodeGroups
from seqnlp.records import ROWS, classification_columns
from seqnlp.text.names import UNKNOWN_ID


class RejectUnseenLabels(beam.DoFn):
    """`LabelledText` -> itself; tagged `rejects`: a `Reject` where training lacks its label."""

    def process(self, record, labels):
        """Passes on one record; `labels` is the list of the training split."""
        # Where training has no text at all, that is the fault to be told.
        if labels and record.label not in labels:
            yield unseen(record, "label", record.label, labels, "\t".join(record.texts))
        else:
            yield record


class EncodeLabelledTexts(EncodeGroups):
    """Labelled texts to examples, see `EncodeGroups`.

    Args:
        options: Dict with what `EncodeGroups` needs, `output_format` (whose rows are made),
            `task` and `pairs`.
    """

    def make_encoder(self, config):
        """A `LabelledTextEncoder`."""
        return LabelledTextEncoder(config, self.options)

    def encode(self, records, counts):
        """Yields rows, see `EncodeGroups`."""
        found = [_parts(content) for _, content in records]
        encoded = [None] * len(found)
        if self.encoder is not None:
            encoded = self.encoder.encode([texts for texts, _ in found])
        regression = self.options["task"] == "regression"
        for (split, _), (texts, label), ids in zip(records, found, encoded, strict=True):
            counted = counts[split]
            label = float(label) if regression else label
            counted["labels"][label] += 1
            if ids is None:
                yield None
                continue
            token_ids, _, truncated = ids
            counted["lengths"][len(token_ids)] += 1
            counted["totals"]["truncated"] += truncated
            counted["totals"]["unknown"] += token_ids.count(UNKNOWN_ID)
            yield self.encoder.row(texts, ids, label)


class LabelledTextEncoder:
    """Makes the rows of examples.

    Args:
        config: Dict that `MakeClassificationText` made.
        options: Dict with `output_format`, `task` and `pairs`.
    """

    def __init__(self, config, options):
        from seqnlp.text import BERTText

        self._rows = ROWS[options["output_format"]]
        self._text = BERTText.from_config(without_labels(config))
        self._columns = classification_columns(options["pairs"], config["labels"] is None)
        self._ids = [self._rows.integer(at) for at in range(self._text.vocabulary_size)]
        self._labels = {label: at for at, label in enumerate(config["labels"] or ())}

    def encode(self, rows):
        """List of tuples of texts -> list of `(token ids, ids of the first, truncated)`."""
        import tensorflow as tf

        encoded = self._text.encode(*map(tf.constant, zip(*rows, strict=True)))
        first = tf.reduce_sum(1 - encoded["segment_ids"], axis=1)
        columns = encoded["token_ids"].to_list(), first.numpy(), encoded["truncated"].numpy()
        return [(ids, int(number), bool(cut)) for ids, number, cut in zip(*columns, strict=True)]

    def row(self, texts, ids, label):
        """Texts, what `encode` made of them, and a label or a number -> the row of the example."""
        token_ids, first, _ = ids
        rows = self._rows
        label = rows.integer(self._labels[label]) if self._labels else rows.number(label)
        values = (
            *([rows.text(text.encode())] for text in texts),
            [self._ids[index] for index in token_ids],
            [rows.integer(first)],
            [label],
        )
        return rows.row(dict(zip(self._columns, values, strict=True)))


def without_labels(config):
    """The config of a `BERTText` in that of labelled texts."""
    return {name: value for name, value in config.items() if name != "labels"}


def content_of(record):
    """What `EncodeLabelledTexts` takes of a `LabelledText`; equal texts are equal first parts."""
    return PART.join((FIELD.join(record.texts), in_float32(record.label)))


def in_float32(label):
    """A label as it is; a number as the shortest text that float32 reads as the same."""
    if isinstance(label, str):
        return label
    (rounded,) = struct.unpack("<f", struct.pack("<f", label))
    return f"{rounded:.9g}"


def _parts(content):
    texts, label = content.decode().split(PART)
    return texts.split(FIELD), label
