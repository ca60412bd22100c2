import json
import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.text import (
    CharacterTokenizer,
    Normalizer,
    RegexTokenizer,
    TaggingText,
    Vocabulary,
    WordTokenizer,
)

WORDS = ["to", "한국", "0", "café"]
CHARACTERS = [*"toT한é0"]
TAGS = ["O", "B-city", "I-city"]


def text(**kwargs):
    arguments = {"words": Vocabulary(WORDS), "characters": Vocabulary(CHARACTERS), "tags": TAGS}
    return TaggingText(**{**arguments, **kwargs})


def ragged(rows):
    return tf.ragged.constant(rows, tf.string, ragged_rank=1)


def padded(rows, depth):
    """Nested lists to a dense array by plain Python."""
    shape = [len(rows)]
    level = rows
    for _ in range(depth):
        shape.append(max([1, *map(len, level)]))
        level = [item for row in level for item in row]
    array = np.zeros(shape, "int32")
    for i, row in enumerate(rows):
        for j, item in enumerate(row):
            if depth == 1:
                array[i, j] = item
            else:
                array[i, j, : len(item)] = item
    return array


def test_words_are_looked_up_normalised():
    nfd = unicodedata.normalize("NFD", "한국")
    ids = text().ids(ragged([["TO", nfd, "7"], [], ["away"]]))["word_ids"]
    assert ids.dtype == tf.int32
    assert ids.to_list() == [[2, 3, 4], [], [1]]


def test_characters_keep_their_case_and_are_composed():
    nfd = unicodedata.normalize("NFD", "é한")
    ids = text().ids(ragged([["To", nfd], [], ["07"]]))["char_ids"]
    assert ids.dtype == tf.int32
    assert ids.to_list() == [[[4, 3], [6, 5]], [], [[7, 1]]]


def test_characters_follow_the_normal_form_of_the_words():
    normalizer = Normalizer(form="nfkc")
    assert text(normalizer=normalizer).split_characters(["ﬁＡ"]).to_list() == [[b"f", b"i", b"A"]]


def test_long_words_are_read_by_their_first_characters():
    ids = text(max_word_length=2).ids(ragged([["한한한한", "t"]]))["char_ids"]
    assert ids.to_list() == [[[5, 5], [2]]]


def test_an_empty_token_is_unknown_with_one_unknown_character():
    ids = text().ids(ragged([["", "to"]]))
    assert ids["word_ids"].to_list() == [[1, 2]]
    assert ids["char_ids"].to_list() == [[[1], [2, 3]]]


def test_invalid_utf8_is_unknown():
    ids = text().ids(ragged([[b"\xff", b"t\xe9"]]))
    assert ids["word_ids"].to_list() == [[1, 1]]
    assert ids["char_ids"].to_list() == [[[1], [2, 1]]]


def test_without_a_character_vocabulary_there_are_only_words():
    assert set(text(characters=None).inputs(ragged([["to"]]))) == {"word_ids"}


@pytest.mark.parametrize(
    "rows",
    [[["to", "한국국"], [], ["t"]], [["to"]], [["", ""]], [[], []], [[]], []],
)
def test_inputs_are_the_ids_padded_with_zeros_to_at_least_one(rows):
    ids = text().ids(ragged(rows))
    inputs = text().inputs(ragged(rows))
    for name, depth in (("word_ids", 1), ("char_ids", 2)):
        assert inputs[name].dtype == tf.int32
        np.testing.assert_array_equal(inputs[name], padded(ids[name].to_list(), depth))


def test_truncate_cuts_and_says_so():
    tokens, truncated = text(max_length=2).truncate(ragged([["a", "b", "c"], ["d"], []]))
    assert tokens.to_list() == [[b"a", b"b"], [b"d"], []]
    assert truncated.numpy().tolist() == [True, False, False]


def test_truncate_without_a_limit_keeps_everything():
    tokens, truncated = text().truncate(ragged([["a", "b"], []]))
    assert tokens.to_list() == [[b"a", b"b"], []]
    assert truncated.numpy().tolist() == [False, False]


def test_ids_never_shorten_a_sentence():
    assert text(max_length=1).ids(ragged([["to", "to"]]))["word_ids"].to_list() == [[2, 2]]


def test_thousands_of_distinct_tokens_give_the_ids_of_each_alone():
    tokens = [f"Word{i}é한" for i in range(3000)]
    together = text().ids(ragged([tokens]))
    some = [0, 17, 2999]
    for i in some:
        alone = text().ids(ragged([[tokens[i]]]))
        for name in alone:
            assert together[name][0][i].numpy().tolist() == alone[name][0][0].numpy().tolist()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"characters": None},
        {"tokenizer": CharacterTokenizer(), "max_length": 7, "max_word_length": 3},
        {"tokenizer": RegexTokenizer(r"\S+|\x{1F600}"), "normalizer": Normalizer(form=None)},
    ],
)
def test_config_and_folder_rebuild_the_same_object(changes, tmp_path):
    original = text(**changes)
    original.save(str(tmp_path / "new" / "folder"))
    config = original.get_config()
    assert TaggingText.from_config(json.loads(json.dumps(config))).get_config() == config
    assert TaggingText.load(str(tmp_path / "new" / "folder")).get_config() == config


