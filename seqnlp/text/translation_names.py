"""What the ids of a translator stand for: files of pieces, read without TensorFlow."""

import itertools
import os
import re
from typing import NamedTuple

from seqnlp.text.files import opened, read_object
from seqnlp.text.names import CONFIG_FILE, END, SPECIALS, START, UNKNOWN, read_vocabulary
from seqnlp.text.piece_models import read_pieces

# The kinds of subwords, with the ends of the names of their files.
SUFFIXES = {"SentencePiece": ".spm", "WordPiece": ".txt"}
SIDES = ("joint", "source", "target")
_BYTE = re.compile("<0x[0-9A-F]{2}>")
_UNKNOWN = " \u2047 "  # as sentencepiece writes it
SUBWORD_SPECIALS = [*SPECIALS, START, END]

# Those of them that a folder may hold.
SUBWORD_FILES = [side + suffix for side in SIDES for suffix in SUFFIXES.values()]

_SETTINGS = {"source", "target", "max_length"}


class TranslationNames(NamedTuple):
    """The names of a translator's ids, as `TranslationText` saves them.

    Fields:
        source: List of `str`, the piece of every id of the source.
        target: The same of the target; the same list where both sides share their pieces.
    """

    source: list
    target: list

    @property
    def joint(self):
        """Whether both sides share their pieces."""
        return self.source is self.target

    def source_sentences(self, rows):
        """As `target_sentences`, of source ids."""
        return _sentences(rows, self.source)

    def target_sentences(self, rows):
        """Sentences of a translator's answers, without TensorFlow.

        Args:
            rows: List of lists of target ids, without start and end.

        Returns:
            List of `str`, those of `TranslationText.decode` without white space at the ends; bytes
            that are no UTF-8 may give another number of U+FFFD.
        """
        return _sentences(rows, self.target)

    @classmethod
    def load(cls, folder):
        """Reads them from a folder that `TranslationText.save` or a preparation wrote.

        Raises:
            FileNotFoundError, OSError: A file is missing or cannot be read.
            ValueError: A file does not hold what it should; the message names it.
        """
        settings = read_translation_settings(folder)
        if settings["target"] is None:
            pieces = _read_side(folder, "joint", settings["source"])
            return cls(pieces, pieces)
        return cls(*(_read_side(folder, side, settings[side]) for side in ("source", "target")))


def word_numbers(pieces):
    """The number of the word that each piece of a sentence belongs to.

    A piece of sentencepiece begins a word where it starts with "▁", a word piece where it does
    not start with "##".

    Args:
        pieces: List of `str`, the last one the end of the sentence.

    Returns:
        List of `int`, -1 for the end.
    """
    marked, numbers = _are_sentence_pieces(pieces[:-1]), []
    for piece in pieces[:-1]:
        begins = piece.startswith("▁") if marked else not piece.startswith("##")
        numbers.append(numbers[-1] + begins if numbers else 0)
    return [*numbers, -1]


def _are_sentence_pieces(pieces):
    return any("▁" in piece for piece in pieces)


def _sentences(rows, pieces):
    join = _join_sentence_pieces if _are_sentence_pieces(pieces) else _join_word_pieces
    return [join([pieces[index] for index in row]) for row in rows]


def _join_sentence_pieces(pieces):
    """`▁` begins a word, `<0xEC>` is a byte of a character."""
    parts = []
    for is_byte, run in itertools.groupby(pieces, lambda piece: bool(_BYTE.fullmatch(piece))):
        if is_byte:
            parts.append(bytes(int(piece[3:5], 16) for piece in run).decode("utf-8", "replace"))
        else:
            parts += [_UNKNOWN if piece == UNKNOWN else piece for piece in run]
    return "".join(parts).replace("▁", " ").strip()


def _join_word_pieces(pieces):
    """`##` goes on with a word."""
    return " ".join(pieces).replace(" ##", "").removeprefix("##")


def subword_file(side, kind):
    """Name of the file of one side, of `SIDES`, for a kind of subwords, of `SUFFIXES`."""
    return side + SUFFIXES[kind]


def read_translation_settings(folder):
    """The settings of a `TranslationText`, a dict, from the text.json of its folder.

    `source` and `target` are dicts with the `name` of the kind of subwords and what it was
    made with; `target` is None where both sides share their pieces.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It does not hold the settings; the message names it.
    """
    path = os.path.join(folder, CONFIG_FILE)
    settings = read_object(path, _SETTINGS)
    try:
        check_sides(settings)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return settings


def check_sides(settings):
    """Raises a ValueError unless `source` and `target` name a kind of subwords."""
    for side in ("source", "target"):
        value = settings[side]
        if side == "target" and value is None:
            continue
        if not isinstance(value, dict) or value.get("name") not in [*SUFFIXES]:
            raise ValueError(
                f"`{side}` must be an object whose `name` is one of {sorted(SUFFIXES)}. "
                f"Received: {side}={value!r}"
            )


def _read_side(folder, side, settings):
    path = os.path.join(folder, subword_file(side, settings["name"]))
    if settings["name"] == "WordPiece":
        return read_word_pieces(path)
    with opened(path, "rb") as file:
        model = file.read()
    try:
        return read_pieces(model)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_word_pieces(path):
    """The token of every id, from the file of a `WordPiece` of a translator.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: A line is wrong; the message names file, line, expected and received.
    """
    return read_vocabulary(path, SUBWORD_SPECIALS)
