"""The word pieces of BERT, read or learned."""

import functools

import apache_beam as beam

from seqnlp.preprocessing.subwords import learn_word_piece
from seqnlp.text.bert_names import BERT_SPECIALS, BERTNames
from seqnlp.text.files import read_lines
from seqnlp.text.names import check_lines


class MakeBERTText(beam.PTransform):
    """`(word, count)` -> one dict, all that rebuilds a `BERTText`.

    The dict holds `config` (for `BERTText.from_config`, or None) and `problem`, a sentence that
    says why there is no config, or None.

    Args:
        options: Dict with `vocabulary_size`, `lowercase` and `max_length`.
    """

    def __init__(self, options):
        super().__init__()
        self._options = options

    def expand(self, counts):
        """Applies the transform."""
        return (
            counts
            | "AllWords" >> beam.combiners.ToList()
            | "LearnPieces" >> beam.Map(make_bert_text, self._options)
        )


def make_bert_text(counts, options):
    """List of `(word, count)` -> dict, see `MakeBERTText`."""
    size, lowercase = options["vocabulary_size"], options["lowercase"]
    try:
        tokens = learn_word_piece(dict(counts), size, lowercase, specials=BERT_SPECIALS)
    except ValueError as error:
        return {"config": None, "problem": str(error)}
    return bert_text(tokens, options)


def bert_text(tokens, options):
    """The dict of `MakeBERTText` of a vocabulary, a list of `str`."""
    settings = {name: options[name] for name in ("lowercase", "max_length")}
    return {"config": {"tokens": tokens, **settings}, "problem": None}


def text_of(config):
    """The `BERTText` of a config, which is made once a process."""
    return _text_of(**{**config, "tokens": tuple(config["tokens"])})


@functools.lru_cache(maxsize=1)
def _text_of(tokens, **settings):
    from seqnlp.text import BERTText

    return BERTText(list(tokens), **settings)


def read_vocabulary(path):
    """The tokens of a vocab.txt.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It is no vocabulary of BERT; the message names file and line.
    """
    tokens = read_lines(path)
    check_lines(path, tokens)
    BERTNames(tokens).check(path)
    return tokens
