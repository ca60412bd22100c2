"""From sentences to examples, each with the shard and place it belongs to."""

import collections

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from seqnlp.preprocessing.readers import Reject, add_reject
from seqnlp.preprocessing.running import collect_less
from seqnlp.preprocessing.split import content_hash
from seqnlp.records import ROWS, SPLITS, example_columns
from seqnlp.tag_schemes import convert
from seqnlp.text.names import UNKNOWN_ID

# Sentences are grouped by a hash of their tokens, so that equal ones meet.
_BUCKETS = 256
# Sentences encoded at a time: their new tokens are looked up in one call to TensorFlow.
_BATCH_SENTENCES = 4096
_MAX_CACHED_TOKENS = 1_000_000
# Sentences held back before they are passed on: this bounds the memory of a worker.
_HELD_SENTENCES = 50_000
# Tokens, tags and labels are not empty and hold no NUL, so this can be undone.
_FIELD, _PART = "\0", "\0\0"


class RejectUnseen(beam.DoFn):
    """`Sentence` -> itself; tagged `rejects`: a `Reject` where training lacks a tag or label."""

    def process(self, sentence, tags, labels):
        """Passes on one sentence; `tags` and `labels` are the lists of the training split."""
        # Where training has no sentence at all, that is the fault to be told.
        if tags and not set(sentence.tags).issubset(tags):
            tag = next(tag for tag in sentence.tags if tag not in tags)
            yield self._reject(sentence, "tag", tag, tags)
        elif labels and sentence.label not in labels:
            yield self._reject(sentence, "label", sentence.label, labels)
        else:
            yield sentence

    def _reject(self, sentence, kind, name, known):
        reason = (
            f"{kind} {name!r} does not occur in the training split; its {kind}s are "
            f"{', '.join(known)}"
        )
        pairs = zip(sentence.tokens, sentence.tags, strict=True)
        text = "\n".join(f"{token}\t{tag}" for token, tag in pairs)
        return add_reject(Reject(sentence.file, sentence.line, f"unseen_{kind}", reason, text))


class GroupByContent(beam.DoFn):
    """`Sentence` -> `(bucket, list of (split, content))`, the content as `bytes`.

    Equal tokens have equal buckets. The lists, one a bucket and bundle or less, cost the
    shuffle a tenth of what single sentences would.

    Args:
        split: One of `seqnlp.records.SPLITS`.
    """

    def __init__(self, split):
        self._split = split

    def start_bundle(self):
        """Begins to collect."""
        self._buckets, self._size = collections.defaultdict(list), 0

    def process(self, sentence):
        """Collects one sentence."""
        tokens = _FIELD.join(sentence.tokens)
        bucket = content_hash(tokens.encode(), 0, "bucket")[0] % _BUCKETS
        parts = [tokens, _FIELD.join(sentence.tags)]
        if sentence.label is not None:
            parts.append(sentence.label)
        self._buckets[bucket].append((self._split, _PART.join(parts).encode()))
        self._size += 1
        if self._size >= _HELD_SENTENCES:
            yield from self._buckets.items()
            self.start_bundle()

    def finish_bundle(self):
        """Passes on the rest."""
        yield from map(GlobalWindows.windowed_value, self._buckets.items())


class EncodeSentences(beam.DoFn):
    """`(bucket, lists of (split, content))` -> `((split, shard), list of (key, row))`.

    Tagged `counts`: `(key, count)` pairs for `statistics.summarize`.

    Args:
        options: Dict with `num_shards` (dict from split to its number of shards), `seed` (it
            shuffles the order of the examples), `output_format` (whose rows are made),
            `input_encoding` of the sentences' tags and `encoding` of the examples'.
    """

    def __init__(self, options):
        self._options = options
        self._encoder = None

    def setup(self):
        """Prepares the worker."""
        collect_less()

    def start_bundle(self):
        """Begins to collect."""
        self._groups, self._size = [], 0
        self._text = None

    def process(self, group, text):
        """Collects one bucket; encodes many at once. `text` is the dict of `MakeText`."""
        self._text = text
        rows = [row for rows in group[1] for row in rows]
        self._groups.append(rows)
        self._size += len(rows)
        if self._size >= _BATCH_SENTENCES:
            yield from self._encode()

    def finish_bundle(self):
        """Encodes the rest."""
        for item in self._encode():
            if isinstance(item, beam.pvalue.TaggedOutput):
                value = GlobalWindows.windowed_value(item.value)
                yield beam.pvalue.TaggedOutput(item.tag, value)
            else:
                yield GlobalWindows.windowed_value(item)

    def _encode(self):
        if not self._groups:
            return
        config = self._text["config"]
        if config is not None and self._encoder is None:
            self._encoder = ExampleEncoder(config, self._options["output_format"])
        counts = {split: _Counts() for split in SPLITS}
        for rows in self._groups:
            _count_duplicates(rows, counts)
        rows = [row for rows in self._groups for row in rows]
        self._groups, self._size = [], 0
        yield from self._shards(rows, counts).items()
        for split in SPLITS:
            for key, count in counts[split].items():
                yield beam.pvalue.TaggedOutput("counts", ((split, *key), count))

    def _shards(self, rows, counts):
        """Dict from `(split, shard)` to its `(key, row)` pairs; adds to `counts`."""
        seed, num_shards = self._options["seed"], self._options["num_shards"]
        encodings = self._options["input_encoding"], self._options["encoding"]
        shards = collections.defaultdict(list)
        occurrences = collections.Counter()
        sentences = [_parts(content) for _, content in rows]
        if self._encoder is not None:
            self._encoder.look_up(tokens for tokens, _, _ in sentences)
        for row, (tokens, tags, label) in zip(rows, sentences, strict=True):
            split, content = row
            tags, unknown = convert(tags, *encodings), 0
            if self._encoder is not None:
                encoded, unknown = self._encoder.encode(tokens, tags, label)
                occurrences[row] += 1
                key = content_hash(b"%d %s" % (occurrences[row], content), seed, "order")
                shard = int.from_bytes(key[:8], "big") % num_shards[split]
                shards[split, shard].append((key, encoded))
            counts[split].add(tokens, tags, label, unknown)
        return shards


