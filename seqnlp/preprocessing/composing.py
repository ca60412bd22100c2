"""The normal form that the subwords of translations are cut from, as rules for sentencepiece."""

import itertools
import sys
import unicodedata


def composing_rules():
    """NFC and clean white space, as replacements for the longest text found among them.

    Several marks on a letter are put in order only where they all become one with it: rules
    for the rest would be without end.

    Returns:
        Dict from a text to its replacement. White space becomes a space, control characters
        and byte order marks nothing.
    """
    rules = {"\u2581": " "}  # the library's own mark for a space
    for code in range(1, sys.maxunicode + 1):
        character = chr(code)
        if character == " ":
            continue
        if character.isspace() or character == "\u200b":
            rules[character] = " "
        elif unicodedata.category(character) == "Cc" or character == "\ufeff":
            rules[character] = ""
        elif _is_composed(character):
            composed = unicodedata.normalize("NFC", character)
            rules |= dict.fromkeys(_spellings(character), composed)
    return rules


def _is_composed(character):
    return unicodedata.normalize("NFD", character) != character


def _spellings(character):
    """What NFC makes the same of as of `character`, and is not that already."""
    composed = unicodedata.normalize("NFC", character)
    first, *marks = unicodedata.normalize("NFD", character)
    for order in itertools.permutations(marks):
        for end in range(len(order) + 1):
            begun = unicodedata.normalize("NFC", first + "".join(order[:end]))
            spelling = begun + "".join(order[end:])
            if spelling != composed and unicodedata.normalize("NFC", spelling) == composed:
                yield spelling
    if character != composed:
        yield character
