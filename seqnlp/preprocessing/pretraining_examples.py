"""From documents to the rows of what BERT is pretrained on."""

import collections
import itertools
import random
import struct
from collections.abc import Sequence

import apache_beam as beam
import numpy as np
from apache_beam.transforms.window import GlobalWindows

from seqnlp.preprocessing.running import collect_less
from seqnlp.preprocessing.sentence_pairs import SPECIALS, document_pairs
from seqnlp.preprocessing.shards import write_shard
from seqnlp.preprocessing.spill import read_spilled
from seqnlp.preprocessing.split import content_hash
from seqnlp.records import ROWS
from seqnlp.records.columns import task_columns
from seqnlp.text.bert_names import CLASSIFY, MASK, SEPARATE, BERTNames
from seqnlp.text.masked_lm import mask_tokens
from seqnlp.text.names import UNKNOWN_ID

# Sentences cut into pieces at a time, in one call to TensorFlow.
_BATCH_SENTENCES = 20_000
_BATCH_PAIRS = 1024  # in which pieces are hidden at a time
_DIGEST_BYTES = 16


class EncodeDocuments(beam.DoFn):
    """`Document` of a split -> `((split, shard), bytes)`, see `unpack`; tagged `counts`.

    The parts of a document, and equal documents, come to the same shard.

    Args:
        split: One of `seqnlp.records.SPLITS`.
        options: Dict with `num_shards` and `seed`, as the manifest holds them.
    """

    def __init__(self, split, options):
        self._split = split
        self._options = options
        self._text = None

    def setup(self):
        """Prepares the worker."""
        collect_less()

    def start_bundle(self):
        """Begins to collect."""
        self._documents, self._size, self._config = [], 0, None

    def process(self, document, text):
        """Collects a document; cuts many at once. `text` is a dict with a `config`."""
        self._config = text["config"]
        self._documents.append(document)
        self._size += len(document.sentences)
        if self._size >= _BATCH_SENTENCES:
            yield from self._encoded()
            self._documents, self._size = [], 0

    def finish_bundle(self):
        """Encodes the rest."""
        for item in self._encoded():
            if isinstance(item, beam.pvalue.TaggedOutput):
                value = GlobalWindows.windowed_value(item.value)
                yield beam.pvalue.TaggedOutput(item.tag, value)
            else:
                yield GlobalWindows.windowed_value(item)

    def _encoded(self):
        if not self._documents:
            return
        totals = collections.Counter(documents=len(self._documents), sentences=self._size)
        if self._config is not None:
            ids, totals["unknown"] = self._pieces()
            number = self._options["num_shards"][self._split]
            for document in self._documents:
                sentences = list(itertools.islice(ids, len(document.sentences)))
                found = [sentence for sentence in sentences if len(sentence)]
                totals["sentences_without_pieces"] += len(sentences) - len(found)
                totals["pieces"] += sum(map(len, found))
                if found:
                    key = content_hash(document.whole, self._options["seed"], "document")
                    shard = int.from_bytes(key[:8], "big") % number
                    yield (self._split, shard), pack(key, document.part, found)
        for name, count in totals.items():
            yield beam.pvalue.TaggedOutput("counts", ((self._split, "totals", name), count))

    def _pieces(self):
        """Iterator of the pieces of each sentence, int32 arrays, and how many are unknown."""
        import tensorflow as tf

        if self._text is None:
            from seqnlp.text import BERTText

            self._text = BERTText.from_config(self._config)
        sentences = [text for document in self._documents for text in document.sentences]
        ids = self._text.tokenize(tf.constant(sentences))
        values = ids.values.numpy()
        return iter(parts_of(values, ids.row_splits.numpy())), int((values == UNKNOWN_ID).sum())


def pack(key, part, sentences):
    """A document as `bytes`, which sort by key and part.

    Args:
        key: 16 bytes of the whole document.
        part: Number of the part.
        sentences: List of int32 arrays.
    """
    lengths = np.array([len(sentence) for sentence in sentences], "<u4")
    head = key + struct.pack(">II", part, len(lengths))
    return b"".join([head, lengths.tobytes(), np.concatenate(sentences).astype("<i4").tobytes()])


def unpack(data):
    """What `pack` packed: the key, the part and the sentences."""
    part, number = struct.unpack_from(">II", data, _DIGEST_BYTES)
    start = _DIGEST_BYTES + 8
    lengths = np.frombuffer(data, "<u4", number, start)
    ids = np.frombuffer(data, "<i4", -1, start + 4 * number)
    return data[:_DIGEST_BYTES], part, parts_of(ids, np.cumsum([0, *lengths.tolist()]))


def parts_of(array, bounds):
    """List of the parts of an array between bounds, an array of integers from the first one on."""
    return [array[start:end] for start, end in itertools.pairwise(bounds.tolist())]


