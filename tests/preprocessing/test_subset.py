"""A part of the training split: which sentences it holds, and what is said of the others."""

import pytest

from seqnlp.preprocessing import prepare_tagging
from seqnlp.records import read_manifest, read_sentences
from tests.preprocessing.small_corpus import corpus, tree, write


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    sentences = corpus(40)
    train = [write(folder / f"part{n}", sentences[n::2]) for n in range(2)]
    return train, write(folder / "dev", corpus(9, 1)), write(folder / "test", corpus(9, 2))


def taken(folder):
    return sorted(tuple(tokens) for tokens, _ in read_sentences(folder, "train"))


def prepare(folder, files, most, **settings):
    prepare_tagging(str(folder), *files, max_train_examples=most, max_rejects=1.0, **settings)
    return taken(str(folder))


def test_a_greater_part_holds_the_smaller_one(files, tmp_path):
    few, more = (prepare(tmp_path / str(most), files, most) for most in (10, 25))
    assert (len(few), len(more)) == (10, 25)
    assert set(few) < set(more)


def test_the_order_of_the_files_changes_no_byte(files, tmp_path):
    prepare(tmp_path / "one", files, 10)
    prepare(tmp_path / "other", (files[0][::-1], *files[1:]), 10)
    assert tree(tmp_path / "one") == tree(tmp_path / "other")


def test_another_seed_takes_others(files, tmp_path):
    assert prepare(tmp_path / "0", files, 10) != prepare(tmp_path / "1", files, 10, seed=1)


def test_statistics_say_how_many_are_left_out(files, tmp_path):
    for most, expected in ((10, 30), (100, 0)):
        prepare(tmp_path / str(most), files, most)
        manifest = read_manifest(tmp_path / str(most))
        assert manifest.statistics["splits"]["train"]["left_out"] == expected
        assert manifest.options["max_train_examples"] == most


def test_a_part_of_one_is_refused(files, tmp_path):
    message = "^`max_train_examples` must be at least 2. Received: max_train_examples=1$"
    with pytest.raises(ValueError, match=message):
        prepare(tmp_path / "out", files, 1)
