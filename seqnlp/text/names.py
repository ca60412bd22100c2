"""What the ids of a tagger stand for: files of names, read without TensorFlow."""

import json
import os
from typing import NamedTuple

from seqnlp.text.files import read_lines

WORDS_FILE = "vocabulary.txt"
CHARACTERS_FILE = "characters.txt"
TAGS_FILE = "tags.txt"
CONFIG_FILE = "text.json"
LABELS_FILE = "labels.txt"
TEXT_FILES = (WORDS_FILE, CHARACTERS_FILE, TAGS_FILE, LABELS_FILE, CONFIG_FILE)

PADDING = "[PAD]"
UNKNOWN = "[UNK]"
SPECIALS = [PADDING, UNKNOWN]
UNKNOWN_ID = 1
# What begins and ends a sequence that a model writes; their ids follow the two.
START = "[START]"
END = "[END]"
START_ID, END_ID = 2, 3
NEVER_WRITTEN = (0, START_ID)  # by a model: padding and start

_SETTINGS = {"characters", "labels", "tokenizer", "normalizer", "max_word_length", "max_length"}


class TaggingNames(NamedTuple):
    """The names of a tagger's ids, as `TaggingText` saves them.

    Fields:
        words: List of `str`, the word of every id, specials included.
        characters: The same of characters, or None for a tagger that does not read them.
        tags: List of `str`, the name of every tag id.
        labels: The same of the labels of sentences, or None where they have none.
    """

    words: list
    characters: list | None
    tags: list
    labels: list | None = None

    @classmethod
    def load(cls, folder):
        """Reads them from a folder that `TaggingText.save` or a preparation wrote.

        Raises:
            FileNotFoundError, OSError: A file is missing or cannot be read.
            ValueError: A file does not hold what it should; the message names it.
        """
        settings, characters, labels = read_settings(folder), None, None
        if settings["characters"]:
            characters = read_vocabulary(os.path.join(folder, CHARACTERS_FILE))
        if settings["labels"]:
            labels = read_names(os.path.join(folder, LABELS_FILE), "label")
        tags = read_names(os.path.join(folder, TAGS_FILE), "tag")
        return cls(read_vocabulary(os.path.join(folder, WORDS_FILE)), characters, tags, labels)


def read_names(path, kind):
    """Reads a file of names, one a line, each once.

    Args:
        path: Path of the file.
        kind: What messages call a name.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: There is no name, or a line is wrong; the message names file and line.
    """
    names = read_lines(path)
    if not names:
        raise ValueError(f"{path}, line 1: expected a {kind}. Received: end of file")
    check_lines(path, names)
    return names


def read_vocabulary(path, specials=SPECIALS):
    """The token of every id, specials included, from the file of a `Vocabulary`.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: A line is wrong; the message names file, line, expected and received.
    """
    lines = read_lines(path)
    for number, special in enumerate(specials, start=1):
        received = repr(lines[number - 1]) if len(lines) >= number else "end of file"
        if received != repr(special):
            raise ValueError(
                f"{path}, line {number}: expected the special {special!r}. Received: {received}"
            )
    if len(lines) == len(specials):
        raise ValueError(
            f"{path}, line {len(specials) + 1}: expected a token after the specials. "
            "Received: end of file"
        )
    check_lines(path, lines)
    return lines


def read_settings(folder):
    """The settings of a `TaggingText`, a dict, from the text.json of its folder.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It does not hold the settings; the message names it.
    """
    path = os.path.join(folder, CONFIG_FILE)
    text = "\n".join(read_lines(path))
    try:
        settings = json.loads(text)
        if not isinstance(settings, dict) or set(settings) - {"bert"} != _SETTINGS:
            received = sorted(settings) if isinstance(settings, dict) else settings
            raise ValueError(f"expected the keys {sorted(_SETTINGS)}. Received: {received}")
        for key in ("tokenizer", "normalizer"):
            if not isinstance(settings[key], dict):
                raise ValueError(f"`{key}` must be an object. Received: {key}={settings[key]!r}")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None
    return settings


def check_lines(path, lines):
    """Raises a ValueError naming the first line that is empty, repeated or holds a "\\r"."""
    first = {}
    for number, line in enumerate(lines, start=1):
        if not line:
            raise ValueError(f"{path}, line {number}: must not be empty. Received: ''")
        if "\r" in line:
            raise ValueError(
                f"{path}, line {number}: must hold no carriage return. Received: {line!r}"
            )
        if line in first:
            raise ValueError(
                f"{path}, line {number}: must differ from line {first[line]}. Received: {line!r}"
            )
        first[line] = number