def test_defaults_are_words_in_lower_case_with_digits_folded():
    made = text()
    assert type(made.tokenizer) is WordTokenizer
    assert made.normalizer.get_config() == {"form": "nfc", "lowercase": True, "digits": True}


def test_tags_file_holds_one_tag_a_line(tmp_path):
    text().save(tmp_path)
    assert (tmp_path / "tags.txt").read_text() == "O\nB-city\nI-city\n"


def test_saving_twice_gives_the_same_bytes_without_a_path(tmp_path):
    for name in ("a", "b"):
        text().save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["characters.txt", "tags.txt", "text.json", "vocabulary.txt"]
    for name in files:
        data = (tmp_path / "a" / name).read_bytes()
        assert data == (tmp_path / "b" / name).read_bytes()
        assert str(tmp_path).encode() not in data


def test_saving_without_characters_leaves_no_old_character_file(tmp_path):
    text().save(tmp_path)
    text(characters=None).save(tmp_path)
    assert not (tmp_path / "characters.txt").exists()
    assert TaggingText.load(tmp_path).characters is None


def test_a_saved_model_gives_the_same_inputs(tmp_path):
    module = tf.Module()
    module.text = text(max_length=3)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def inputs(strings):
        tokens, truncated = module.text.truncate(module.text.tokenizer.tokenize(strings))
        return {**module.text.inputs(tokens), "truncated": truncated}

    module.inputs = inputs
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for strings in (["To 한국 to 0 9", "", b"\xff 0"], ["", ""], [""], []):
        strings = tf.constant(strings, tf.string)
        expected = inputs.python_function(strings)
        actual = loaded.inputs(strings)
        for name in expected:
            np.testing.assert_array_equal(actual[name], expected[name])


@pytest.mark.parametrize("name", ["vocabulary.txt", "characters.txt", "tags.txt", "text.json"])
def test_a_missing_file_is_named(tmp_path, name):
    text().save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        TaggingText.load(str(tmp_path))
    assert str(caught.value) == f"{tmp_path / name}: there is no such file."


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("tags.txt", "", ", line 1: expected a tag. Received: end of file"),
        ("tags.txt", "O\nB\nO\n", ", line 3: must differ from line 1. Received: 'O'"),
        ("tags.txt", "O\n\n", ", line 2: must not be empty. Received: ''"),
        (
            "text.json",
            "[]",
            ": expected the keys ['characters', 'labels', 'max_length', 'max_word_length', "
            "'normalizer', 'tokenizer']. Received: []",
        ),
        ("text.json", "{", ": Expecting property name"),
        ("vocabulary.txt", "a\n", ", line 1: expected the special '[PAD]'. Received: 'a'"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, name, data, complaint):
    text().save(tmp_path)
    (tmp_path / name).write_text(data)
    with pytest.raises(ValueError, match=name) as caught:
        TaggingText.load(str(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path / name}{complaint}")


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("tokenizer", {"name": "Mine"}, "`tokenizer` must be one of .*Received: tokenizer='Mine'"),
        ("tokenizer", {"name": "RegexTokenizer"}, "pattern"),
        ("tokenizer", {}, "`tokenizer` must be one of .*Received: tokenizer=None"),
        ("tokenizer", None, "`tokenizer` must be an object. Received: tokenizer=None"),
        ("normalizer", {"form": "x"}, "`form` must be one of .*Received: form='x'"),
        ("normalizer", {"fom": "x"}, "fom"),
        ("max_word_length", 0, "`max_word_length` must be .*Received: max_word_length=0"),
        ("max_length", "x", "`max_length` must be .*Received: max_length='x'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path, key, value, complaint):
    text().save(tmp_path)
    path = tmp_path / "text.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ValueError, match=f"text.json: .*{complaint}"):
        TaggingText.load(str(tmp_path))


@pytest.mark.parametrize("tags", [[], "OB", ["O", "O"], ["O", ""], ["O", "a\nb"]])
def test_wrong_tags_are_refused(tags):
    with pytest.raises(ValueError, match=r"^`tags` must be .* Received: tags="):
        text(tags=tags)


@pytest.mark.parametrize("name", ["max_length", "max_word_length"])
def test_lengths_below_one_are_refused(name):
    with pytest.raises(ValueError, match=rf"^`{name}` must be .*at least 1. Received: {name}=0$"):
        text(**{name: 0})


def test_tokens_that_are_not_ragged_are_refused():
    with pytest.raises(ValueError, match=r"^`tokens` must be a RaggedTensor.*shape \(1, 1\)$"):
        text().ids(tf.constant([["to"]]))
