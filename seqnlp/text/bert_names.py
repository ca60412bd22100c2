"""What the ids of BERT stand for: a file of word pieces, read without TensorFlow."""

import os
from typing import NamedTuple

import numpy as np

from seqnlp.text.files import read_lines, read_object
from seqnlp.text.names import CONFIG_FILE, PADDING, UNKNOWN, check_lines

VOCABULARY_FILE = "vocab.txt"
BERT_FOLDER = "bert"  # of the files of a BERT beside those of a tagger
BERT_FILES = tuple(f"{BERT_FOLDER}/{name}" for name in (VOCABULARY_FILE, CONFIG_FILE))
QUESTIONS_FILE = "questions.json"  # of a text of questions, the sizes of its windows
CLASSIFY, SEPARATE, MASK = "[CLS]", "[SEP]", "[MASK]"
BERT_SPECIALS = [PADDING, UNKNOWN, CLASSIFY, SEPARATE, MASK]
GLUE = "##"  # begins a piece that does not begin a word
_SETTINGS = {"lowercase", "max_length"}
_QUESTION_SETTINGS = {"max_question_length", "stride"}


class BERTNames(NamedTuple):
    """The word pieces of BERT.

    Fields:
        pieces: List of `str`, the piece of every id; padding is the first one.
    """

    pieces: list

    @classmethod
    def load(cls, folder):
        """Reads the vocab.txt of a folder.

        Raises:
            FileNotFoundError, OSError: There is no such file, or it cannot be read.
            ValueError: A line is empty or repeated, a special is missing, or the first line is
                not padding; the message names the file.
        """
        path = os.path.join(folder, VOCABULARY_FILE)
        names = cls(read_lines(path))
        check_lines(path, names.pieces)
        names.check(path)
        return names

    @property
    def special_ids(self):
        """Dict from each of `BERT_SPECIALS` to its id."""
        return {special: self.pieces.index(special) for special in BERT_SPECIALS}

    @property
    def begins_word(self):
        """Bool array `(vocabulary,)`, False at pieces that go on with a word."""
        return np.array([not piece.startswith(GLUE) for piece in self.pieces])

    def check(self, place):
        """Raises a ValueError where a special is missing, or padding is not the first piece."""
        for special in BERT_SPECIALS:
            if special not in self.pieces:
                raise ValueError(
                    f"{place}: must hold the specials {', '.join(BERT_SPECIALS)}. "
                    f"Received: {len(self.pieces)} pieces without {special}"
                )
        if self.pieces[0] != PADDING:
            raise ValueError(
                f"{place}: the first piece must be {PADDING}, as id 0 is padding. "
                f"Received: {self.pieces[0]!r}"
            )


def read_bert_settings(folder):
    """The settings of a `BERTText` beside its pieces, a dict, from the text.json of its folder.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It does not hold the settings; the message names it.
    """
    return read_object(os.path.join(folder, CONFIG_FILE), _SETTINGS)


def read_question_settings(folder):
    """The settings of a `QuestionText` beside those of a `BERTText`, from its questions.json.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It does not hold the settings; the message names it.
    """
    return read_object(os.path.join(folder, QUESTIONS_FILE), _QUESTION_SETTINGS)