class ExampleEncoder:
    """Makes the rows of examples; every distinct token is looked up once.

    Args:
        config: Config of a `TaggingText`.
        output_format: One of `seqnlp.records.ROWS`.
    """

    def __init__(self, config, output_format):
        from seqnlp.text import TaggingText

        self._rows = ROWS[output_format]
        self._text = TaggingText.from_config(config)
        labels = config["labels"]
        self._names = example_columns(self._text.characters is not None, labels is not None)
        self._tags, self._labels = (
            {name: self._rows.integer(index) for index, name in enumerate(names or ())}
            for names in (config["tags"], labels)
        )
        self._unknown = self._rows.integer(UNKNOWN_ID)
        self._cache = {}

    def look_up(self, sentences):
        """Fills the cache with the tokens of `sentences`, an iterable of lists of `str`.

        It holds the pieces of a token in its row: text, word id, character ids and their number.
        """
        import tensorflow as tf

        if len(self._cache) > _MAX_CACHED_TOKENS:
            self._cache.clear()
        new = list(set().union(*sentences).difference(self._cache))
        if not new:
            return
        ids = self._text.ids(tf.RaggedTensor.from_row_lengths(new, [len(new)]))
        integer, text = self._rows.integer, self._rows.text
        columns = [
            [text(token.encode()) for token in new],
            [integer(word) for word in ids["word_ids"].flat_values.numpy().tolist()],
        ]
        if "char_ids" in ids:
            characters = ids["char_ids"].values.to_list()
            columns.append([b"".join(map(integer, row)) for row in characters])
            columns.append([integer(len(row)) for row in characters])
        self._cache.update(zip(new, zip(*columns, strict=True), strict=True))

    def encode(self, tokens, tags, label=None):
        """A sentence with its label, if it has one -> `(row, number of unknown words)`."""
        cached = map(self._cache.__getitem__, tokens)
        texts, words, *characters = zip(*cached, strict=True)
        columns = [texts, words, map(self._tags.__getitem__, tags), *characters]
        if label is not None:
            columns.append([self._labels[label]])
        row = self._rows.row(dict(zip(self._names, columns, strict=True)))
        return row, words.count(self._unknown)


class _Counts:
    """Counts over the sentences of a split."""

    def __init__(self):
        self.totals = collections.Counter()
        self.lengths = collections.Counter()
        self.tags = collections.Counter()
        self.labels = collections.Counter()

    def add(self, tokens, tags, label, unknown):
        self.lengths[len(tokens)] += 1
        self.tags.update(tags)
        if label is not None:
            self.labels[label] += 1
        self.totals["unknown"] += unknown

    def items(self):
        for name in ("totals", "lengths", "tags", "labels"):
            for value, count in getattr(self, name).items():
                yield (name, value), count


def _parts(content):
    tokens, tags, *label = content.decode().split(_PART)
    return tokens.split(_FIELD), tags.split(_FIELD), label[0] if label else None


def _count_duplicates(rows, counts):
    """Adds to `counts` how many sentences have the same tokens as another, within and across."""
    found = {split: collections.Counter() for split in SPLITS}
    end = _PART.encode()
    for split, content in rows:
        found[split][content.partition(end)[0]] += 1
    for index, split in enumerate(SPLITS):
        seen = found[split]
        counts[split].totals["repeated"] += sum(seen.values()) - len(seen)
        for other in SPLITS[:index]:
            shared = sum(count for tokens, count in seen.items() if tokens in found[other])
            counts[split].totals[f"also_in_{other}"] += shared
