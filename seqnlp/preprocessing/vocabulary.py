"""Counting over a corpus, and the vocabularies made of the counts."""

import collections

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

# Counts held back before they are passed on: this bounds the memory of a worker.
_MAX_COUNTS = 200_000
_BATCH_TOKENS = 20_000


class CountLocally(beam.DoFn):
    """Element -> `(value, count)` pairs, counted over a bundle before they are shuffled.

    Args:
        values: Function from an element to an iterable of hashable values.
    """

    def __init__(self, values):
        self._values = values

    def start_bundle(self):
        """Begins to count."""
        self._counts = collections.Counter()

    def process(self, element):
        """Counts the values of one element."""
        self._counts.update(self._values(element))
        if len(self._counts) > _MAX_COUNTS:
            yield from self._counts.items()
            self._counts.clear()

    def finish_bundle(self):
        """Passes on what was counted."""
        yield from map(GlobalWindows.windowed_value, self._counts.items())


class CountValues(beam.PTransform):
    """Elements -> `(value, count)` over all of them.

    Args:
        values: Function from an element to an iterable of hashable values.
    """

    def __init__(self, values):
        super().__init__()
        self._values = values

    def expand(self, elements):
        """Applies the transform."""
        return (
            elements
            | "CountLocally" >> beam.ParDo(CountLocally(self._values))
            | "Sum" >> beam.CombinePerKey(sum)
        )


class NormalizeCounts(beam.DoFn):
    """`(token, count)` of distinct raw tokens -> `((kind, value), count)`.

    `kind` is `"word"` for a normalised token and `"character"` for a character.

    Args:
        settings: Dict with `normalizer` (config) and `max_word_length`.
    """

    def __init__(self, settings):
        self._settings = settings

    def setup(self):
        """Makes the TensorFlow objects."""
        from seqnlp.text import Normalizer, TaggingText, Vocabulary

        # Splitting needs no vocabulary: the one given is a stand-in.
        self._text = TaggingText(
            Vocabulary(["-"]),
            None,
            ["-"],
            normalizer=Normalizer.from_config(self._settings["normalizer"]),
            max_word_length=self._settings["max_word_length"],
        )

    def start_bundle(self):
        """Begins to collect."""
        self._tokens, self._counts = [], []
        self._sums = collections.Counter()

    def process(self, counted):
        """Collects one token; works on many at once."""
        token, count = counted
        self._tokens.append(token)
        self._counts.append(count)
        if len(self._tokens) >= _BATCH_TOKENS:
            self._normalize()
        if len(self._sums) > _MAX_COUNTS:
            yield from self._sums.items()
            self._sums.clear()

    def finish_bundle(self):
        """Passes on what was counted."""
        self._normalize()
        yield from map(GlobalWindows.windowed_value, self._sums.items())

    def _normalize(self):
        if not self._tokens:
            return
        words = self._text.normalizer(self._tokens).numpy()
        characters = self._text.split_characters(self._tokens)
        values, limits = characters.values.numpy(), characters.row_splits.numpy()
        for row, (word, count) in enumerate(zip(words, self._counts, strict=True)):
            self._sums["word", word.decode()] += count
            for character in values[limits[row] : limits[row + 1]]:
                self._sums["character", character.decode()] += count
        self._tokens, self._counts = [], []


class MakeText(beam.PTransform):
    """Sentences of the training split -> one dict, all that rebuilds a `TaggingText`.

    The dict holds `config` (for `TaggingText.from_config`, or None) and `problem`, a sentence
    that says why there is no config, or None.

    Args:
        settings: Dict with `min_count`, `vocabulary_size`, `characters` (bool),
            `normalizer` (config), `max_word_length` and `max_length`.
    """

    def __init__(self, settings):
        super().__init__()
        self._settings = settings

    def expand(self, sentences):
        """Applies the transform to a dict of PCollections: `sentences`, `tags` and `labels`."""
        counts = (
            sentences["sentences"]
            | "CountTokens" >> CountValues(_tokens)
            | "Normalize" >> beam.ParDo(NormalizeCounts(self._settings))
            | "SumNormalized" >> beam.CombinePerKey(sum)
            | "AllCounts" >> beam.combiners.ToList()
        )
        return counts | "MakeText" >> beam.Map(
            make_text,
            beam.pvalue.AsSingleton(sentences["tags"]),
            beam.pvalue.AsSingleton(sentences["labels"]),
            self._settings,
        )


class ListTags(beam.PTransform):
    """Sentences of the training split -> one sorted list of their tags, `O` first."""

    def expand(self, sentences):
        """Applies the transform."""
        return (
            sentences
            | "CountTags" >> CountValues(_tags)
            | "Names" >> beam.Keys()
            | "AllTags" >> beam.combiners.ToList()
            | "Sort" >> beam.Map(sort_tags)
        )


class ListLabels(beam.PTransform):
    """Sentences of the training split -> one sorted list of their labels; empty without labels."""

    def expand(self, sentences):
        """Applies the transform."""
        return (
            sentences
            | "CountLabels" >> CountValues(_label)
            | "Names" >> beam.Keys()
            | "AllLabels" >> beam.combiners.ToList()
            | "Sort" >> beam.Map(sorted)
        )


def sort_tags(tags):
    """Tags sorted by name, `O` first."""
    return sorted(tags, key=lambda tag: (tag != "O", tag))


def make_text(counts, tags, labels, settings):
    """Counts `((kind, value), count)` -> dict with `config` and `problem`, see `MakeText`."""
    from seqnlp.text import Normalizer, TaggingText, Vocabulary

    kinds = {"word": {}, "character": {}}
    for (kind, value), count in counts:
        kinds[kind][value] = count
    try:
        words = Vocabulary.from_counts(
            kinds["word"], settings["min_count"], settings["vocabulary_size"]
        )
        characters = None
        if settings["characters"]:
            characters = Vocabulary.from_counts(kinds["character"])
        text = TaggingText(
            words,
            characters,
            tags,
            normalizer=Normalizer.from_config(settings["normalizer"]),
            max_word_length=settings["max_word_length"],
            max_length=settings["max_length"],
            labels=labels or None,
        )
    except ValueError as error:
        return {"config": None, "problem": str(error)}
    return {"config": text.get_config(), "problem": None}


def _tokens(sentence):
    return sentence.tokens


def _tags(sentence):
    return sentence.tags


def _label(sentence):
    return () if sentence.label is None else (sentence.label,)
