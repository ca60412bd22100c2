import random
import sys
import unicodedata

import pytest
import tensorflow as tf

from seqnlp.preprocessing import learn_word_piece
from seqnlp.text import WordPiece
from seqnlp.text.basic_words import BasicWords, _folded_characters
from seqnlp.text.names import END, PADDING, START, UNKNOWN
from seqnlp.text.word_piece import LongestMatch
from serving.check import PYTHON_220
from tests.text.small_subwords import DECOMPOSED, SENTENCES, run_bare, save_function, to_json

SPECIALS = [PADDING, UNKNOWN, START, END]
TOKENS = [*SPECIALS, "un", "##aff", "##able", "a", "##a", "한", "##국", "##국어", ",", "中", "Un"]
BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ALPHABET = (
    "abcAéÀ한국어ㅏ\u1112\u1161\u11ab\u0301\u0323 .,-_#[]PADUNK中文かな"
    "😀👨\u200d👩\u200d👧🇰🇷\ufe0f"
    "①½…ﬁＡİßſ\xa0\u3000\t\n\u200b\xad\x07\x00ǅⅧ℃\u0345Ω١Яя𝒜𠀀ಕ\u0600\u2028\ufffd¨´"
)


def texts(strings):
    return [string.decode() for string in strings.numpy().tolist()]


def by_core_ops(monkeypatch, *args, **kwargs):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "tensorflow_text", None)
        subwords = WordPiece(*args, **kwargs)
    assert isinstance(subwords._cut, LongestMatch)
    return subwords


@pytest.fixture(params=["tensorflow-text", "core ops"])
def make(request, monkeypatch):
    if request.param == "core ops":
        return lambda *args, **kwargs: by_core_ops(monkeypatch, *args, **kwargs)
    return WordPiece


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("unaffable", ["un", "##aff", "##able"]),
        ("unaffable,한국어", ["un", "##aff", "##able", ",", "한", "##국어"]),
        ("한국 한국국", ["한", "##국", "한", "##국", "##국"]),
        ("unx a xun", [UNKNOWN, "a", UNKNOWN]),
        ("aunaff", [UNKNOWN]),
        ("Un un", ["Un", "un"]),
        ("a中a 中", ["a", "中", "a", "中"]),
        ("[PAD] [START]", [UNKNOWN] * 6),
        ("##a", [UNKNOWN, UNKNOWN, "a"]),
        ("", []),
        ("  \t\n\x00\u3000", []),
        (b"a \xff\xfea a", ["a", UNKNOWN, "a"]),
        (b"a\xed\x95", [UNKNOWN]),
    ],
)
def test_words_are_cut_into_their_longest_tokens(make, string, expected):
    subwords = make(TOKENS)
    ids = subwords.tokenize([string])
    assert ids.dtype == tf.int32
    assert [TOKENS[id_] for id_ in ids.to_list()[0]] == expected


@pytest.mark.parametrize(("letter", "count"), [("a", 100), ("한", 33)])
def test_a_word_of_more_than_100_bytes_is_unknown(make, letter, count):
    subwords = make([*SPECIALS, letter, f"##{letter}"])
    rows = subwords.tokenize([letter * count, letter * (count + 1), f"{letter * 40000} {letter}"])
    assert rows.to_list() == [[4] + [5] * (count - 1), [1], [1, 4]]


def longest_match(tokens, word):
    ids, rest, glue = [], word, ""
    while rest:
        sizes = [size for size in range(len(rest), 0, -1) if glue + rest[:size] in tokens]
        if not sizes:
            return [1]
        ids.append(tokens[glue + rest[: sizes[0]]])
        rest, glue = rest[sizes[0] :], "##"
    return ids


def test_the_ids_are_those_of_the_definition(make):
    draw = random.Random(3)
    words = ["".join(draw.choices("abc한", k=draw.randint(1, 25))) for _ in range(500)]
    pieces = {word[:size] for word in words[:60] for size in (1, 2, 4)}
    tokens = [*SPECIALS, *sorted(pieces), *sorted(f"##{piece}" for piece in pieces)]
    ids = {token: id_ for id_, token in enumerate(tokens)}
    subwords = make(tokens)
    assert subwords.tokenize(words).to_list() == [longest_match(ids, word) for word in words]


