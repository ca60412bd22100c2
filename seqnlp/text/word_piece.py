"""Subwords by the longest match from left to right, in the TensorFlow graph."""

import tensorflow as tf

from seqnlp.text.basic_words import BasicWords, is_alone
from seqnlp.text.bert_names import GLUE
from seqnlp.text.files import read_lines, write_lines
from seqnlp.text.names import UNKNOWN, check_lines
from seqnlp.text.normalize import valid_utf8
from seqnlp.text.subwords import Subwords
from seqnlp.text.tokenizers import offsets_before_cleaning, rank_1
from seqnlp.text.translation_names import SUBWORD_SPECIALS
from seqnlp.text.vocabulary import is_storable

_MAX_WORD_BYTES = 100  # as FastBertTokenizer: a longer word is unknown


class WordPiece(Subwords):
    """Cuts words into the longest tokens of a vocabulary, as BERT does.

    Strings are first cut into words: `BasicWords` says how. From each word the longest token
    is taken off its left end again and again; those after the first begin with "##" in the
    vocabulary. A word that this does not use up, or of more than 100 bytes, is one unknown.

    With tensorflow-text this is its FastBertTokenizer, without it core ops of TensorFlow give
    the same ids, more slowly. Characters newer than the Unicode tables of Python are the
    exception: letters without case to the latter.

    Args:
        tokens: `str` of every id, the specials included, in any order: the lines of BERT's
            vocab.txt.
        lowercase: Whether case and accents are taken away: what "uncased" models want.
        specials: The tokens that mean something to a model and that no text is cut into.
            Each holds a mark of punctuation, as "[PAD]" does, so that no word reads like it.
        unknown: The special that stands for unknown words.

    Raises:
        ValueError: A token is empty, repeated or not to be stored in a line; a special is not
            among `tokens`, or reads like a word.
    """

    def __init__(self, tokens, lowercase=False, specials=tuple(SUBWORD_SPECIALS), unknown=UNKNOWN):
        tokens, specials = list(tokens), tuple(specials)
        _check_tokens(tokens)
        _check_specials(tokens, specials, unknown)
        super().__init__(tokens, tokens.index(unknown))
        self.lowercase = lowercase
        self.specials = specials
        self.unknown = unknown
        hidden = set(specials) - {unknown}
        # What a token adds to a string of which the first space is cut off in the end.
        self._texts = tf.constant(
            [
                "" if token in hidden else token[len(GLUE) :] if _is_glued(token) else f" {token}"
                for token in tokens
            ]
        )
        self._match = None
        self._cut = _fast_tokenizer(tokens, lowercase, unknown) or self._longest_match()

    @property
    def special_ids(self):
        """Dict from each special to its id."""
        ids = {token: id_ for id_, token in enumerate(self._tokens())}
        return {special: ids[special] for special in self.specials}

    def tokenize(self, strings):
        """Ids of the tokens of `strings`.

        Args:
            strings: String Tensor `(batch,)`. Invalid UTF-8 counts as U+FFFD.

        Returns:
            int32 RaggedTensor `(batch, (time))`.
        """
        return self._cut.tokenize(valid_utf8(rank_1(strings)))

    def tokenize_with_offsets(self, strings):
        """Ids of the tokens of `strings` and where in them they stand.

        Characters are never cut: two tokens that a Hangul syllable is folded to both span it.
        What folding leaves out, such as an accent, goes with the token before it.

        Args:
            strings: String Tensor `(batch,)`. Invalid UTF-8 counts as U+FFFD.

        Returns:
            Three RaggedTensors `(batch, (time))`: int32 ids, int64 start and end of each token,
            in bytes of the string as it was given.
        """
        strings = rank_1(strings)
        valid = valid_utf8(strings)
        ids, starts, ends = self._longest_match().tokenize_with_offsets(valid)
        rows = ids.value_rowids()
        flat = tf.cond(
            tf.reduce_all(tf.equal(valid, strings)),
            lambda: (starts.values, ends.values),
            lambda: offsets_before_cleaning(strings, rows, starts.values, ends.values),
        )
        return ids, *map(ids.with_values, flat)

    def detokenize(self, ids):
        """Words joined by spaces, each put together from its tokens.

        What lies between the words of a text is not in its tokens: "well-known." comes back as
        "well - known .".

        Args:
            ids: Integer RaggedTensor `(batch, (time))`. Specials stand for nothing, but for
                unknown, which shows, as do numbers that are no id.

        Returns:
            String Tensor `(batch,)`.
        """
        texts = tf.ragged.map_flat_values(
            lambda flat: tf.gather(self._texts, flat), self.known(ids)
        )
        return tf.strings.regex_replace(tf.strings.reduce_join(texts, axis=-1), "^ ", "")

    def _longest_match(self):
        """Made when it is first needed: its tables take a second."""
        if self._match is None:
            with tf.init_scope():
                self._match = LongestMatch(self._tokens(), self.lowercase, self._unknown_id)
        return self._match

    def save(self, path):
        """Writes one token a line, in the order of the ids, to any filesystem of `tf.io.gfile`."""
        write_lines(path, self._tokens())

    @classmethod
    def load(cls, path, **settings):
        """Reads what `save` wrote, or a vocab.txt of BERT.

        Args:
            path: Path of the file.
            **settings: The constructor's arguments other than `tokens`.

        Raises:
            FileNotFoundError, OSError: There is no such file, or it cannot be read.
            ValueError: A line is wrong or does not fit the settings; the message names the file.
        """
        tokens = read_lines(path)
        check_lines(path, tokens)
        try:
            return cls(tokens, **settings)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def settings(self):
        """What `load` takes beside the file, as JSON can hold it."""
        return {
            "lowercase": self.lowercase,
            "specials": list(self.specials),
            "unknown": self.unknown,
        }

    def get_config(self):
        """The constructor's arguments, as JSON can hold them."""
        return {"tokens": self.tokens, **self.settings()}

    @classmethod
    def from_config(cls, config):
        """The object that `get_config` describes."""
        return cls(**config)


