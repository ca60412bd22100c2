"""From pairs of sentences to the rows of their examples."""

import struct

from seqnlp.preprocessing.groups import PART, EncodeGroups
from seqnlp.preprocessing.pairs import SIDES
from seqnlp.preprocessing.rejects import Reject
from seqnlp.records import ROWS, TRANSLATION_COLUMNS
from seqnlp.text.names import END_ID, UNKNOWN_ID

# Ratios of lengths are counted in steps of one of this many parts.
RATIO_STEPS = 20


class EncodePairs(EncodeGroups):
    """Pairs of sentences to examples, see `EncodeGroups`.

    Pairs of training that are longer than `max_length` are rejects. Those of the other splits
    are never left out: their ids are cut there, as the text cuts a sentence that a served model
    is sent, and their strings are whole. Examples of the other splits are in the order of their
    files and lines.

    Args:
        options: Dict with what `EncodeGroups` needs, `output_format` (whose rows are made) and
            `max_length`.
        files: The names of the files, as pairs hold them; a content holds the number of its.
    """

    def __init__(self, options, files):
        super().__init__(options)
        self._files = files

    def make_encoder(self, config):
        """A `PairEncoder`."""
        return PairEncoder(config, self.options["output_format"])

    def key(self, split, content, occurrences):
        """That of the content in training, the place elsewhere, see `EncodeGroups`."""
        content, _, place = content.rpartition(PART.encode())
        if split == "train":
            return super().key(split, content, occurrences)
        return struct.pack(">QQ", *map(int, place.split()))

    def encode(self, records, counts):
        """Yields rows and rejects, see `EncodeGroups`."""
        pairs = [content.decode().split(PART) for _, content in records]
        encoded = [None] * len(pairs)
        if self.encoder is not None:
            encoded = self.encoder.encode(*zip(*((pair[:2]) for pair in pairs), strict=True))
        for (split, _), (source, target, place), ids in zip(records, pairs, encoded, strict=True):
            if ids is None:
                counts[split]["totals"]["pairs"] += 1
                yield None
                continue
            fault = self._fault(split, ids)
            if fault is not None:
                number, line = map(int, place.split())
                text = f"{source}\t{target}"
                yield Reject(self._files[number], line, *fault, text)
                continue
            ids, cut = self._cut(ids)
            _count(counts[split], source, target, ids, cut)
            yield self.encoder.row(source, target, ids)

    def _fault(self, split, ids):
        """Kind and reason of a pair that is no example, or None."""
        longest = self.options["max_length"]
        for side, pieces in zip(SIDES, ids, strict=True):
            if not pieces:
                return "empty_line", f"{side}: expected text, received nothing that has pieces"
            if split == "train" and longest is not None and len(pieces) > longest:
                reason = f"{side}: expected at most {longest} pieces, received {len(pieces)}"
                return "long_pair", reason
        return None

    def _cut(self, ids):
        """The ids of both sides up to `max_length`, and whether that left any out."""
        longest = self.options["max_length"]
        cut = longest is not None and max(map(len, ids)) > longest
        return [pieces[:longest] for pieces in ids], cut


class PairEncoder:
    """Makes the rows of examples.

    Args:
        config: Config of a `TranslationText`.
        output_format: One of `seqnlp.records.ROWS`.
    """

    def __init__(self, config, output_format):
        from seqnlp.text import TranslationText

        self._rows = ROWS[output_format]
        # No limit here: how long a sentence is must be known before it is cut.
        self._text = TranslationText.from_config({**config, "max_length": None})
        sizes = self._text.source_vocabulary_size, self._text.target_vocabulary_size
        self._integers = [self._rows.integer(index) for index in range(max(sizes))]

    def encode(self, sources, targets):
        """Two sequences of `str` -> list of a pair of lists of ids, without start and end."""
        import tensorflow as tf

        source = self._text.encode_source(tf.constant(sources))[:, :-1]
        target = self._text.encode_target(tf.constant(targets))
        return list(zip(source.to_list(), target.to_list(), strict=True))

    def row(self, source, target, ids):
        """Two `str` and their ids -> the row of the example."""
        source_ids, target_ids = ([self._integers[index] for index in side] for side in ids)
        values = (
            [self._rows.text(source.encode())],
            [self._rows.text(target.encode())],
            [*source_ids, self._integers[END_ID]],
            target_ids,
        )
        return self._rows.row(dict(zip(TRANSLATION_COLUMNS, values, strict=True)))


def _count(counted, source, target, ids, cut):
    """Adds a pair to the counts of its split."""
    sizes = [len(pieces) for pieces in ids]
    counted["lengths"][max(sizes) + 1] += 1
    counted["ratios"][round(RATIO_STEPS * sizes[1] / sizes[0])] += 1
    for side, pieces, size in zip(SIDES, ids, sizes, strict=True):
        counted[f"{side}_lengths"][size] += 1
        counted["totals"][f"{side}_unknown"] += pieces.count(UNKNOWN_ID)
    totals = counted["totals"]
    totals["pairs"] += 1
    totals["equal"] += source == target
    totals["cut"] += cut