def strange_strings(count, seed):
    draw = random.Random(seed)
    strings = ["".join(draw.choices(ALPHABET, k=draw.randint(0, 30))) for _ in range(count)]
    strings += [bytes(draw.choices(range(256), k=20)) for _ in range(count // 10)]
    strings += ["é" * 50, "é" * 51, "ǅ" * 40, "각" * 11, "각" * 12, "가" * 34, "a" * 101]
    return [*strings, "".join(draw.choices(ALPHABET, k=30_000)), *SENTENCES, *DECOMPOSED]


@pytest.mark.parametrize("lowercase", [False, True])
def test_core_ops_give_the_ids_of_tensorflow_text(lowercase, monkeypatch):
    strings = strange_strings(3000, seed=5)
    pieces = {
        ("##" * (begin > 0)) + word[begin : begin + size]
        for string in strings[:1500]
        for form in ("NFC", "NFKD")
        for word in unicodedata.normalize(form, string.lower() if lowercase else string).split()
        for begin in range(0, len(word), 2)
        for size in (1, 2, 3)
    }
    tokens = [*SPECIALS, *sorted(piece for piece in pieces if "\0" not in piece)[::4]]
    theirs = WordPiece(tokens, lowercase)
    ours = by_core_ops(monkeypatch, tokens, lowercase)
    expected = theirs.tokenize(strings).to_list()
    flat = [id_ for row in expected for id_ in row]
    assert 0.1 < flat.count(1) / len(flat) < 0.9
    assert tf.function(ours.tokenize)(tf.constant(strings)).to_list() == expected


def test_no_strings_and_no_ids_give_nothing(make):
    subwords = make(TOKENS)
    assert subwords.tokenize(tf.constant([], tf.string)).to_list() == []
    assert subwords.detokenize(tf.ragged.constant([], tf.int32, 1)).shape == (0,)
    assert texts(subwords.detokenize(tf.ragged.constant([[], []], tf.int32, 1))) == ["", ""]


def test_words_are_glued_together_and_joined_by_spaces():
    subwords = WordPiece(TOKENS)
    ids = subwords.tokenize(["unaffable,한국어 a", "", " x "])
    assert texts(subwords.detokenize(ids)) == ["unaffable , 한국어 a", "", UNKNOWN]
    glued_first = tf.ragged.constant([[TOKENS.index("##aff"), TOKENS.index("a")]])
    assert texts(subwords.detokenize(glued_first)) == ["aff a"]


def test_specials_stand_for_nothing_but_unknown():
    ids = tf.ragged.constant([[2, 7, 0, 1, 3, 0], [0, 2, 3], [99999, -1, 2**32 + 7]], tf.int64)
    subwords = WordPiece(TOKENS)
    assert texts(subwords.detokenize(ids)) == ["a [UNK]", "", "[UNK] [UNK] [UNK]"]
    assert subwords.pieces(ids).to_list()[2] == [b"[UNK]"] * 3


def test_a_foreign_vocabulary_keeps_its_order(make):
    tokens = ["[unused0]", "a", "[SEP]", "##b", "[UNK]", "[CLS]", "[PAD]", "[MASK]"]
    subwords = make(tokens, specials=BERT)
    assert subwords.tokenize(["ab c [SEP] a"]).to_list() == [[1, 3, 4, 4, 4, 4, 1]]
    assert subwords.special_ids == {"[PAD]": 6, "[UNK]": 4, "[CLS]": 5, "[SEP]": 2, "[MASK]": 7}
    assert texts(subwords.detokenize(tf.ragged.constant([[5, 1, 3, 2, 1, 6]]))) == ["ab a"]
    assert subwords.tokens == tokens
    assert subwords.vocabulary_size == 8


def test_another_token_may_stand_for_unknown(make):
    subwords = make(["a", "<pad>", "<unk>"], specials=("<pad>", "<unk>"), unknown="<unk>")
    assert subwords.tokenize(["a b"]).to_list() == [[0, 2]]
    assert texts(subwords.detokenize(tf.ragged.constant([[1, 0, 2, 7]]))) == ["a <unk> <unk>"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tokens": []}, "`tokens` must hold the specials and a token. Received: tokens=[]"),
        (
            {"tokens": [*TOKENS, "a"]},
            "`tokens` must be different, non-empty strings without line breaks and NUL. "
            "Received: tokens=[..., 'a', ...]",
        ),
        (
            {"tokens": [*TOKENS, ""]},
            "`tokens` must be different, non-empty strings without line breaks and NUL. "
            "Received: tokens=[..., '', ...]",
        ),
        (
            {"tokens": [*TOKENS, "b\n"]},
            "`tokens` must be different, non-empty strings without line breaks and NUL. "
            "Received: tokens=[..., 'b\\n', ...]",
        ),
        (
            {"tokens": [*TOKENS, "b\0"]},
            "`tokens` must be different, non-empty strings without line breaks and NUL. "
            "Received: tokens=[..., 'b\\x00', ...]",
        ),
        (
            {"tokens": [*TOKENS, "\ud800"]},
            "`tokens` must be different, non-empty strings without line breaks and NUL. "
            "Received: tokens=[..., '\\ud800', ...]",
        ),
        (
            {"tokens": [*TOKENS, b"b"]},
            "`tokens` must be different, non-empty strings without line breaks and NUL. "
            "Received: tokens=[..., b'b', ...]",
        ),
        (
            {"tokens": TOKENS[1:]},
            "`tokens` must hold the special '[PAD]'. Received: tokens without it, 14 of them",
        ),
        (
            {"tokens": TOKENS, "unknown": "a"},
            "`unknown` must be one of ('[PAD]', '[UNK]', '[START]', '[END]'). "
            "Received: unknown='a'",
        ),
        (
            {"tokens": TOKENS, "specials": ("[UNK]", "a")},
            "`specials` must each hold a mark of punctuation and another character, so that no "
            "word reads like one. Received: specials=(..., 'a', ...)",
        ),
        (
            {"tokens": TOKENS, "specials": ("[UNK]", ",")},
            "`specials` must each hold a mark of punctuation and another character, so that no "
            "word reads like one. Received: specials=(..., ',', ...)",
        ),
    ],
)
def test_what_is_no_vocabulary_is_refused(arguments, message):
    with pytest.raises(ValueError, match="must") as caught:
        WordPiece(**arguments)
    assert str(caught.value) == message


def test_strings_have_one_axis(make):
    with pytest.raises(ValueError, match=r"`strings` must have the shape \(batch,\)"):
        make(TOKENS).tokenize([["a"]])


def test_a_config_rebuilds_it():
    subwords = WordPiece(TOKENS, True, specials=("[UNK]", "[END]"))
    rebuilt = WordPiece.from_config(subwords.get_config())
    assert rebuilt.get_config() == subwords.get_config()
    assert rebuilt.tokenize(["UN"]).to_list() == subwords.tokenize(["UN"]).to_list() == [[4]]


def test_it_comes_back_from_its_file(tmp_path):
    path = str(tmp_path / "vocab.txt")
    subwords = WordPiece(TOKENS, lowercase=True)
    subwords.save(path)
    assert WordPiece.load(path, **subwords.settings()).get_config() == subwords.get_config()
    assert (tmp_path / "vocab.txt").read_text("utf-8").split("\n")[:-1] == TOKENS


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("[PAD]\n\na\n", ", line 2: must not be empty. Received: ''"),
        ("a\nb\na\n", ", line 3: must differ from line 1. Received: 'a'"),
        (
            "a\nb\n",
            ": `tokens` must hold the special '[PAD]'. Received: tokens without it, 2 of them",
        ),
    ],
)
def test_a_file_that_is_no_vocabulary_is_named(tmp_path, data, complaint):
    path = tmp_path / "vocab.txt"
    path.write_text(data)
    with pytest.raises(ValueError, match="vocab.txt") as caught:
        WordPiece.load(str(path))
    assert str(caught.value) == f"{path}{complaint}"