class LongestMatch(tf.Module):
    """What `WordPiece` does, by core ops of TensorFlow alone.

    Args:
        tokens: `str` of every id.
        lowercase: Whether case and accents are taken away.
        unknown_id: Id of words that are not made of tokens.
    """

    def __init__(self, tokens, lowercase, unknown_id):
        super().__init__()
        self._words = BasicWords(lowercase)
        self._unknown_id = unknown_id
        self._longest = max(len(token.removeprefix(GLUE)) for token in tokens)
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tokens, tf.range(len(tokens))), default_value=-1
        )
        sizes = [len(token.removeprefix(GLUE).encode()) for token in tokens]
        self._sizes = tf.constant(sizes, tf.int64)  # bytes of a token's part of a word

    def tokenize(self, strings):
        """int32 RaggedTensor `(batch, (time))` of valid strings `(batch,)`."""
        words = self._words(strings)
        different, index = tf.unique(words.values)
        ids = tf.gather(self._ids(different), index)
        return words.with_values(ids).merge_dims(1, 2)

    def tokenize_with_offsets(self, strings):
        """`WordPiece.tokenize_with_offsets` of valid strings `(batch,)`."""
        words, places, folded = self._words.tokenize_with_offsets(strings)
        different, index = tf.unique(words.values)
        ids = tf.gather(self._ids(different), index)  # (words, (tokens))
        whole = tf.cast(tf.strings.length(words.values), tf.int64)
        sizes = tf.where(
            tf.equal(ids.values, self._unknown_id),
            tf.gather(whole, ids.value_rowids()),
            tf.gather(self._sizes, ids.values),
        )
        # Words have no gaps inside: a token begins where the ones before it in the word end.
        total = tf.cumsum(sizes)
        before_word = tf.gather(tf.concat([[0], total], axis=0), ids.row_starts())
        begin = tf.gather(places.values - before_word, ids.value_rowids())
        rows = tf.gather(words.value_rowids(), ids.value_rowids())
        starts, ends = folded.origin(rows, begin + total - sizes, begin + total)
        ids = words.with_values(ids).merge_dims(1, 2)
        return ids, ids.with_values(starts), ids.with_values(ends)

    # A graph: the loops have hundreds of steps, each of them slow outside of one.
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def _ids(self, words):
        """Ids of words `(words,)`: int32 RaggedTensor `(words, (tokens))`."""
        rows = tf.where(tf.strings.length(words) <= _MAX_WORD_BYTES)[:, 0]

        def unfinished(step, rest, rows, found_ids, found_rows):
            return tf.equal(step, 0) | (tf.size(rows) > 0)  # concat wants one step

        def take(step, rest, rows, found_ids, found_rows):
            glue = tf.where(tf.equal(step, 0), "", GLUE)
            ids, lengths = self._longest_tokens(rest, glue)
            found = (found_ids.write(step, ids), found_rows.write(step, rows))
            rest = tf.strings.substr(
                rest, lengths, tf.fill(tf.shape(rest), _MAX_WORD_BYTES), "UTF8_CHAR"
            )
            goes_on = (ids >= 0) & tf.not_equal(rest, "")
            return step + 1, rest[goes_on], rows[goes_on], *found

        arrays = (_array(tf.int32), _array(tf.int64))
        loop = tf.while_loop(
            unfinished,
            take,
            (0, tf.gather(words, rows), rows, *arrays),
            shape_invariants=(
                tf.TensorShape([]),
                *[tf.TensorShape([None])] * 2,
                *[tf.TensorSpec(None, tf.variant)] * 2,
            ),
        )
        return self._by_word(loop[-2].concat(), loop[-1].concat(), tf.size(words, tf.int64))

    def _by_word(self, ids, rows, num_words):
        """Ids, first tokens of all words first, as a RaggedTensor; unknown in place of a -1."""
        order = tf.argsort(rows, stable=True)
        ids = tf.RaggedTensor.from_value_rowids(
            tf.gather(ids, order), tf.gather(rows, order), num_words
        )
        given_up = tf.reduce_any(ids < 0, axis=1) | tf.equal(ids.row_lengths(), 0)
        kept = tf.ragged.boolean_mask(ids, tf.ones_like(ids, tf.bool) & ~given_up[:, None])
        unknown = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.math.count_nonzero(given_up)], self._unknown_id),
            tf.cast(given_up, tf.int64),
        )
        return tf.concat([kept, unknown], axis=1)

    def _longest_tokens(self, texts, glue):
        """Id and length of the longest token that each text begins with; -1 and 0 for none."""

        def unfinished(length, ids, lengths):
            return length > 0

        def match(length, ids, lengths):
            begins = tf.strings.substr(texts, 0, length, "UTF8_CHAR")
            found = self._table.lookup(glue + begins)
            is_new = (ids < 0) & (found >= 0) & (length <= sizes)
            ids = tf.where(is_new, found, ids)
            return length - 1, ids, tf.where(is_new, length, lengths)

        sizes = tf.strings.length(texts, unit="UTF8_CHAR")
        # A maximum of nothing would be the least number there is.
        longest = tf.reduce_max(tf.concat([tf.minimum(sizes, self._longest), [0]], axis=0))
        state = (longest, tf.fill(tf.shape(sizes), -1), tf.zeros_like(sizes))
        return tf.while_loop(unfinished, match, state)[1:]


