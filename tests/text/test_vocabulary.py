import re

import pytest
import tensorflow as tf

from seqnlp.text import Vocabulary


def write(path, data):
    path.write_bytes(data)
    return str(path)


def message(function, *args, error=ValueError, **kwargs):
    with pytest.raises(error) as caught:
        function(*args, **kwargs)
    return str(caught.value)


def test_tokens_follow_the_specials():
    assert Vocabulary(["b", "a"]).tokens == ["[PAD]", "[UNK]", "b", "a"]


def test_length_counts_the_specials():
    assert len(Vocabulary(["b", "a"])) == 4


def test_lookup_gives_ids_and_unknown():
    ids = Vocabulary(["b", "한"]).lookup(["한", "b", "c", ""])
    assert ids.dtype == tf.int32
    assert ids.numpy().tolist() == [3, 2, 1, 1]


def test_text_that_reads_like_a_special_is_unknown():
    assert Vocabulary(["a"]).lookup(["[PAD]", "[UNK]"]).numpy().tolist() == [1, 1]


def test_lookup_keeps_dense_and_ragged_shapes():
    vocabulary = Vocabulary(["a"])
    assert vocabulary.lookup(tf.fill([2, 0, 3], "a")).shape == (2, 0, 3)
    ragged = tf.ragged.constant([[["a"], []], [], [["b", "a"]]])
    assert vocabulary.lookup(ragged).to_list() == [[[2], []], [], [[1, 2]]]


def test_lookup_survives_a_saved_model(tmp_path):
    module = tf.Module()
    module.vocabulary = Vocabulary(["a"])
    signature = [tf.TensorSpec([None], tf.string)]
    module.lookup = tf.function(module.vocabulary.lookup, input_signature=signature)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert loaded.lookup(tf.constant(["a", "b", "[PAD]"])).numpy().tolist() == [2, 1, 1]


def test_config_rebuilds_the_same_vocabulary():
    vocabulary = Vocabulary(["b", "a"])
    assert Vocabulary.from_config(vocabulary.get_config()).tokens == vocabulary.tokens


@pytest.mark.parametrize("token", ["a", "[PAD]", "[UNK]", "", "x\ny", "x\r", "\ud800"])
def test_tokens_that_a_vocabulary_cannot_hold_are_refused(token):
    received = re.escape(f"Received: tokens=[..., {token!r}, ...]")
    with pytest.raises(ValueError, match=rf"^`tokens` must hold .*{received}$"):
        Vocabulary(["a", token])


def test_no_tokens_is_refused():
    expected = "`tokens` must hold at least one token. Received: tokens=[]"
    assert message(Vocabulary, []) == expected


def test_counts_are_ordered_by_count_then_token():
    counts = {"b": 2, "c": 5, "a": 2, "d": 1}
    assert Vocabulary.from_counts(counts, min_count=2).tokens[2:] == ["c", "a", "b"]


def test_counts_leave_out_what_a_vocabulary_cannot_hold():
    counts = {"[PAD]": 9, "": 9, "\n": 9, "\ud800": 9, "a": 1}
    assert Vocabulary.from_counts(counts).tokens[2:] == ["a"]


def test_size_counts_the_specials():
    assert len(Vocabulary.from_counts({"a": 3, "b": 2, "c": 1}, size=4)) == 4


def test_size_without_room_for_a_token_is_refused():
    text = message(Vocabulary.from_counts, {"a": 1}, size=2)
    assert text == "`size` must be more than the 2 specials. Received: size=2"


def test_only_specials_says_what_was_dropped():
    assert message(Vocabulary.from_counts, {"a": 2, "b": 3}, min_count=5) == (
        "`min_count` must leave at least one token, or the vocabulary holds only specials: "
        "all 2 tokens were dropped, the most frequent is 'b' with count 3. "
        "Received: min_count=5"
    )


def test_counts_without_a_usable_token_are_refused():
    assert message(Vocabulary.from_counts, {"[UNK]": 2}) == (
        "`counts` must hold at least one token that is no special. "
        "Received: counts with 1 tokens, none usable"
    )


def test_file_holds_one_token_a_line(tmp_path):
    path = tmp_path / "vocabulary.txt"
    Vocabulary(["b", "한"]).save(str(path))
    assert path.read_bytes() == "[PAD]\n[UNK]\nb\n한\n".encode()


def test_load_reads_what_save_wrote(tmp_path):
    tokens = ["b", "한", " ", "\u2028", "\x85", "\x00", "\x0b", "👍🏽"]
    Vocabulary(tokens).save(tmp_path / "v.txt")
    assert Vocabulary.load(tmp_path / "v.txt").tokens[2:] == tokens


def test_load_reads_carriage_returns_and_a_missing_last_line_feed(tmp_path):
    path = write(tmp_path / "v.txt", b"[PAD]\r\n[UNK]\r\na\r\nb")
    assert Vocabulary.load(path).tokens[2:] == ["a", "b"]


def test_any_filesystem_of_tensorflow_works():
    Vocabulary(["a"]).save("ram://vocabulary_test/v.txt")
    assert Vocabulary.load("ram://vocabulary_test/v.txt").tokens[2:] == ["a"]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "line 1: expected the special '[PAD]'. Received: end of file"),
        (b"the\na\n", "line 1: expected the special '[PAD]'. Received: 'the'"),
        (b"[PAD]\nthe\n", "line 2: expected the special '[UNK]'. Received: 'the'"),
        (b"[PAD]\n[UNK]\n", "line 3: expected a token after the specials. Received: end of file"),
        (b"[PAD]\n[UNK]\na\nb\na\n", "line 5: must differ from line 3. Received: 'a'"),
        (b"[PAD]\n[UNK]\n[PAD]\n", "line 3: must differ from line 1. Received: '[PAD]'"),
        (b"[PAD]\n[UNK]\na\n\nb\n", "line 4: must not be empty. Received: ''"),
        (
            b"[PAD]\n[UNK]\ncaf\xe9\n",
            "line 3: must be UTF-8. Received: byte 0xe9 at position 3",
        ),
        (b"[PAD]\n[UNK]\na\rb\n", "line 3: must hold no carriage return. Received: 'a\\rb'"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path, data, complaint):
    path = write(tmp_path / "v.txt", data)
    assert message(Vocabulary.load, path) == f"{path}, {complaint}"


def test_a_missing_file_is_named(tmp_path):
    path = str(tmp_path / "none.txt")
    text = message(Vocabulary.load, path, error=FileNotFoundError)
    assert text == f"{path}: there is no such file."


def test_a_folder_is_no_vocabulary(tmp_path):
    text = message(Vocabulary.load, str(tmp_path), error=OSError)
    assert text.startswith(f"{tmp_path}: cannot be read (")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    path = str(tmp_path / "none" / "v.txt")
    text = message(Vocabulary(["a"]).save, path, error=OSError)
    assert text.startswith(f"{path}: cannot be written (")
