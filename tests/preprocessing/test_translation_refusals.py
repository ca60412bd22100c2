"""Preparations of parallel text that stop: the whole message, and no manifest."""

import gzip
import os

import pytest

from seqnlp.preprocessing import PrepareError, prepare_tagging, prepare_translation
from seqnlp.preprocessing.inputs import find_pairs
from tests.preprocessing.small_corpus import tree
from tests.preprocessing.small_pairs import pairs, write

SETTINGS = {"vocabulary_size": 60}


@pytest.fixture
def given(tmp_path):
    """Training, dev and test, two files each."""
    sizes = {"train": 60, "dev": 10, "test": 10}
    return {name: write(tmp_path, name, pairs(size)) for name, size in sizes.items()}


def refused(output, **arguments):
    """The message of a preparation that fails, which leaves no manifest."""
    with pytest.raises(PrepareError) as caught:
        prepare_translation(output, **{**SETTINGS, **arguments})
    assert not os.path.exists(os.path.join(output, "manifest.json"))
    return str(caught.value)


def test_files_of_different_length_are_named_with_both_counts(given, tmp_path):
    source, target = given["train"]
    with open(target, "a", encoding="utf-8") as file:
        file.write("eins\nzwei\n")
    output = tmp_path / "out"
    assert refused(output, **given) == (
        "The preparation did not finish: 1 of the pairs of files differ in length, so that their "
        f"lines do not match. First rejects: {source} + {target}:61: lines: expected as many in "
        f"both files, received 60 in {source} and 62 in {target}. All of them, with their text: "
        f"{output}/rejects/rejects.jsonl. Give files whose lines translate each other."
    )


def test_unequal_lengths_are_told_first_whatever_else_is_wrong(given, tmp_path):
    source, target = given["train"]
    with open(source, "a", encoding="utf-8") as file:
        file.write("one\n")
    with open(given["dev"][0], "a", encoding="utf-8") as file:
        file.write("\n" * 20)
    with open(given["dev"][1], "a", encoding="utf-8") as file:
        file.write("x\n" * 20)
    message = refused(tmp_path / "out", **given, vocabulary_size=100_000)
    assert "1 of the pairs of files differ in length" in message
    assert f"First rejects: {source} + {target}:61: lines: expected as many" in message


def test_too_many_bad_lines_are_told_with_place_and_advice(given, tmp_path):
    source, target = given["dev"]
    for path, line in ((source, ""), (target, "x")):
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{line}\n" * 20)
    output = tmp_path / "out"
    reason = "source line: expected text, received ''"
    first = "; ".join(f"{source} + {target}:{line}: {reason}" for line in range(11, 16))
    assert refused(output, **given) == (
        "The preparation did not finish: 20 of 100 pairs (20.0%) were rejected, and `max_rejects` "
        f"allows 1.0%. First rejects: {first}. All of them, with their text: "
        f"{output}/rejects/rejects.jsonl. Correct the input or its description, or raise "
        "`max_rejects`."
    )
    assert len(tree(output)["rejects/rejects.jsonl"].splitlines()) == 20


def test_a_split_of_blank_lines_is_empty(given, tmp_path):
    blank = tmp_path / "blank.tsv"
    blank.write_text("\n\n")
    rows = tmp_path / "rows.tsv"
    rows.write_text("".join(f"{source}\t{target}\n" for source, target in pairs(60)))
    files = {"train": rows, "dev": blank, "test": rows, "input_format": "tsv"}
    assert refused(tmp_path / "out", **files) == (
        "The preparation did not finish: the eval split has no pair (60 train, 0 eval, 60 test; "
        "0 rejected). Give more pairs, or files for `dev`."
    )


def test_a_training_split_without_pairs_is_told_as_such(given, tmp_path):
    blank = tmp_path / "blank.tsv"
    blank.write_text("\n\n")
    message = refused(tmp_path / "out", train=blank, input_format="tsv")
    assert "the train split has no pair (0 train, 0 eval, 0 test; 0 rejected)" in message


def test_a_file_that_breaks_off_is_refused(given, tmp_path):
    source, target = given["train"]
    packed = tmp_path / "train.en.gz"
    with open(source, "rb") as file:
        packed.write_bytes(gzip.compress(file.read())[:-20])
    message = refused(tmp_path / "out", **{**given, "train": (packed, target)})
    assert message.startswith(
        "The preparation did not finish: 1 of the input files cannot be read to the end: the "
        f"rest is unknown. First rejects: {packed} + {target}:"
    )