def _array(dtype):
    return tf.TensorArray(dtype, 0, dynamic_size=True, element_shape=[None], infer_shape=False)


def _fast_tokenizer(tokens, lowercase, unknown):
    try:
        import tensorflow_text
    except ImportError:
        return None
    return tensorflow_text.FastBertTokenizer(
        tokens,
        suffix_indicator=GLUE,
        max_bytes_per_word=_MAX_WORD_BYTES,
        token_out_type=tf.int32,
        unknown_token=unknown,
        lower_case_nfd_strip_accents=lowercase,
    )


def _is_glued(token):
    return token.startswith(GLUE) and token != GLUE


def _check_tokens(tokens):
    if not tokens:
        raise ValueError("`tokens` must hold the specials and a token. Received: tokens=[]")
    seen = set()
    for token in tokens:
        if token in seen or not is_storable(token) or "\0" in token:
            raise ValueError(
                "`tokens` must be different, non-empty strings without line breaks and NUL. "
                f"Received: tokens=[..., {token!r}, ...]"
            )
        seen.add(token)


def _check_specials(tokens, specials, unknown):
    if unknown not in specials:
        raise ValueError(f"`unknown` must be one of {specials}. Received: unknown={unknown!r}")
    for special in specials:
        if special not in tokens:
            raise ValueError(
                f"`tokens` must hold the special {special!r}. "
                f"Received: tokens without it, {len(tokens)} of them"
            )
        if len(special) < 2 or not any(map(is_alone, special)):
            raise ValueError(
                "`specials` must each hold a mark of punctuation and another character, so that "
                f"no word reads like one. Received: specials=(..., {special!r}, ...)"
            )
