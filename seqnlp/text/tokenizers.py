"""Tokenizers in the TensorFlow graph, with byte offsets into the original string.

Tokens are cut from the raw text and normalised afterwards, one by one, so an offset never
has to be carried through a normalisation.
"""

import tensorflow as tf

from seqnlp.text.normalize import valid_utf8

# Put around every token before the split: a byte that valid UTF-8 never holds.
_CUT = b"\xff"

# What clings to the character before it: marks (variation selectors and the keycap among
# them), skin tones, and the tags that spell the flags of England, Scotland and Wales.
_EXTEND = r"\p{M}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}"
_JOINERS = r"\x{200C}\x{200D}"
_SPACE = r"\t-\r\x1c-\x20\x{85}\p{Z}"  # as Python's str.isspace
_FLAG = rf"[\x{{1F1E6}}-\x{{1F1FF}}]{{2}}[{_EXTEND}]*"
# Symbols that zero-width joiners glue together. RE2 does not know Extended_Pictographic;
# the range covers emoji newer than its tables.
_PICTURE = r"[\p{S}\x{1F000}-\x{1FAFF}]"
_JOINED = rf"{_PICTURE}(?:[{_EXTEND}]*\x{{200D}}{_PICTURE})*[{_EXTEND}]*"
# A syllable of Korean spelled in parts: leads, vowels, tails.
_LEAD = r"[\x{1100}-\x{115F}\x{A960}-\x{A97C}]"
_VOWEL = r"[\x{1160}-\x{11A7}\x{D7B0}-\x{D7C6}]"
_TAIL = r"[\x{11A8}-\x{11FF}\x{D7CB}-\x{D7FB}]"
_SYLLABLE = (
    rf"(?:{_LEAD}*(?:[\x{{AC00}}-\x{{D7A3}}]{_VOWEL}*|{_VOWEL}+){_TAIL}*|{_LEAD}+|{_TAIL}+)"
)

_WORD = "|".join(
    [
        rf"[\p{{L}}\p{{M}}\p{{N}}_][\p{{L}}\p{{M}}\p{{N}}_{_JOINERS}]*",
        _FLAG,
        _JOINED,
        rf"[^{_SPACE}][{_EXTEND}]*",
    ]
)
_CHARACTER = "|".join(
    [
        r"\r\n",
        r"\p{Cc}",
        rf"{_FLAG}[{_JOINERS}]*",
        rf"{_SYLLABLE}[{_EXTEND}{_JOINERS}]*",
        rf"{_JOINED}[{_EXTEND}{_JOINERS}]*",
        rf"[^\p{{Cc}}][{_EXTEND}{_JOINERS}]*",
    ]
)


class RegexTokenizer(tf.Module):
    """Cuts out every leftmost match of a regular expression, from left to right.

    Args:
        pattern: RE2 pattern of one token. It must not match the empty string.

    Raises:
        ValueError: `pattern` is no RE2 pattern or matches the empty string; the strings to cut
            have another number of axes than one.
    """

    def __init__(self, pattern):
        super().__init__()
        _check_pattern(pattern)
        self.pattern = pattern

    def tokenize(self, strings):
        """Tokens of each string.

        Args:
            strings: String Tensor `(batch,)`. What is not UTF-8 in it becomes U+FFFD.

        Returns:
            String RaggedTensor `(batch, (time))` of valid UTF-8.
        """
        return _cut(valid_utf8(rank_1(strings)), self.pattern)[0]

    def tokenize_with_offsets(self, strings):
        """Tokens of each string and where they lie in it.

        Args:
            strings: String Tensor `(batch,)`. What is not UTF-8 in it becomes U+FFFD.

        Returns:
            `tokens`, `starts`, `ends`, RaggedTensors `(batch, (time))`: strings, and int64
            byte offsets into the strings as they came in. `string[start:end]` is the token;
            where the string is not UTF-8 it is what became the token.
        """
        strings = rank_1(strings)
        valid = valid_utf8(strings)
        tokens, starts, ends = _cut(valid, self.pattern)
        rows = tokens.value_rowids()
        starts, ends = tf.cond(
            tf.reduce_all(tf.equal(valid, strings)),
            lambda: (starts, ends),
            lambda: offsets_before_cleaning(strings, rows, starts, ends),
        )
        return tokens, tokens.with_values(starts), tokens.with_values(ends)

    def get_config(self):
        """The constructor's arguments, as JSON can hold them."""
        return {"pattern": self.pattern}

    @classmethod
    def from_config(cls, config):
        """The tokenizer that `get_config` describes."""
        return cls(**config)


