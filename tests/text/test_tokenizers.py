import random
import time
import unicodedata

import pytest
import tensorflow as tf

from seqnlp.text import CharacterTokenizer, RegexTokenizer, WordTokenizer

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
NFD_KOREAN = unicodedata.normalize("NFD", "한국")
TOKENIZERS = [WordTokenizer(), CharacterTokenizer(), RegexTokenizer(r"\w+|[^\w\s]")]

# string, its words
WORDS = [
    ("", []),
    (" \t\n\u3000\xa0\u2028\x1f", []),
    ("don't stop—x_2", ["don", "'", "t", "stop", "—", "x_2"]),
    (NFD_KOREAN + " 여행!", [NFD_KOREAN, "여행", "!"]),
    (unicodedata.normalize("NFD", "café, naïve"), ["cafe\u0301", ",", "nai\u0308ve"]),
    ("Ｆｕｌｌ　１２", ["Ｆｕｌｌ", "１２"]),
    ("ﬁnd", ["ﬁnd"]),
    (f"hi{FAMILY}{FAMILY}x", ["hi", FAMILY, FAMILY, "x"]),
    ("👍🏽👍", ["👍🏽", "👍"]),
    ("🇰🇷🇺🇸 🇩", ["🇰🇷", "🇺🇸", "🇩"]),
    (f"{ENGLAND}🏳️\u200d🌈", [ENGLAND, "🏳️\u200d🌈"]),
    ("❤️\u200d🔥🙂\u200d↔️", ["❤️\u200d🔥", "🙂\u200d↔️"]),
    ("#️⃣ 1️⃣", ["#️⃣", "1️⃣"]),
    ("שָׁלוֹם عليكم", ["שָׁלוֹם", "عليكم"]),
    ("می\u200cخواهم क्\u200dष", ["می\u200cخواهم", "क्\u200dष"]),
    ("a\x00b", ["a", "\x00", "b"]),
    ("\ufeffa\u200b", ["\ufeff", "a", "\u200b"]),
    ("++ $5 ½①", ["+", "+", "$", "5", "½①"]),
    ("東京 กรุงเทพ", ["東京", "กรุงเทพ"]),
]
CHARACTERS = [
    ("", []),
    ("ab 한", ["a", "b", " ", "한"]),
    (NFD_KOREAN, [unicodedata.normalize("NFD", c) for c in "한국"]),
    ("e\u0301\u0323x", ["e\u0301\u0323", "x"]),
    (f"{FAMILY}🇰🇷🇺🇸🇩", [FAMILY, "🇰🇷", "🇺🇸", "🇩"]),
    (f"{ENGLAND}1️⃣👍🏽", [ENGLAND, "1️⃣", "👍🏽"]),
    ("a\r\nb\n\x00", ["a", "\r\n", "b", "\n", "\x00"]),
    ("क्\u200dष", ["क्\u200d", "ष"]),
    ("\u0301a", ["\u0301", "a"]),
]
# bytes, words, the bytes they stand for
INVALID = [
    (b"caf\xe9 ol\xe9", ["caf", "�", "ol", "�"], [b"caf", b"\xe9", b"ol", b"\xe9"]),
    (b"a\xed\xa0\x80b", ["a", *"���", "b"], [b"a", b"\xed", b"\xa0", b"\x80", b"b"]),
    (b"\xf0\x9fx \xe2\x82", ["�", "x", "�"], [b"\xf0\x9f", b"x", b"\xe2\x82"]),
    (b"\xff\x00", ["�", "\x00"], [b"\xff", b"\x00"]),
    (
        "한".encode() + b"\xff" + "글".encode(),
        ["한", "�", "글"],
        ["한".encode(), b"\xff", "글".encode()],
    ),
]


def decoded(ragged):
    return [[token.decode() for token in row] for row in ragged.to_list()]


