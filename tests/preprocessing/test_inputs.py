import pytest

from seqnlp.preprocessing.inputs import find_files


@pytest.fixture
def folder(tmp_path):
    for name in ("b.conll", "a.conll", "c[1].conll"):
        (tmp_path / name).write_text("a\tO\n")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "inner").mkdir()
    return tmp_path


def names(found):
    return [path.rsplit("/", 1)[1] for path in found]


def test_paths_and_patterns_are_found_once_and_sorted(folder):
    found = find_files("train", [str(folder / "*.conll"), folder / "a.conll"])
    assert names(found) == ["a.conll", "b.conll", "c[1].conll"]


def test_a_single_path_needs_no_list(folder):
    assert names(find_files("train", str(folder / "b.conll"))) == ["b.conll"]


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(folder):
    assert names(find_files("train", folder / "c[1].conll")) == ["c[1].conll"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none.conll", "existing files, and there is no such file"),
        ("none*", "files, and this pattern matches none"),
        ("inner", "files, and this is a folder"),
        ("empty.txt", "files with sentences, and this file is empty"),
    ],
)
def test_a_path_that_cannot_be_used_is_named(folder, name, expected):
    path = str(folder / name)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        find_files("dev", [str(folder / "a.conll"), path])
    assert str(caught.value) == f"`dev` must name {expected}. Received: dev={path!r}"


def test_no_path_at_all_is_refused():
    with pytest.raises(
        ValueError, match=r"`test` must name at least one file. Received: test=\[\]"
    ):
        find_files("test", [])
