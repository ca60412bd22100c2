"""Which font is taken, with the fonts that matplotlib brings along."""

import shutil
import warnings

import matplotlib
import pytest
from matplotlib import font_manager

from seqnlp import plot
from seqnlp.plot import fonts

DEJAVU, STIX = ((name, font_manager.findfont(name)) for name in ("DejaVu Sans", "STIXGeneral"))
ARMENIAN = "\u0531"  # which STIX lacks
ADD_NEW_FONTS = fonts._add_new_fonts
NOWHERE = "\U00014400"  # an Anatolian hieroglyph


@pytest.fixture(autouse=True)
def two_fonts(monkeypatch):
    monkeypatch.setattr(fonts, "_fonts", lambda: [STIX, DEJAVU])
    monkeypatch.setattr(fonts, "_warned", False)
    monkeypatch.setattr(fonts, "_add_new_fonts", lambda: False)


@pytest.fixture
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("no_warnings")
def test_the_first_font_that_holds_all_characters_is_taken():
    assert fonts.fitting(["to", "Haus"])[0].get_family() == ["STIXGeneral"]
    assert ARMENIAN not in fonts._characters(STIX[1])
    assert fonts.fitting(["to", ARMENIAN])[0].get_family() == ["DejaVu Sans"]


@pytest.mark.usefixtures("no_warnings")
def test_what_the_first_font_lacks_comes_from_the_next():
    only = "\u1d84"  # a d with a hook
    assert only in fonts._characters(STIX[1]) - fonts._characters(DEJAVU[1])
    family = fonts.fitting([only, "abc", ARMENIAN])[0]
    assert family.get_family() == ["STIXGeneral", "DejaVu Sans"]
    assert plot.png(plot.attention([[1.0]], [only], [ARMENIAN]))


@pytest.mark.usefixtures("no_warnings")
def test_blanks_and_control_characters_need_no_font():
    assert fonts.fitting(["a\nb", "c\u200bd", 7])[1] == ["a b", "c d", "7"]


def test_what_no_font_holds_becomes_a_box_and_warns_once():
    with pytest.warns(UserWarning, match=r"no installed font holds 밥 .*: NanumGothic, Noto Sans"):
        font, texts = fonts.fitting(["밥", f"Ä{NOWHERE}"])
    assert font.get_family() == ["STIXGeneral"]
    assert texts == [fonts.BOX, "Ä" + fonts.BOX]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fonts.fitting([NOWHERE])[1] == [fonts.BOX]


def test_a_picture_with_such_a_character_is_drawn_without_another_warning():
    with pytest.warns(UserWarning, match="no installed font holds") as caught:
        picture = plot.png(plot.attention([[1.0]], [NOWHERE], ["Haus"]))
    assert picture[:4] == b"\x89PNG"
    assert len(caught) == 1


def test_the_font_that_matplotlib_is_set_to_comes_first(monkeypatch):
    monkeypatch.undo()
    names = [name for name, _ in fonts._fonts()]
    assert names[0] == "DejaVu Sans"
    assert not [name for name in names if "Last Resort" in name or "cmsy10" in name]
    monkeypatch.setitem(matplotlib.rcParams, "font.family", ["STIXGeneral"])
    assert fonts._fonts()[0] == STIX


def test_a_font_file_that_is_gone_holds_nothing(tmp_path):
    assert fonts._characters(str(tmp_path / "gone.ttf")) == set()


def test_a_font_installed_after_matplotlib_listed_them_is_found(tmp_path, monkeypatch):
    added, copy = [], tmp_path / "new.ttf"
    shutil.copy(DEJAVU[1], copy)
    monkeypatch.setattr(fonts, "_fonts", lambda: [STIX, *(("new", path) for path in added)])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(copy)])
    monkeypatch.setattr(font_manager.fontManager, "addfont", added.append)
    monkeypatch.setattr(fonts, "_add_new_fonts", ADD_NEW_FONTS)
    ADD_NEW_FONTS.cache_clear()
    assert fonts.fitting(["to", ARMENIAN])[0].get_family() == ["new"]