class WordTokenizer(RegexTokenizer):
    """Words, and every other character that is no space as a token of its own.

    A word is a maximal run of letters, marks, digits and underscores of any script, with
    zero-width joiners inside. A joined emoji, a flag and an emoji with its skin tone are one
    token, and a mark belongs to the character before it.
    """

    def __init__(self):
        super().__init__(_WORD)

    def get_config(self):
        """The constructor's arguments: none."""
        return {}


class CharacterTokenizer(RegexTokenizer):
    """What a reader calls a character, white space included: the tokens add up to the string.

    A base with its marks, a Korean syllable in parts, a joined emoji, a flag and a carriage
    return with its line feed are one character each. This is close to the grapheme clusters
    of Unicode (UAX 29), as far as a regular expression can say them.
    """

    def __init__(self):
        super().__init__(_CHARACTER)

    def get_config(self):
        """The constructor's arguments: none."""
        return {}


def _check_pattern(pattern):
    # Whether RE2 matches an empty string somewhere depends only on what lies beside it:
    # nothing, or a word character.
    with tf.init_scope():
        try:
            marked = tf.strings.regex_replace(["", "a"], pattern, _CUT + rb"\0" + _CUT)
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(
                f"`pattern` must be a regular expression of RE2 ({error.message}). "
                f"Received: pattern={pattern!r}"
            ) from None
    if any(2 * _CUT in text for text in marked.numpy()):
        raise ValueError(
            f"`pattern` must not match the empty string. Received: pattern={pattern!r}"
        )


def rank_1(strings):
    """`strings` as a Tensor `(batch,)`, or a ValueError."""
    strings = tf.convert_to_tensor(strings, tf.string)
    if strings.shape.rank not in (1, None):
        raise ValueError(
            "`strings` must have the shape (batch,). "
            f"Received: strings with shape {tuple(strings.shape)}"
        )
    return strings


def _cut(valid, pattern):
    """Tokens of valid UTF-8 `(batch,)`: ragged tokens, flat starts and ends in bytes."""
    marked = tf.strings.regex_replace(valid, pattern, _CUT + rb"\0" + _CUT)
    # gap, token, gap, token, ..., gap: always an odd number of pieces a row
    pieces = tf.strings.split(marked, _CUT)
    rows = pieces.value_rowids()
    sizes = _byte_length(pieces.flat_values)
    before_row = tf.cumsum(_byte_length(valid), exclusive=True)
    ends = tf.cumsum(sizes) - tf.gather(before_row, rows)
    column = tf.range(tf.size(sizes, tf.int64)) - tf.gather(pieces.row_starts(), rows)
    is_token = tf.equal(column % 2, 1)
    tokens = tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(pieces.flat_values, is_token),
        pieces.row_lengths() // 2,
        validate=False,
    )
    ends = tf.boolean_mask(ends, is_token)
    return tokens, ends - tf.boolean_mask(sizes, is_token), ends


def offsets_before_cleaning(strings, rows, starts, ends):
    """Maps flat offsets in `valid_utf8(strings)` to offsets in `strings`."""
    codes, raw_bounds = tf.strings.unicode_decode_with_offsets(strings, "UTF-8", errors="replace")
    length = _byte_length(strings)
    raw_bounds = tf.concat([raw_bounds, length[:, None]], axis=1)
    sizes = tf.ragged.map_flat_values(_utf8_size, codes)
    # The end of a row is a boundary too; size 1 keeps it apart from the next row's start.
    sizes = tf.concat([sizes, tf.ones_like(length)[:, None]], axis=1)
    clean_bounds = tf.cumsum(sizes.flat_values, exclusive=True)
    before_row = tf.gather(clean_bounds, tf.gather(sizes.row_starts(), rows))

    def to_raw(offsets):
        index = tf.searchsorted(clean_bounds, offsets + before_row)
        return tf.gather(raw_bounds.flat_values, index)

    return to_raw(starts), to_raw(ends)


def _byte_length(strings):
    return tf.cast(tf.strings.length(strings), tf.int64)


def _utf8_size(codes):
    thresholds = tf.constant([0x80, 0x800, 0x10000])
    return 1 + tf.reduce_sum(tf.cast(codes[:, None] >= thresholds, tf.int64), axis=1)
