"""The words that BERT's subwords are cut from, by core ops of TensorFlow alone."""

import functools
import itertools
import sys
import unicodedata

import tensorflow as tf

from seqnlp.text.tokenizers import RegexTokenizer

# Default_Ignorable_Code_Point of Unicode, which the standard library has no name for.
_IGNORED = [
    *[(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)],
    *[(0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)],
    *[(0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)],
    *[(0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)],
]
# Ideographs of Chinese, Japanese and Korean: each is a word. Kana and Hangul are letters.
_IDEOGRAPHS = [
    *[(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF)],
    *[(0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0x2F800, 0x2FA1F)],
]
_ASCII_SYMBOLS = "$+<=>^`|~"
_NOT_FOLDED = "\x00"  # no character is folded to it


class BasicWords(tf.Module):
    """Cuts strings into words as BERT does, and as `tensorflow_text.FastBertTokenizer` does.

    White space, control and format characters separate words; each mark of punctuation and
    each ideograph is a word of its own.

    Args:
        lowercase: Whether case, compatibility forms and accents are first taken away: the
            case folding of NFKC_Casefold, then NFD without marks (category Mn). It also drops
            what is not to be seen (soft hyphens, joiners), and takes Hangul apart into jamo.

    Call arguments:
        strings: String Tensor `(batch,)` of valid UTF-8.

    Returns:
        String RaggedTensor `(batch, (words))`.
    """

    def __init__(self, lowercase=False):
        super().__init__()
        self.lowercase = lowercase
        self._separators = f"[{_any_of(_is_separator)}]"
        self._alone = f"[{_any_of(is_alone)}]"
        self._cut = RegexTokenizer(
            f"{self._alone}|[^{self._separators[1:-1]}{self._alone[1:-1]}]+"
        )
        if lowercase:
            folded = _folded_characters()
            self._folded = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(list(folded), list(folded.values())),
                default_value=_NOT_FOLDED,
            )

    def __call__(self, strings):
        """Words of `strings`, a string Tensor `(batch,)`."""
        if self.lowercase:
            characters = tf.strings.unicode_split(strings, "UTF-8")
            characters = characters.with_values(self._fold(characters.values))
            strings = tf.strings.reduce_join(characters, axis=-1)
        strings = tf.strings.regex_replace(strings, self._separators, " ")
        return tf.strings.split(tf.strings.regex_replace(strings, self._alone, r" \0 "))

    def tokenize_with_offsets(self, strings):
        """Words of `strings`, and where each of their bytes comes from.

        Args:
            strings: String Tensor `(batch,)` of valid UTF-8.

        Returns:
            Words, a string RaggedTensor `(batch, (words))`; int64 RaggedTensor of the same shape,
            the byte of the folded string that each begins with; and `FoldedBytes`.
        """
        strings = tf.convert_to_tensor(strings, tf.string)
        characters, starts = tf.strings.unicode_split_with_offsets(strings, "UTF-8")
        if self.lowercase:
            characters = characters.with_values(self._fold(characters.values))
        words, places, _ = self._cut.tokenize_with_offsets(
            tf.strings.reduce_join(characters, axis=-1)
        )
        return words, places, FoldedBytes(strings, characters, starts)

    def _fold(self, characters):
        folded = self._folded.lookup(characters)
        return tf.where(tf.equal(folded, _NOT_FOLDED), characters, folded)


class FoldedBytes:
    """Where the bytes of folded strings come from: from characters, which are never cut.

    Args:
        strings: String Tensor `(batch,)`.
        characters: What each of their characters becomes, string RaggedTensor `(batch, (time))`.
        starts: The byte that each begins with, int64 RaggedTensor of the same shape.
    """

    def __init__(self, strings, characters, starts):
        ends = tf.strings.length(strings)[:, None]
        sizes = tf.ragged.map_flat_values(tf.strings.length, characters)
        # A byte behind each row keeps apart what one row ends and the next begins with.
        sizes = tf.cast(tf.concat([sizes, tf.ones_like(ends)], axis=1), tf.int64)
        self._after = tf.cumsum(sizes.flat_values)
        before = tf.concat([[0], self._after], axis=0)
        self._before_row = tf.gather(before, sizes.row_starts())
        self._starts = tf.concat([starts, tf.cast(ends, tf.int64)], axis=1).flat_values

    def origin(self, rows, starts, ends):
        """Bytes of the strings that those of the folded strings come from.

        A character that folds to nothing, such as an accent, goes with the one before it.

        Args:
            rows: Int Tensor `(spans,)`, the number of the string.
            starts: int64 Tensor `(spans,)`.
            ends: The same, each greater than the start.

        Returns:
            Starts and ends, int64 Tensors `(spans,)`.
        """
        before = tf.gather(self._before_row, rows)
        first = tf.searchsorted(self._after, starts + before, side="right")
        last = tf.searchsorted(self._after, ends + before - 1, side="right")
        behind = tf.searchsorted(self._after, tf.gather(self._after, last), side="right")
        return tf.gather(self._starts, first), tf.gather(self._starts, behind)


def is_alone(character):
    """Whether a character is a word of its own."""
    return (
        unicodedata.category(character)[0] == "P"
        or character in _ASCII_SYMBOLS
        or _is_in(ord(character), _IDEOGRAPHS)
    )


def _is_separator(character):
    return unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def _is_in(code, ranges):
    return any(first <= code <= last for first, last in ranges)


@functools.cache
def _folded_characters():
    """Dict from each character that folding changes to what it becomes."""
    folded = {}
    for character in _characters():
        text = unicodedata.normalize("NFD", character).casefold()
        text = unicodedata.normalize("NFKC", text).casefold()
        text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
        text = "".join(
            part
            for part in text
            if unicodedata.category(part) != "Mn" and not _is_in(ord(part), _IGNORED)
        )
        if text != character:
            folded[character] = text
    return folded


@functools.cache
def _any_of(condition):
    """The characters that fulfil a condition, as a class of RE2 lists them."""
    codes = [ord(character) for character in _characters() if condition(character)]
    ranges = []
    for _, group in itertools.groupby(enumerate(codes), lambda item: item[1] - item[0]):
        members = [code for _, code in group]
        ranges.append(rf"\x{{{members[0]:X}}}-\x{{{members[-1]:X}}}")
    return "".join(ranges)


def _characters():
    """All characters that UTF-8 can spell and the standard library knows."""
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co"):
            yield chr(code)