def test_a_vocabulary_larger_than_the_corpus_allows_is_refused_with_the_size_that_fits(
    given, tmp_path
):
    message = refused(tmp_path / "out", **given, vocabulary_size=100_000)
    assert message.startswith(
        "The preparation did not finish: no vocabulary can be made: `vocabulary_size` must be at "
        "most "
    )
    assert message.endswith(
        "Received: vocabulary_size=100000. Correct the named argument or the input."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_shards": 0}, "`num_shards` must be at least 1. Received: num_shards=0"),
        ({"max_length": 0}, "`max_length` must be at least 1. Received: max_length=0"),
        ({"seed": -1}, "`seed` must be at least 0. Received: seed=-1"),
        (
            {"vocabulary_size": 4},
            "`vocabulary_size` must be at least 5. Received: vocabulary_size=4",
        ),
        (
            {"subwords": "words"},
            "`subwords` must be one of bpe, unigram, wordpiece. Received: subwords='words'",
        ),
        (
            {"subword_settings": {"lowercase": True}},
            "`subword_settings` must hold arguments of bpe, form, character_coverage, "
            "byte_fallback. Received: subword_settings={'lowercase': True}",
        ),
        (
            {"max_rejects": 1.5},
            "`max_rejects` must be a share from 0 to 1. Received: max_rejects=1.5",
        ),
        (
            {"output_format": "avro"},
            "`output_format` must be one of tfrecord, parquet. Received: output_format='avro'",
        ),
        (
            {"max_line_tokens": 0},
            "`max_line_tokens` must be at least 1. Received: max_line_tokens=0",
        ),
        (
            {"dev": ("none.en", "none.de")},
            "`dev` must name existing files, and there is no such file. Received: dev='none.en'",
        ),
        (
            {"dev": "dev.tsv"},
            "`dev` must name the files of two sides, source and target. Received: dev='dev.tsv'",
        ),
    ],
)
def test_wrong_options_write_nothing(given, tmp_path, options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        prepare_translation(tmp_path / "out", **{**given, **options})
    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()


@pytest.fixture
def named(tmp_path):
    for name in ("a.en", "b.en", "a.de", "b.de", "c.de"):
        (tmp_path / name).write_text("x\n")
    return tmp_path


def names(found):
    return [tuple(os.path.basename(path) for path in pair) for pair in found]


def test_patterns_of_both_sides_are_paired_in_the_order_of_the_alphabet(named):
    sides = (str(named / "*.en"), [named / "[ab].de"])
    assert names(find_pairs("train", sides)) == [("a.en", "a.de"), ("b.en", "b.de")]


def test_lists_are_paired_as_they_stand_and_pairs_are_sorted_and_found_once(named):
    sides = ([named / "b.en", named / "a.en", named / "b.en"], [named / n for n in ("c.de",) * 3])
    assert names(find_pairs("train", sides)) == [("a.en", "c.de"), ("b.en", "c.de")]


def test_unequal_numbers_of_files_are_named(named):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        find_pairs("train", (named / "a.en", named / "[ac].de"))
    assert str(caught.value) == (
        "`train` must name as many files of the target as of the source. Received: 1 of the "
        f"source ({named}/a.en) and 2 of the target ({named}/a.de, {named}/c.de)"
    )


def test_a_file_paired_with_itself_is_named(named):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        find_pairs("test", (named / "a.en", named / "a.en"))
    assert str(caught.value) == (
        f"`test` must name different files of source and target. Received: test='{named}/a.en'"
    )


def test_a_side_without_files_is_named(named):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        find_pairs("test", ([], [named / "a.de"]))
    assert str(caught.value) == "`test` must name at least one file. Received: test=[]"


def test_a_tagging_preparation_removes_the_text_of_a_translation(given, tmp_path):
    prepare_translation(tmp_path / "out", **given, **SETTINGS)
    assert "joint.spm" in tree(tmp_path / "out")
    (tmp_path / "a.conll").write_text("".join(f"w{n}\t{'AB'[n % 2]}\n\n" for n in range(60)))
    prepare_tagging(tmp_path / "out", tmp_path / "a.conll")
    assert "joint.spm" not in tree(tmp_path / "out")
