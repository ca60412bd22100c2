"""Which font is taken, with the fonts that matplotlib brings along."""

import shutil
import warnings

import pytest
from matplotlib import font_manager

from seqnlp import plot
from seqnlp.plot import fonts

DEJAVU = font_manager.findfont("DejaVu Sans")
STIX = font_manager.findfont("STIXGeneral")
ADD_NEW_FONTS = fonts._add_new_fonts
NOWHERE = "\U00014400"  # an Anatolian hieroglyph


@pytest.fixture(autouse=True)
def two_fonts(monkeypatch):
    monkeypatch.setattr(fonts, "_paths", lambda: [STIX, DEJAVU])
    monkeypatch.setattr(fonts, "_warned", False)
    monkeypatch.setattr(fonts, "_add_new_fonts", lambda: False)


@pytest.fixture
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("no_warnings")
def test_the_first_font_that_holds_all_characters_is_taken():
    assert fonts.fitting(["to", "Haus"])[0].get_file() == STIX
    armenian = "\u0531"
    assert armenian not in fonts._characters(STIX)
    assert fonts.fitting(["to", armenian])[0].get_file() == DEJAVU


@pytest.mark.usefixtures("no_warnings")
def test_blanks_and_control_characters_need_no_font():
    assert fonts.fitting(["a\nb", "c\u200bd", 7])[1] == ["a b", "c d", "7"]


def test_what_no_font_holds_becomes_a_box_and_warns_once():
    with pytest.warns(UserWarning, match=r"no installed font holds 밥 .*: NanumGothic, Noto Sans"):
        font, texts = fonts.fitting(["밥", f"Ä{NOWHERE}"])
    assert font.get_file() == STIX
    assert texts == [fonts.BOX, "Ä" + fonts.BOX]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fonts.fitting([NOWHERE])[1] == [fonts.BOX]


def test_the_font_that_holds_most_is_taken_where_none_holds_all():
    with pytest.warns(UserWarning, match="no installed font holds"):
        assert fonts.fitting(["\u0531", NOWHERE])[0].get_file() == DEJAVU


def test_a_picture_with_such_a_character_is_drawn_without_another_warning():
    with pytest.warns(UserWarning, match="no installed font holds") as caught:
        picture = plot.png(plot.attention([[1.0]], [NOWHERE], ["Haus"]))
    assert picture[:4] == b"\x89PNG"
    assert len(caught) == 1


def test_the_font_that_matplotlib_is_set_to_comes_first(monkeypatch):
    monkeypatch.undo()
    paths = fonts._paths()
    assert paths[0] == font_manager.findfont(font_manager.FontProperties())
    assert len(set(paths)) == len(paths)
    assert not [path for path in paths if "LastResort" in path or "cmsy10" in path]


def test_a_font_file_that_is_gone_holds_nothing(tmp_path):
    assert fonts._characters(str(tmp_path / "gone.ttf")) == set()


def test_a_font_installed_after_matplotlib_listed_them_is_found(tmp_path, monkeypatch):
    added, copy = [], tmp_path / "new.ttf"
    shutil.copy(DEJAVU, copy)
    monkeypatch.setattr(fonts, "_paths", lambda: [STIX, *added])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(copy)])
    monkeypatch.setattr(font_manager.fontManager, "addfont", added.append)
    monkeypatch.setattr(fonts, "_add_new_fonts", ADD_NEW_FONTS)
    ADD_NEW_FONTS.cache_clear()
    assert fonts.fitting(["to", "\u0531"])[0].get_file() == str(copy)