def answers(subwords):
    def run(strings):
        ids = subwords.tokenize(strings)
        dense = ids.to_tensor()
        return {
            "ids": dense,
            "lengths": ids.row_lengths(),
            "strings": subwords.detokenize(ids),
            "pieces": subwords.pieces(dense),
        }

    return run


def as_arrays(outputs):
    return {name: value.numpy() for name, value in outputs.items()}


@pytest.mark.parametrize("lowercase", [False, True])
def test_a_saved_model_gives_the_same(make, lowercase, tmp_path):
    subwords = make(learn_word_piece(SENTENCES, 400, lowercase), lowercase)
    strings = strange_strings(200, seed=7)
    expected = to_json(as_arrays(answers(subwords)(tf.constant(strings))))
    save_function(subwords, answers(subwords), tmp_path)
    loaded = tf.saved_model.load(str(tmp_path))
    assert to_json(as_arrays(loaded.run(tf.constant(strings)))) == expected
    for few in ([""], []):
        assert loaded.run(tf.constant(few, tf.string))["ids"].shape == (len(few), 0)


@pytest.mark.slow
@pytest.mark.parametrize("python", [sys.executable, PYTHON_220], ids=["ours", "2.20"])
def test_a_saved_model_needs_neither_keras_nor_this_library(make, python, tmp_path):
    subwords = make(learn_word_piece(SENTENCES, 400, True), True)
    strings = strange_strings(200, seed=7)
    save_function(subwords, answers(subwords), tmp_path)
    expected = to_json(as_arrays(answers(subwords)(tf.constant(strings))))
    assert run_bare(tmp_path, strings, python) == expected


