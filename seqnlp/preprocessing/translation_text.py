"""From the words of parallel text to the subwords that cut it."""

import collections
import functools

import apache_beam as beam

from seqnlp.preprocessing.exchanged import FindExchanged
from seqnlp.preprocessing.pairs import SIDES
from seqnlp.preprocessing.rejects import FATAL_KINDS
from seqnlp.preprocessing.subwords import MODEL_TYPES, learn_sentence_piece, learn_word_piece
from seqnlp.preprocessing.vocabulary import CountValues

# The kinds of subwords, each with the further arguments of what learns it.
SUBWORDS = {
    **dict.fromkeys(MODEL_TYPES, ("form", "character_coverage", "byte_fallback")),
    "wordpiece": ("lowercase", "max_characters"),
}


class CountWords(beam.PTransform):
    """`Pair`s of a split -> `((split, file, side, word), count)`; a file is told by its number.

    Args:
        split: One of `seqnlp.records.SPLITS`.
        numbers: Dict from the name of a file, as pairs hold it, to its number.
    """

    def __init__(self, split, numbers):
        super().__init__()
        self._values = functools.partial(_words, split, numbers)

    def expand(self, pairs):
        """Applies the transform."""
        return pairs | "CountWords" >> CountValues(self._values)


def _words(split, numbers, pair):
    number = numbers[pair.file]
    for side, text in zip(SIDES, (pair.source, pair.target), strict=True):
        for word in text.split():
            yield split, number, side, word


class MakeTranslationText(beam.PTransform):
    """Counts of `CountWords` -> one dict, all that rebuilds a `TranslationText`.

    The dict holds `config` (for `TranslationText.from_config`, or None), `problem`, a sentence
    that says why there is no config, or None, and `exchanged`, the list of `find_exchanged`.

    Args:
        settings: Dict with `subwords`, `vocabulary_size`, `joint`, `subword_settings` and
            `max_length`, as the manifest holds them.
        rejects: PCollection of `Reject`. Where one ends the preparation, nothing is learned.
    """

    def __init__(self, settings, rejects):
        super().__init__()
        self._settings = settings
        self._rejects = rejects

    def expand(self, counts):
        """Applies the transform."""
        fatal = (
            self._rejects
            | "Kinds" >> beam.Map(lambda reject: reject.kind)
            | "Fatal" >> beam.Filter(FATAL_KINDS.__contains__)
        )
        exchanged = counts | "FindExchanged" >> FindExchanged()
        return (
            counts
            | "OfTraining" >> beam.FlatMap(_of_training, self._settings["joint"])
            | "SumWords" >> beam.CombinePerKey(sum)
            | "AllWords" >> beam.combiners.ToList()
            | "Learn"
            >> beam.Map(
                make_translation_text,
                self._settings,
                beam.pvalue.AsSingleton(exchanged),
                beam.pvalue.AsList(fatal),
            )
        )


def _of_training(counted, joint):
    (split, _, side, word), count = counted
    if split == "train":
        yield ("joint" if joint else side, word), count


def make_translation_text(counts, settings, exchanged, fatal):
    """Counts `((side, word), count)` -> dict, see `MakeTranslationText`."""
    from seqnlp.text import TranslationText

    found = {"config": None, "problem": None, "exchanged": exchanged}
    if fatal:
        return {**found, "problem": "the input is no use"}
    words = collections.defaultdict(dict)
    for (side, word), count in counts:
        words[side][word] = count
    try:
        sides = {side: _learn(words[side], settings) for side in sorted(words)}
        if not sides:
            raise ValueError("the training split has no words")
        longest = settings["max_length"]
        text = TranslationText(
            sides.get("joint") or sides["source"],
            sides.get("target"),
            max_length=None if longest is None else longest + 1,  # and the end
        )
    except ValueError as error:
        return {**found, "problem": str(error)}
    return {**found, "config": text.get_config()}


def _learn(counts, settings):
    from seqnlp.text import SentencePiece, WordPiece

    kind, size, more = (settings[n] for n in ("subwords", "vocabulary_size", "subword_settings"))
    if kind == "wordpiece":
        tokens = learn_word_piece(counts, size, **more)
        return WordPiece(tokens, lowercase=more.get("lowercase", False))
    return SentencePiece(learn_sentence_piece(counts, size, kind, **more))
