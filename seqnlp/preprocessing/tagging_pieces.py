"""The word pieces of a tagger on BERT: what was asked for, and the text that holds them."""

import apache_beam as beam

from seqnlp.preprocessing.preparation import check_least
from seqnlp.preprocessing.pretraining_text import MakeBERTText, bert_text, read_vocabulary
from seqnlp.preprocessing.vocabulary import CountValues

_DEFAULTS = {"vocabulary": None, "vocabulary_size": 8000, "lowercase": False, "max_length": 128}


def bert_options(given):
    """What `prepare_tagging` was given as `bert`, checked.

    Args:
        given: Dict with some of `vocabulary`, `vocabulary_size`, `lowercase` and `max_length`.

    Returns:
        Dict of the last three, as the manifest holds them; and the pieces, a list of `str`, or
        None where they are to be learned.

    Raises:
        FileNotFoundError, OSError: There is no such vocabulary, or it cannot be read.
        ValueError: A name is unknown, a number too small, or the vocabulary is none of BERT.
    """
    unknown = sorted(set(given) - set(_DEFAULTS))
    if unknown:
        raise ValueError(
            f"`bert` must be a dict of some of {', '.join(_DEFAULTS)}. "
            f"Received: bert with {', '.join(unknown)}"
        )
    options = {**_DEFAULTS, **given}
    least = {"vocabulary_size": 6, "max_length": 5}
    check_least(
        {f"bert[{name!r}]": options[name] for name in least},
        {f"bert[{name!r}]": minimum for name, minimum in least.items()},
    )
    path = options.pop("vocabulary")
    tokens = None if path is None else read_vocabulary(path)
    if tokens is not None:
        options["vocabulary_size"] = len(tokens)
    return options, tokens


class AddPieces(beam.PTransform):
    """Text of `MakeText` -> the same whose config also rebuilds the `BERTText` within.

    It takes a dict of PCollections: `text`, and `sentences` of the training split, from whose
    words the pieces are learned.

    Args:
        options: Dict of `vocabulary_size`, `lowercase` and `max_length`.
        tokens: List of the pieces, or None to learn them.
    """

    def __init__(self, options, tokens):
        super().__init__()
        self._options = options
        self._tokens = tokens

    def expand(self, found):
        """Applies the transform."""
        if self._tokens is not None:
            return found["text"] | "AddPieces" >> beam.Map(
                _joined, bert_text(self._tokens, self._options)
            )
        counts = found["sentences"] | "CountWords" >> CountValues(_tokens)
        learned = counts | "Learn" >> MakeBERTText(self._options)
        return found["text"] | "AddPieces" >> beam.Map(_joined, beam.pvalue.AsSingleton(learned))


def _joined(text, bert):
    problem = text["problem"] or bert["problem"]
    if problem is not None:
        return {**text, "config": None, "problem": problem}
    return {**text, "config": {**text["config"], "bert": bert["config"]}}


def _tokens(sentence):
    return sentence.tokens