def folded(text):
    """What `lowercase` makes of a text, and for each character of it the one it comes from."""
    found = []
    for at, character in enumerate(text):
        for part in _folded_characters().get(character, character):
            found.append((part, at))
    return "".join(part for part, _ in found), [at for _, at in found]


def by_hand(subwords, text):
    """`(id, start, end)` of the tokens of a text, by comparing strings character by character."""
    plain, origins = folded(text) if subwords.lowercase else (text, list(range(len(text))))
    bounds = [len(text[:at].encode()) for at in range(len(text) + 1)]
    at, found = 0, []
    for word in BasicWords(subwords.lowercase)([text]).to_list()[0]:
        word = word.decode()
        at = plain.index(word, at)
        for id_ in subwords.tokenize([word]).to_list()[0]:
            token = subwords.tokens[id_]
            size = len(word) if token == UNKNOWN else len(token.removeprefix("##"))
            first, last = origins[at], origins[at + size - 1]
            # What folds to nothing goes with the character before it.
            while subwords.lowercase and text[last + 1 :] and not folded(text[last + 1])[0]:
                last += 1
            found.append((id_, bounds[first], bounds[last + 1]))
            at += size
    return found


OFFSET_TOKENS = [*SPECIALS, *"abcde한국어ᄒᄀ,.中", *(f"##{x}" for x in "abcdeㅏᅡᆫ국ᅮᆨ어"), "ff", "1"]


@pytest.mark.parametrize("lowercase", [False, True])
def test_offsets_are_those_of_a_loop_over_characters(lowercase):
    subwords = WordPiece(OFFSET_TOKENS, lowercase)
    random_ = random.Random(5)
    strings = ["".join(random_.choices(ALPHABET, k=random_.randint(0, 12))) for _ in range(150)]
    ids, starts, ends = (x.to_list() for x in subwords.tokenize_with_offsets(strings))
    assert ids == subwords.tokenize(strings).to_list()
    for row, text in enumerate(strings):
        found = list(zip(ids[row], starts[row], ends[row], strict=True))
        assert found == by_hand(subwords, text), text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Café, ÀB", ["Caf", "é", ",", "À", "B"]),
        ("Cafe\u0301!", ["Caf", "e\u0301", "!"]),
        ("한국", ["한", "한", "한", "국"]),
        ("ＡＢ", ["Ａ", "Ｂ"]),
        ("ﬀ", ["ﬀ"]),
    ],
)
def test_what_a_token_spans_are_whole_characters_as_they_were(text, parts):
    tokens = [*SPECIALS, "caf", "##e", "##b", "a", "ᄒ", "##ᅡ", "##ᆫ", "##국", "ff"]
    tokens = [unicodedata.normalize("NFD", token) for token in [*tokens, ",", "!"]]
    _, starts, ends = WordPiece(tokens, lowercase=True).tokenize_with_offsets([text])
    data = text.encode()
    pairs = zip(starts[0].numpy(), ends[0].numpy(), strict=True)
    assert [data[start:end].decode() for start, end in pairs] == parts


def test_offsets_refer_to_bytes_that_are_not_utf8():
    text = b"a \xff\xfeb a"
    _, starts, ends = WordPiece(OFFSET_TOKENS).tokenize_with_offsets([text])
    parts = [text[s:e] for s, e in zip(starts[0].numpy(), ends[0].numpy(), strict=True)]
    assert parts == [b"a", b"\xff\xfeb", b"a"]


def test_offsets_are_the_same_without_tensorflow_text(monkeypatch):
    strings = ["Café 한국어, ab", "", "\u0301a"]
    pair = [WordPiece(OFFSET_TOKENS, True), by_core_ops(monkeypatch, OFFSET_TOKENS, True)]
    one, other = ([x.to_list() for x in w.tokenize_with_offsets(strings)] for w in pair)
    assert one == other