class WritePairs(beam.DoFn):
    """`((split, shard), lists of Place)` -> the dict of `write_shard`; tagged `counts`.

    A shard's documents are held at a time, and seconds that do not follow come from them.

    Args:
        folder: Folder to write to.
        options: Dict of the options as the manifest holds them.
    """

    def __init__(self, folder, options):
        self._folder = folder
        self._options = options

    def setup(self):
        """Prepares the worker."""
        collect_less()

    def process(self, shard, text):
        """Writes one shard; `text` is a dict with a `config`."""
        (split, number), places = shard
        documents = sorted(read_spilled(self._folder, filter(None, places)))
        documents = [unpack(data) for data in documents]
        tables = {name: collections.Counter() for name in ("totals", "lengths")}
        rows = []
        if documents and text["config"] is not None:
            rows = self._rows(split, documents, text["config"], tables)
        columns = task_columns("pretraining", self._options)
        yield write_shard(((split, number), [rows]), self._folder, self._options, columns)
        for name, table in tables.items():
            for value, count in table.items():
                yield beam.pvalue.TaggedOutput("counts", ((split, name, value), count))

    def _rows(self, split, documents, config, tables):
        options, totals = self._options, tables["totals"]
        writer = _Writer(config, options)
        places, made = _places(documents), collections.defaultdict(list)
        sentences = [sentences for _, _, sentences in documents]
        for (key, part, document), (start, end) in zip(documents, places, strict=True):
            others = _Others(sentences, start, end)
            if not others:
                totals["lonely_documents"] += 1
                continue
            for copy in range(options["dupe_factor"] or 1):
                own = content_hash(key + struct.pack(">II", part, copy), options["seed"], "pairs")
                chance = random.Random(int.from_bytes(own, "big"))
                pairs, counts = document_pairs(
                    document, others, chance, options["max_length"], options["short_share"]
                )
                totals.update(counts)
                for index, pair in enumerate(pairs):
                    name = content_hash(own + struct.pack(">I", index), options["seed"], "order")
                    made[copy].append((name, pair))
                    totals["pairs"] += 1
                    totals["next"] += pair.is_next
                    tables["lengths"][writer.length(pair)] += 1
        return [
            row
            for copy, pairs in made.items()
            for start in range(0, len(pairs), _BATCH_PAIRS)
            for row in writer.rows(pairs[start : start + _BATCH_PAIRS], copy)
        ]


class _Others(Sequence):
    """Documents but for those from `start` to `end`."""

    def __init__(self, documents, start, end):
        self._documents, self._start, self._end = documents, start, end

    def __len__(self):
        return len(self._documents) - (self._end - self._start)

    def __getitem__(self, index):
        return self._documents[index if index < self._start else index + self._end - self._start]


def _places(documents):
    """For each document where the parts of the same one begin and end."""
    places, at = [], 0
    for _, group in itertools.groupby(documents, lambda document: document[0]):
        number = sum(1 for _ in group)
        places += [(at, at + number)] * number
        at += number
    return places


class _Writer:
    """Makes the rows of examples."""

    def __init__(self, config, options):
        self._names = BERTNames(config["tokens"])
        self._special_ids = self._names.special_ids
        self._rows = ROWS[options["output_format"]]
        most = max(len(self._names.pieces), options["max_length"] + 1)
        self._integers = [self._rows.integer(number) for number in range(most)]
        self._ends = [self._special_ids[special] for special in (CLASSIFY, SEPARATE)]
        self._options = options

    @staticmethod
    def length(pair):
        """Ids of an input."""
        return len(pair.first) + len(pair.second) + SPECIALS

    def rows(self, pairs, copy):
        """List of `(name, SpanPair)` -> list of `(name, row)`, the rows of their examples."""
        begin, end = self._ends
        ids = [[begin, *pair.first.tolist(), end, *pair.second.tolist(), end] for _, pair in pairs]
        keys = [int.from_bytes(name[:8], "big") >> 33 for name, _ in pairs]  # any format holds it
        if self._options["dupe_factor"] is None:
            hidden = [{"token_ids": self._small(row)} for row in ids]
        else:
            hidden = self._hidden(ids, keys, copy)
        return [
            (
                name,
                self._rows.row(
                    {
                        "token_ids": columns.pop("token_ids"),
                        "first_length": self._small([len(pair.first) + 2]),
                        "is_next": self._small([int(pair.is_next)]),
                        "key": [self._rows.integer(key)],
                        **columns,
                    }
                ),
            )
            for (name, pair), key, columns in zip(pairs, keys, hidden, strict=True)
        ]

    def _small(self, numbers):
        """The bytes of ids, places and lengths."""
        return list(map(self._integers.__getitem__, numbers))

    def _hidden(self, rows, keys, copy):
        """The columns of what is hidden in rows of ids, a dict a row."""
        options, lengths = self._options, [len(row) for row in rows]
        ids = np.zeros((len(rows), max(lengths)), "int32")
        ids[np.arange(ids.shape[1]) < np.array(lengths)[:, None]] = list(
            itertools.chain.from_iterable(rows)
        )
        masked = mask_tokens(
            ids,
            keys,
            self._special_ids[MASK],
            self._special_ids.values(),
            len(self._names.pieces),
            most=options["most_predictions"],
            share=options["mask_share"],
            word_starts=self._names.begins_word[ids] if options["whole_words"] else None,
            seed=options["seed"],
            epoch=copy,
        )
        numbers = masked.weights.sum(axis=1).astype(int).tolist()
        lists = [x.tolist() for x in (masked.token_ids, masked.positions, masked.labels)]
        return [
            {
                "token_ids": self._small(token_ids[:length]),
                "positions": self._small(positions[:number]),
                "labels": self._small(labels[:number]),
            }
            for token_ids, positions, labels, length, number in zip(
                *lists, lengths, numbers, strict=True
            )
        ]
