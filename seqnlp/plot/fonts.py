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
    """Returns the fonts for some texts, and the texts as those can write them.

    The font that matplotlib is set to comes first, then `PREFERRED`, then the others by name. A
    character that the first font taken lacks is drawn from the next one. If no font holds it,
    `BOX` replaces it, and the first time a warning names fonts to install.

    Args:
        texts: Iterable of strings.

    Returns:
        A matplotlib `FontProperties`, and the list of texts.
    """
    texts = list(map(str, texts))
    wanted = {character for text in texts for character in text if character.isprintable()}
    fonts, missing = _covering(_fonts(), wanted)
    if missing and _add_new_fonts():
        fonts, missing = _covering(_fonts(), wanted)
    if missing:
        _warn_once(missing)
    return font_manager.FontProperties(family=fonts), [_written(text, missing) for text in texts]


def _covering(fonts, wanted):
    """Names of fonts that hold the characters together, and the characters that none holds.

    Of `(name, path)` each one taken is the first that holds most of what is left.
    """
    taken, missing = [], wanted
    while missing or not taken:
        name, held = _best(fonts, missing)
        if taken and not held:
            break
        taken.append(name)
        missing = missing - held
    return taken, missing


def _best(fonts, wanted):
    """The name of the first font that holds most of the characters, and those."""
    best, most = None, -1
    for name, path in fonts:
        held = wanted & _characters(path)
        if len(held) > most:
            best, most = (name, held), len(held)
        if held == wanted:
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


def _fonts():
    """Name and file of the upright fonts of normal weight, in the order of trying."""
    entries = {
        entry.name: entry.fname
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal"
        and entry.weight in (400, "normal", "regular", "book")
        and not _UNFIT.match(entry.name)
    }
    default = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    rank = {name: index for index, name in enumerate((default.family_name, *PREFERRED))}
    return sorted(entries.items(), key=lambda font: (rank.get(font[0], len(rank)), *font))


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
