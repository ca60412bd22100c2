"""Records to examples in groups: equal ones meet, and each knows its shard and place."""

import collections

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from seqnlp.preprocessing.rejects import Reject, add_reject
from seqnlp.preprocessing.running import collect_less
from seqnlp.preprocessing.split import content_hash
from seqnlp.records import SPLITS

# Contents have parts, and parts have fields. Neither is empty or holds a NUL, so this can be
# undone.
FIELD, PART = "\0", "\0\0"
# Records are grouped by a hash of the first part of their content, so that equal ones meet.
_BUCKETS = 256
# Records encoded at a time: what is new in them is looked up in one call to TensorFlow.
_BATCH_RECORDS = 4096
# Records held back before they are passed on: this bounds the memory of a worker.
_HELD_RECORDS = 50_000


class GroupByContent(beam.DoFn):
    """Record -> `(bucket, list of (split, content))`, the content as `bytes`.

    Equal first parts have equal buckets. The lists, one a bucket and bundle or less, cost the
    shuffle a tenth of what single records would.

    Args:
        split: One of `seqnlp.records.SPLITS`.
        content: Function from a record to its content, `str` with parts ended by `PART`.
    """

    def __init__(self, split, content):
        self._split = split
        self._content = content

    def start_bundle(self):
        """Begins to collect."""
        self._buckets, self._size = collections.defaultdict(list), 0

    def process(self, record):
        """Collects one record."""
        content = self._content(record).encode()
        bucket = content_hash(first_part(content), 0, "bucket")[0] % _BUCKETS
        self._buckets[bucket].append((self._split, content))
        self._size += 1
        if self._size >= _HELD_RECORDS:
            yield from self._buckets.items()
            self.start_bundle()

    def finish_bundle(self):
        """Passes on the rest."""
        yield from map(GlobalWindows.windowed_value, self._buckets.items())


class EncodeGroups(beam.DoFn):
    """`(bucket, lists of (split, content))` -> `((split, shard), list of (key, row))`.

    Tagged `counts`: `((split, name, value), count)` for the statistics; tagged `rejects`:
    `Reject`. A child says what the row of a record is.

    Args:
        options: Dict with `num_shards` (dict from split to its number of shards) and `seed` (it
            shuffles the order of the examples), and what the child needs.
    """

    def __init__(self, options):
        self.options = options
        self.encoder = None

    def make_encoder(self, config):
        """What `encode` finds as `self.encoder`, made once of the text's config."""
        raise NotImplementedError

    def encode(self, records, counts):
        """Yields the row of each `(split, content)`, a `Reject`, or None without an encoder.

        A record with several examples has a list of rows, which stay together.

        `counts[split][name]` is a Counter to add to.
        """
        raise NotImplementedError

    def key(self, split, content, occurrences):
        """16 bytes or so by which the examples of a shard are sorted; the first 8 choose it."""
        occurrences[split, content] += 1
        numbered = b"%d %s" % (occurrences[split, content], content)
        return content_hash(numbered, self.options["seed"], "order")

    def setup(self):
        """Prepares the worker."""
        collect_less()

    def start_bundle(self):
        """Begins to collect."""
        self._groups, self._size = [], 0
        self._text = None

    def process(self, group, text):
        """Collects one bucket; encodes many at once. `text` is a dict with a `config`."""
        self._text = text
        records = [record for records in group[1] for record in records]
        self._groups.append(records)
        self._size += len(records)
        if self._size >= _BATCH_RECORDS:
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
        if config is not None and self.encoder is None:
            self.encoder = self.make_encoder(config)
        counts = {split: collections.defaultdict(collections.Counter) for split in SPLITS}
        for records in self._groups:
            _count_duplicates(records, counts)
        records = [record for records in self._groups for record in records]
        self._groups, self._size = [], 0
        shards, occurrences = collections.defaultdict(list), collections.Counter()
        for record, row in zip(records, self.encode(records, counts), strict=True):
            if isinstance(row, Reject):
                yield add_reject(row)
            elif row is not None:
                key = self.key(*record, occurrences)
                number = self.options["num_shards"][record[0]]
                shard = int.from_bytes(key[:8], "big") % number
                shards[record[0], shard] += _keyed(key, row)
        yield from shards.items()
        for split, names in counts.items():
            for name, values in names.items():
                for value, count in values.items():
                    yield beam.pvalue.TaggedOutput("counts", ((split, name, value), count))


def _keyed(key, row):
    """`(key, row)` of the examples of a record."""
    if not isinstance(row, list):
        return [(key, row)]
    return [(key + at.to_bytes(4, "big"), each) for at, each in enumerate(row)]


def first_part(content):
    """The part of a content that tells whether records are equal."""
    return content.partition(PART.encode())[0]


def _count_duplicates(records, counts):
    """Adds to `counts` how many records have the first part of another, within and across."""
    found = {split: collections.Counter() for split in SPLITS}
    for split, content in records:
        found[split][first_part(content)] += 1
    for index, split in enumerate(SPLITS):
        seen, totals = found[split], counts[split]["totals"]
        totals["repeated"] += sum(seen.values()) - len(seen)
        for other in SPLITS[:index]:
            shared = sum(count for part, count in seen.items() if part in found[other])
            totals[f"also_in_{other}"] += shared
