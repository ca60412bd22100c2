import collections
import json
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from seqnlp.preprocessing import CountValues, Sentence, SplitSentences
from seqnlp.preprocessing.examples import ExampleEncoder, RejectUnseen
from seqnlp.preprocessing.split import split_of
from seqnlp.preprocessing.vocabulary import ListLabels, ListTags, MakeText, sort_tags
from seqnlp.records import OUTPUT_FORMATS

SETTINGS = {
    "min_count": 1,
    "vocabulary_size": None,
    "characters": True,
    "normalizer": {"form": "nfc", "lowercase": True, "digits": True},
    "max_word_length": 3,
    "max_length": None,
}


def sentences(*texts):
    """`a/X b/Y` -> a `Sentence`."""
    made = []
    for number, text in enumerate(texts):
        pairs = [word.split("/") for word in text.split()]
        made.append(Sentence(*map(tuple, zip(*pairs, strict=True)), "f", number + 1))
    return made


def run():
    return beam.Pipeline(FnApiRunner())


def test_count_values_counts_over_all_elements():
    with run() as root:
        counts = root | beam.Create(["aab", "bc", ""]) | CountValues(list)
        assert_that(counts, equal_to([("a", 2), ("b", 2), ("c", 1)]))


def test_count_values_keeps_counts_right_when_it_passes_them_on_early(monkeypatch):
    monkeypatch.setattr("seqnlp.preprocessing.vocabulary._MAX_COUNTS", 1)
    with run() as root:
        counts = root | beam.Create(["aab", "bc", ""]) | CountValues(list)
        assert_that(counts, equal_to([("a", 2), ("b", 2), ("c", 1)]))


def test_tags_are_sorted_with_o_first():
    assert sort_tags(["I-x", "A", "O", "B-x"]) == ["O", "A", "B-x", "I-x"]


def test_list_tags_gives_one_list_also_of_nothing():
    with run() as root:
        tags = root | "Some" >> beam.Create(sentences("a/X b/O", "c/X")) | "A" >> ListTags()
        assert_that(tags, equal_to([["O", "X"]]), label="some")
        none = root | "None" >> beam.Create([]) | "B" >> ListTags()
        assert_that(none, equal_to([[]]), label="none")


def dump(value, path):
    Path(path).write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def made_text(tmp_path):
    """What `MakeText` makes of sentences."""

    def make(*texts, **settings):
        with run() as root:
            train = root | beam.Create(sentences(*texts))
            names = {"tags": train | ListTags(), "labels": train | ListLabels()}
            inputs = {"sentences": train, **names}
            text = inputs | MakeText({**SETTINGS, **settings})
            text | "Dump" >> beam.Map(dump, str(tmp_path / "text.json"))
        return json.loads((tmp_path / "text.json").read_text(encoding="utf-8"))

    return make


def test_words_are_counted_after_normalisation_and_characters_before(made_text):
    text = made_text("The/O the/O 12/X 34/X", "THE/O ab/O abcd/O")["config"]
    assert text["words"]["tokens"] == ["the", "00", "ab", "abcd"]
    # Counted over T h e, t h e, 1 2, 3 4, T H E, a b and a b c: words are cut at 3 characters.
    expected = collections.Counter("Thethe1234THEababc")
    ordered = sorted(expected, key=lambda character: (-expected[character], character))
    assert text["characters"]["tokens"] == ordered


def test_rare_words_and_words_beyond_the_size_are_left_out(made_text):
    assert made_text("a/O a/O b/X", min_count=2)["config"]["words"]["tokens"] == ["a"]
    text = made_text("a/O a/O b/X c/X", vocabulary_size=4)["config"]
    assert text["words"]["tokens"] == ["a", "b"]


def test_a_vocabulary_without_words_is_a_problem_not_a_crash(made_text):
    text = made_text("a/O b/X", min_count=5)
    assert text["config"] is None
    assert "a" in text["problem"]
    assert text["problem"].endswith("Received: min_count=5")


