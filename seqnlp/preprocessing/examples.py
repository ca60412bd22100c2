"""From sentences to the rows of their examples."""

import itertools

import apache_beam as beam

from seqnlp.preprocessing.groups import FIELD, PART, EncodeGroups
from seqnlp.preprocessing.rejects import Reject, add_reject
from seqnlp.records import PART_COLUMNS, ROWS, example_columns
from seqnlp.tag_schemes import convert
from seqnlp.text.names import UNKNOWN, UNKNOWN_ID

_MAX_CACHED_TOKENS = 1_000_000
# Tags or labels that a message lists.
_MAX_NAMED = 100


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
        pairs = zip(sentence.tokens, sentence.tags, strict=True)
        text = "\n".join(f"{token}\t{tag}" for token, tag in pairs)
        return unseen(sentence, kind, name, known, text)


def unseen(record, kind, name, known, text):
    """The reject of a record whose tag or label the training split lacks.

    Args:
        record: What has a `file` and a `line`.
        kind: What `name` is.
        name: The unknown name.
        known: List of those that the training split has.
        text: What the reject keeps of the record.
    """
    more = f" and {len(known) - _MAX_NAMED} more" if len(known) > _MAX_NAMED else ""
    reason = (
        f"{kind} {name!r} does not occur in the training split; its {kind}s are "
        f"{', '.join(known[:_MAX_NAMED])}{more}"
    )
    return add_reject(Reject(record.file, record.line, f"unseen_{kind}", reason, text))


class EncodeSentences(EncodeGroups):
    """Sentences to examples, see `EncodeGroups`.

    Args:
        options: Dict with what `EncodeGroups` needs, `output_format` (whose rows are made),
            `input_encoding` of the sentences' tags and `encoding` of the examples'; and `bert`
            where words are cut into pieces.
    """

    def make_encoder(self, config):
        """An `ExampleEncoder`."""
        return ExampleEncoder(config, self.options["output_format"])

    def encode(self, records, counts):
        """Yields rows, see `EncodeGroups`."""
        encodings = self.options["input_encoding"], self.options["encoding"]
        sentences = [_parts(content) for _, content in records]
        parts = [None] * len(sentences)
        if self.encoder is not None:
            self.encoder.look_up(tokens for tokens, _, _ in sentences)
            if "bert" in self.options:
                parts = self.encoder.parts([tokens for tokens, _, _ in sentences])
        for (split, _), (tokens, tags, label), cut in zip(records, sentences, parts, strict=True):
            tags, row, unknown = convert(tags, *encodings), None, 0
            if self.encoder is not None:
                row, unknown = self.encoder.encode(tokens, tags, label, cut)
            counted = counts[split]
            if cut is not None:
                self._count_parts(cut, counted)
            counted["lengths"][len(tokens)] += 1
            counted["tags"].update(tags)
            if label is not None:
                counted["labels"][label] += 1
            counted["totals"]["unknown"] += unknown
            yield row

    def _count_parts(self, parts, counted):
        lengths = parts["part_lengths"]
        counted["parts"][len(lengths)] += 1
        counted["part_lengths"][max(lengths)] += 1
        totals = counted["totals"]
        totals["pieces"] += len(parts["token_ids"]) - 2 * len(lengths)
        totals["unknown_pieces"] += parts["token_ids"].count(self.encoder.unknown_piece)


class ExampleEncoder:
    """Makes the rows of examples; every distinct token is looked up once.

    Args:
        config: Config of a `TaggingText`.
        output_format: One of `seqnlp.records.ROWS`.

    Attributes:
        unknown_piece: Id of the piece that stands for what BERT has none for, or None where
            words are not cut.
    """

    def __init__(self, config, output_format):
        from seqnlp.text import TaggingText

        self._rows = ROWS[output_format]
        self._text = TaggingText.from_config(config)
        labels = config["labels"]
        self._names = example_columns(
            self._text.characters is not None, labels is not None, self._text.bert is not None
        )
        self._tags, self._labels = (
            {name: self._rows.integer(index) for index, name in enumerate(names or ())}
            for names in (config["tags"], labels)
        )
        self._unknown = self._rows.integer(UNKNOWN_ID)
        self.unknown_piece = None
        if self._text.bert is not None:
            self.unknown_piece = self._text.bert.names.special_ids[UNKNOWN]
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

    def parts(self, sentences):
        """What the text's BERT reads of sentences, a list of lists of `str`.

        Yields:
            Dict from each of `PART_COLUMNS` to a list of integers, for each sentence in turn.
        """
        import tensorflow as tf

        tokens = [token for sentence in sentences for token in sentence]
        found = self._text.parts(
            tf.RaggedTensor.from_row_lengths(tokens, list(map(len, sentences)))
        )
        columns = [found[name].to_list() for name in ("token_ids", "word_starts")]
        for token_ids, word_starts in zip(*columns, strict=True):
            flat = (list(itertools.chain(*parts)) for parts in (token_ids, word_starts))
            cells = (*flat, list(map(len, token_ids)))
            yield dict(zip(PART_COLUMNS, cells, strict=True))

    def encode(self, tokens, tags, label=None, parts=None):
        """A sentence with its label and parts, if it has any -> `(row, number of unknown words)`.

        Args:
            tokens: List of `str`.
            tags: The same, one a token.
            label: Label of the sentence, or None.
            parts: Dict, as `parts` gives it, or None.
        """
        cached = map(self._cache.__getitem__, tokens)
        texts, words, *characters = zip(*cached, strict=True)
        columns = [texts, words, map(self._tags.__getitem__, tags), *characters]
        if label is not None:
            columns.append([self._labels[label]])
        if parts is not None:
            columns += [map(self._rows.integer, parts[name]) for name in PART_COLUMNS]
        row = self._rows.row(dict(zip(self._names, columns, strict=True)))
        return row, words.count(self._unknown)


def content_of(sentence):
    """What `EncodeSentences` takes of a `Sentence`; equal tokens are equal first parts."""
    parts = [FIELD.join(sentence.tokens), FIELD.join(sentence.tags)]
    if sentence.label is not None:
        parts.append(sentence.label)
    return PART.join(parts)


def _parts(content):
    tokens, tags, *label = content.decode().split(PART)
    return tokens.split(FIELD), tags.split(FIELD), label[0] if label else None
