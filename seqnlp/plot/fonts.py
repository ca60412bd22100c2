"""A font for the words of a picture: the first installed one that holds all their characters."""

import functools
import re
import warnings

from matplotlib import font_manager

# Free fonts with Korean, Chinese or Japanese, or the ones that systems bring along.
PREFERRED = (
    "NanumGothic",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
)
BOX = "\u25a1"
"""Drawn for a character that no font holds."""

# Come with matplotlib: their glyphs are boxes, or not those of their code points.
_UNFIT = re.compile(r"Last Resort|STIX(NonUnicode|Size)|cm[a-z]+10$")
_warned = False


def fitting(texts):
    """Returns the font for some texts, and the texts as that font can write them.

    The font that matplotlib is set to comes first, then `PREFERRED`, then the others by name. If
    none holds every character, the one that holds most is taken, `BOX` replaces the others,
    and the first time a warning names fonts to install.

    Args:
        texts: Iterable of strings.

    Returns:
        A matplotlib `FontProperties`, and the list of texts.
    """
    texts = list(map(str, texts))
    wanted = {character for text in texts for character in text if character.isprintable()}
    best = _best(_paths(), wanted)
    if not wanted <= _characters(best) and _add_new_fonts():
        best = _best(_paths(), wanted)
    missing = wanted - _characters(best)
    if missing:
        _warn_once(missing)
    return font_manager.FontProperties(fname=best), [_written(text, missing) for text in texts]


def _best(paths, wanted):
    """The first of the files that hold most of the characters."""
    best, most = None, -1
    for path in paths:
        held = len(wanted & _characters(path))
        if held > most:
            best, most = path, held
        if held == len(wanted):
            break
    return best


@functools.cache
def _add_new_fonts():
    """Adds the fonts installed since matplotlib wrote its list of them, which it keeps."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    new = set(font_manager.findSystemFonts()) - known
    for path in sorted(new):
        try:
            font_manager.fontManager.addfont(path)
        except (OSError, RuntimeError):  # FreeType cannot read it
            continue
    return bool(new)


def _paths():
    """Files of the upright fonts of normal weight, in the order in which they are tried."""
    entries = [
        (entry.name, entry.fname)
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal"
        and entry.weight in (400, "normal", "regular", "book")
        and not _UNFIT.match(entry.name)
    ]
    rank = {name: index for index, name in enumerate(PREFERRED)}
    entries.sort(key=lambda entry: (rank.get(entry[0], len(rank)), *entry))
    default = font_manager.findfont(font_manager.FontProperties())
    return list(dict.fromkeys([default, *(path for _, path in entries)]))


@functools.cache
def _characters(path):
    """The characters that a font file has a glyph for."""
    try:
        return frozenset(map(chr, font_manager.get_font(path).get_charmap()))
    except (OSError, RuntimeError):  # a file that was removed, or that FreeType cannot read
        return frozenset()


def _warn_once(missing):
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"no installed font holds {' '.join(sorted(missing)[:5])}: boxes are drawn instead. "
            f"Fonts that hold Korean: {', '.join(PREFERRED[:3])} (on Debian: apt install "
            "fonts-nanum or fonts-noto-cjk)",
            stacklevel=4,
        )


def _written(text, missing):
    return "".join(
        BOX if character in missing else character if character.isprintable() else " "
        for character in text
    )