def test_a_sentence_with_an_unseen_tag_is_a_reject():
    with run() as root:
        outputs = (
            root
            | beam.Create(sentences("a/O b/X", "c/O d/Y e/Z"))
            | beam.ParDo(RejectUnseen(), ["O", "X"], []).with_outputs("rejects", main="sentences")
        )
        kept = outputs["sentences"] | "Lines" >> beam.Map(lambda s: s.line)
        assert_that(kept, equal_to([1]), label="kept")
        reason = "tag 'Y' does not occur in the training split; its tags are O, X"
        rejects = outputs["rejects"] | "Fields" >> beam.Map(tuple)
        expected = [("f", 2, "unseen_tag", reason, "c\tO\nd\tY\ne\tZ")]
        assert_that(rejects, equal_to(expected), label="rejects")


def test_a_sentence_with_an_unseen_label_is_a_reject():
    labelled = [Sentence(("c",), ("O",), "f", 1, "new"), Sentence(("d",), ("O",), "f", 3, "a")]
    with run() as root:
        outputs = (
            root
            | beam.Create(labelled)
            | beam.ParDo(RejectUnseen(), ["O"], ["a", "b"]).with_outputs(
                "rejects", main="sentences"
            )
        )
        kept = outputs["sentences"] | "Lines" >> beam.Map(lambda s: s.line)
        assert_that(kept, equal_to([3]), label="kept")
        reason = "label 'new' does not occur in the training split; its labels are a, b"
        rejects = outputs["rejects"] | "Fields" >> beam.Map(tuple)
        expected = [("f", 1, "unseen_label", reason, "c\tO")]
        assert_that(rejects, equal_to(expected), label="rejects")


def test_labels_of_training_are_sorted():
    labelled = [Sentence(("c",), ("O",), "f", 1, label) for label in ("b", "O", "a", "b")]
    with run() as root:
        assert_that(root | beam.Create(labelled) | ListLabels(), equal_to([["O", "a", "b"]]))


def test_without_training_tags_no_sentence_is_blamed():
    with run() as root:
        outputs = root | beam.Create(sentences("a/O")) | beam.ParDo(RejectUnseen(), [], [])
        assert_that(outputs | beam.Map(lambda s: s.line), equal_to([1]))


def test_the_split_of_a_sentence_never_changes():
    fractions = {"train": 0.8, "eval": 0.1, "test": 0.1}
    found = [split_of([f"w{number}"], 0, fractions) for number in range(24)]
    first = [number for number, split in enumerate(found) if split != "train"]
    assert first == [3, 10, 21]


def test_splits_have_the_shares_asked_for():
    fractions = {"train": 0.8, "eval": 0.1, "test": 0.1}
    counts = collections.Counter(split_of([f"w{n}"], 0, fractions) for n in range(20_000))
    for split, share in fractions.items():
        assert counts[split] / 20_000 == pytest.approx(share, abs=0.01)


def test_another_seed_splits_otherwise():
    fractions = {"train": 0.5, "test": 0.5}
    splits = [[split_of([f"w{n}"], seed, fractions) for n in range(100)] for seed in (0, 1)]
    assert 25 < sum(a != b for a, b in zip(*splits, strict=True)) < 75


def test_equal_sentences_are_never_parted():
    texts = [f"w{number % 50}/O" for number in range(200)]
    with run() as root:
        parts = (
            root | beam.Create(sentences(*texts)) | SplitSentences({"train": 0.5, "test": 0.5}, 0)
        )
        split = {s: split_of([s], 0, {"train": 0.5, "test": 0.5}) for s in (t[:-2] for t in texts)}
        for name, part in parts.items():
            expected = [t[:-2] for t in texts if split[t[:-2]] == name]
            words = part | f"Words-{name}" >> beam.Map(lambda s: s.tokens[0])
            assert_that(words, equal_to(expected), label=name)


@pytest.mark.parametrize("fractions", [{"train": 0.5}, {"train": 0.5, "dev": 0.5}])
def test_fractions_that_make_no_split_are_named(fractions):
    with pytest.raises(ValueError, match="`fractions` must give shares of train, eval, test"):
        SplitSentences(fractions, 0)


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_equal_sentences_give_equal_bytes(made_text, output_format):
    config = made_text("a/O b/X")["config"]
    encoded = []
    for _ in range(2):
        encoder = ExampleEncoder(config, output_format)
        encoder.look_up([["b", "a"], ["zz"]])
        encoded.append(encoder.encode(["a", "zz", "b"], ["O", "X", "X"]))
    assert encoded[0] == encoded[1]
    assert encoded[0][1] == 1
