"""From documents to the rows of what BERT is pretrained on."""

import collections
import itertools
import random
import struct
from collections.abc import Sequence

import apache_beam as beam
import numpy as np
from apache_beam.transforms.window import GlobalWindows

from seqnlp.preprocessing.pretraining_text import text_of
from seqnlp.preprocessing.running import collect_less
from seqnlp.preprocessing.sentence_pairs import SPECIALS, Sentences, document_pairs
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
            ids, bounds = self._pieces()
            totals["unknown"] = int((ids == UNKNOWN_ID).sum())
            number, at = self._options["num_shards"][self._split], 0
            for document in self._documents:
                own = bounds[at : at + len(document.sentences) + 1]
                at += len(document.sentences)
                found = sentences_between(ids, own)
                totals["sentences_without_pieces"] += len(own) - len(found.bounds)
                totals["pieces"] += len(found.ids)
                if len(found.ids):
                    key = content_hash(document.whole, self._options["seed"], "document")
                    shard = int.from_bytes(key[:8], "big") % number
                    yield (self._split, shard), pack(key, document.part, found)
        for name, count in totals.items():
            yield beam.pvalue.TaggedOutput("counts", ((self._split, "totals", name), count))

    def _pieces(self):
        """The pieces of all sentences, an int32 array, and a list of where each begins or ends."""
        import tensorflow as tf

        sentences = [text for document in self._documents for text in document.sentences]
        ids = text_of(self._config).tokenize(tf.constant(sentences))
        return ids.values.numpy(), ids.row_splits.numpy().tolist()


def sentences_between(ids, bounds):
    """The `Sentences` of an array that lie between bounds, but for empty ones."""
    start = bounds[0]
    bounds = list(dict.fromkeys(bounds))
    return Sentences(ids[start : bounds[-1]], [bound - start for bound in bounds])


def pack(key, part, sentences):
    """A document as `bytes`, which sort by key and part.

    Args:
        key: 16 bytes of the whole document.
        part: Number of the part.
        sentences: `Sentences`.
    """
    head = key + struct.pack(">II", part, len(sentences.bounds))
    bounds = np.array(sentences.bounds, "<u4").tobytes()
    return b"".join([head, bounds, sentences.ids.astype("<i4").tobytes()])


def unpack(data):
    """What `pack` packed: the key, the part and the sentences."""
    part, number = struct.unpack_from(">II", data, _DIGEST_BYTES)
    start = _DIGEST_BYTES + 8
    bounds = np.frombuffer(data, "<u4", number, start).tolist()
    ids = np.frombuffer(data, "<i4", -1, start + 4 * number)
    return data[:_DIGEST_BYTES], part, Sentences(ids, bounds)


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
        self._ends = [
            np.array([self._special_ids[name]], "int32") for name in (CLASSIFY, SEPARATE)
        ]
        self._options = options

    @staticmethod
    def length(pair):
        """Ids of an input."""
        return len(pair.first) + len(pair.second) + SPECIALS

    def rows(self, pairs, copy):
        """List of `(name, SpanPair)` -> list of `(name, row)`, the rows of their examples."""
        begin, end = self._ends
        names, pairs = zip(*pairs, strict=True)
        ids = [part for pair in pairs for part in (begin, pair.first, end, pair.second, end)]
        lengths = np.array([self.length(pair) for pair in pairs])
        # Any format holds an integer of 31 bits.
        keys = np.array([int.from_bytes(name[:8], "big") >> 33 for name in names])
        found = {
            "token_ids": (np.concatenate(ids), lengths),
            "first_length": (np.array([len(pair.first) + 2 for pair in pairs]), None),
            "is_next": (np.array([int(pair.is_next) for pair in pairs]), None),
            "key": (keys, None),
        }
        if self._options["dupe_factor"] is not None:
            found |= self._hidden(*found["token_ids"], keys, copy)
        columns = [self._lists(*column) for column in found.values()]
        return [
            (name, self._rows.row(dict(zip(found, cells, strict=True))))
            for name, *cells in zip(names, *columns, strict=True)
        ]

    def _lists(self, values, lengths):
        """A cell for each of the lists behind each other; without `lengths` they are of one."""
        ends = np.arange(1, len(values) + 1) if lengths is None else np.cumsum(lengths)
        cells = self._rows.integers(values, np.concatenate([[0], ends]))
        return [[cell] for cell in cells]

    def _hidden(self, values, lengths, keys, copy):
        """The columns of what is hidden in rows of ids: values and lengths."""
        options = self._options
        is_real = np.arange(lengths.max()) < lengths[:, None]
        ids = np.zeros(is_real.shape, "int32")
        ids[is_real] = values
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
        chosen = masked.weights > 0
        numbers = chosen.sum(axis=1)
        return {
            "token_ids": (masked.token_ids[is_real], lengths),
            "positions": (masked.positions[chosen], numbers),
            "labels": (masked.labels[chosen], numbers),
        }