def pieces(strings, starts, ends):
    """What the offsets cut out of the original bytes."""
    rows = zip(strings, starts.to_list(), ends.to_list(), strict=True)
    return [[s[a:b] for a, b in zip(begin, end, strict=True)] for s, begin, end in rows]


def random_strings(seed, count):
    """Bytes made of hard characters, some of them not UTF-8."""
    generator = random.Random(seed)
    good = [*"abAZ09_ .,'\t\n\x00\x1f\u3000é한漢ﬁＡשع½٣", "e\u0301", NFD_KOREAN, FAMILY, ENGLAND]
    good += [
        "🇰🇷",
        "🇰",
        "👍🏽",
        "🏽",
        "1️⃣",
        "\u200d",
        "\u0301",
        "\ufeff",
        "\u2028",
        "𝟘",
        "\U0010ffff",
    ]
    broken = [b"\xff", b"\xe9", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\x80"]
    valid = [c.encode() for c in good]
    for _ in range(count):
        alphabet = valid if generator.random() < 0.5 else valid + broken
        yield b"".join(generator.choices(alphabet, k=generator.randrange(12)))


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words(text, expected):
    assert decoded(WordTokenizer().tokenize([text])) == [expected]


@pytest.mark.parametrize(("text", "expected"), CHARACTERS)
def test_characters(text, expected):
    assert decoded(CharacterTokenizer().tokenize([text])) == [expected]


@pytest.mark.parametrize(("data", "expected", "cut_out"), INVALID)
def test_invalid_utf8_is_marked_in_the_token_and_keeps_its_place(data, expected, cut_out):
    tokens, starts, ends = WordTokenizer().tokenize_with_offsets([data])
    assert decoded(tokens) == [expected]
    assert pieces([data], starts, ends) == [cut_out]


def test_an_invalid_string_does_not_move_its_neighbours():
    strings = ["a 한".encode(), b"\xffb", b"", "é c".encode()]
    _, starts, ends = WordTokenizer().tokenize_with_offsets(strings)
    expected = [[b"a", "한".encode()], [b"\xff", b"b"], [], ["é".encode(), b"c"]]
    assert pieces(strings, starts, ends) == expected


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_offsets_cut_the_token_out_of_every_valid_string(tokenizer):
    strings = [text.encode() for text, _ in WORDS + CHARACTERS]
    tokens, starts, ends = tokenizer.tokenize_with_offsets(strings)
    assert starts.dtype == ends.dtype == tf.int64
    assert pieces(strings, starts, ends) == tokens.to_list()


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_offsets_of_random_bytes_decode_to_the_token(tokenizer):
    strings = list(random_strings(seed=7, count=1000))
    tokens, starts, ends = tokenizer.tokenize_with_offsets(strings)
    cut_out = pieces(strings, starts, ends)
    assert decoded(tokens) == [[p.decode(errors="replace") for p in row] for row in cut_out]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_tokens_are_ordered_and_never_overlap(tokenizer):
    _, starts, ends = tokenizer.tokenize_with_offsets(list(random_strings(seed=8, count=300)))
    for begin, end in zip(starts.to_list(), ends.to_list(), strict=True):
        bounds = [bound for pair in zip(begin, end, strict=True) for bound in pair]
        assert bounds == sorted(bounds)
        assert all(a < b for a, b in zip(begin, end, strict=True))


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_tokenize_gives_the_tokens_of_tokenize_with_offsets(tokenizer):
    strings = list(random_strings(seed=9, count=300))
    expected = tokenizer.tokenize_with_offsets(strings)[0].to_list()
    assert tokenizer.tokenize(strings).to_list() == expected


def test_words_leave_out_spaces_and_nothing_else():
    strings = list(random_strings(seed=10, count=1000))
    joined = ["".join(row) for row in decoded(WordTokenizer().tokenize(strings))]
    texts = [string.decode(errors="replace") for string in strings]
    assert joined == ["".join(c for c in text if not c.isspace()) for text in texts]


def test_characters_add_up_to_the_string():
    strings = list(random_strings(seed=11, count=1000))
    joined = ["".join(row) for row in decoded(CharacterTokenizer().tokenize(strings))]
    assert joined == [string.decode(errors="replace") for string in strings]


def test_words_agree_with_a_plain_python_loop():
    generator = random.Random(12)
    alphabet = "abé한漢\u0301\u0323٣½_ .,!—\t\u3000"
    texts = ["".join(generator.choices(alphabet, k=20)) for _ in range(300)]

    def words(text):
        found = []
        for before, c in zip(" " + text, text, strict=False):
            kind = unicodedata.category(c)[0]
            in_word = kind in "LMN" or c == "_"
            glued = found and not before.isspace()
            if glued and (kind == "M" or (in_word and found[-1][0] != "!")):
                found[-1][1].append(c)
            elif not c.isspace():
                found.append(("a" if in_word else "!", [c]))
        return ["".join(characters) for _, characters in found]

    assert decoded(WordTokenizer().tokenize(texts)) == [words(text) for text in texts]


@pytest.mark.parametrize("strings", [[], [""], ["", ""], [" ", ""]])
@pytest.mark.parametrize("tokenizer", [WordTokenizer(), RegexTokenizer("x")])
def test_nothing_to_cut_gives_empty_rows(tokenizer, strings):
    strings = tf.constant(strings, tf.string)
    empty = [[]] * len(strings)
    assert tokenizer.tokenize(strings).to_list() == empty
    assert [part.to_list() for part in tokenizer.tokenize_with_offsets(strings)] == [empty] * 3


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("text", ["예약 see http://x.y 👍🏽! ", "a", "!", "\u0301"])
def test_a_string_of_100_kilobytes_takes_well_under_a_second(tokenizer, text):
    unit = text.encode()
    strings = tf.constant([unit * (100_000 // len(unit)), b"\xff"])
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        tokenizer.tokenize_with_offsets(strings)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5


def test_regex_takes_a_pattern_with_groups_and_flags():
    tokenizer = RegexTokenizer(r"(?i)(?P<word>[a-c]+)|(\d)(\d)")
    assert decoded(tokenizer.tokenize(["xAbC12 d"])) == [["AbC", "12"]]


@pytest.mark.parametrize("pattern", ["", "a*", "^", "$", r"\b", r"\B", "x|", "(?:b|)", r"\bz*"])
def test_a_pattern_that_matches_the_empty_string_is_refused(pattern):
    with pytest.raises(ValueError, match="^`pattern` must not match the empty") as caught:
        RegexTokenizer(pattern)
    assert str(caught.value).endswith(f"Received: pattern={pattern!r}")


def test_a_broken_pattern_is_refused():
    with pytest.raises(ValueError, match=r"^`pattern` must be a regular .* pattern='\(a'$"):
        RegexTokenizer("(a")


def test_strings_of_another_rank_are_refused():
    with pytest.raises(ValueError, match=r"`strings` must .* strings with shape \(1, 1\)$"):
        WordTokenizer().tokenize([["a"]])


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_config_rebuilds_the_same_tokenizer(tokenizer):
    rebuilt = type(tokenizer).from_config(tokenizer.get_config())
    assert rebuilt.pattern == tokenizer.pattern


@pytest.mark.parametrize("tokenizer", TOKENIZERS[:2])
def test_a_saved_model_cuts_the_same_tokens(tokenizer, tmp_path):
    module = tf.Module()
    module.tokenizer = tokenizer

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def cut(strings):
        return [part.to_tensor() for part in tokenizer.tokenize_with_offsets(strings)]

    module.cut = cut
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for strings in (list(random_strings(seed=13, count=200)), ["a 한"], [""], []):
        strings = tf.constant(strings, tf.string)
        expected = tokenizer.tokenize_with_offsets(strings)
        for part, wanted in zip(loaded.cut(strings), expected, strict=True):
            assert part.numpy().tolist() == wanted.to_tensor().numpy().tolist()
