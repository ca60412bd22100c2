"""The table between tokens and ids, in the TensorFlow graph."""

import tensorflow as tf

from seqnlp.text.files import write_lines
from seqnlp.text.names import SPECIALS, UNKNOWN_ID, read_vocabulary
from seqnlp.text.normalize import on_flat_values


class Vocabulary(tf.Module):
    """Tokens and their ids: 0 is padding, 1 is unknown, then `tokens` from 2 on.

    No text can look up to padding: a token that reads `[PAD]` is unknown.

    Args:
        tokens: Tokens from id 2 on, most frequent first. At least one, all different; not
            empty, without line breaks (a file holds one a line), and not a special.

    Raises:
        ValueError: `tokens` break one of these rules.
    """

    def __init__(self, tokens):
        super().__init__()
        tokens = list(tokens)
        if not tokens:
            raise ValueError("`tokens` must hold at least one token. Received: tokens=[]")
        known = set(SPECIALS)
        for token in tokens:
            if token in known:
                raise ValueError(
                    "`tokens` must hold each token once, and no special. "
                    f"Received: tokens=[..., {token!r}, ...]"
                )
            if not is_storable(token):
                raise ValueError(
                    "`tokens` must hold valid, non-empty strings without line breaks. "
                    f"Received: tokens=[..., {token!r}, ...]"
                )
            known.add(token)
        keys = tf.constant(tokens, tf.string)
        ids = tf.range(len(SPECIALS), len(SPECIALS) + len(tokens))
        # Hidden in a function: a tf.Module would wrap a list and track its items one by one.
        self._tokens = lambda: SPECIALS + tokens
        self._size = len(SPECIALS) + len(tokens)
        self._table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, ids), default_value=UNKNOWN_ID
        )

    @property
    def tokens(self):
        """List of `str`: the token of every id, specials included."""
        return self._tokens()

    def __len__(self):
        return self._size

    def lookup(self, strings):
        """Ids of `strings`.

        Args:
            strings: String Tensor or RaggedTensor of any shape.

        Returns:
            int32 ids of the same shape, at least 1.
        """
        return on_flat_values(self._table.lookup, strings)

    @classmethod
    def from_counts(cls, counts, min_count=1, size=None):
        """The vocabulary of the most frequent tokens, ordered by (-count, token).

        Tokens that a vocabulary cannot hold (specials, the empty string, line breaks) are
        left out, and so unknown.

        Args:
            counts: Mapping from token to count.
            min_count: Tokens below this count are left out.
            size: Largest number of ids, the two specials included; None keeps all.

        Returns:
            A `Vocabulary`.

        Raises:
            ValueError: No token is left.
        """
        if size is not None and size <= len(SPECIALS):
            raise ValueError(
                f"`size` must be more than the {len(SPECIALS)} specials. Received: size={size}"
            )
        usable = {t: n for t, n in counts.items() if is_storable(t) and t not in SPECIALS}
        if not usable:
            raise ValueError(
                "`counts` must hold at least one token that is no special. "
                f"Received: counts with {len(counts)} tokens, none usable"
            )
        ordered = sorted(usable, key=lambda token: (-usable[token], token))
        kept = [token for token in ordered if usable[token] >= min_count]
        if not kept:
            raise ValueError(
                "`min_count` must leave at least one token, or the vocabulary holds only "
                f"specials: all {len(usable)} tokens were dropped, the most frequent is "
                f"{ordered[0]!r} with count {usable[ordered[0]]}. Received: min_count={min_count}"
            )
        return cls(kept if size is None else kept[: size - len(SPECIALS)])

    def save(self, path):
        """Writes one token a line, specials first, to any filesystem of `tf.io.gfile`."""
        write_lines(path, self.tokens)

    @classmethod
    def load(cls, path):
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError, OSError: There is no such file, or it cannot be read.
            ValueError: A line is wrong; the message names file, line, expected and received.
        """
        return cls(read_vocabulary(path)[len(SPECIALS) :])

    def get_config(self):
        """The constructor's arguments, as JSON can hold them."""
        return {"tokens": self.tokens[len(SPECIALS) :]}

    @classmethod
    def from_config(cls, config):
        """The vocabulary that `get_config` describes."""
        return cls(**config)


def is_storable(token):
    """Whether a line of a file can hold a token: a string, not empty, without line breaks."""
    if not isinstance(token, str) or not token or "\n" in token or "\r" in token:
        return False
    try:
        token.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True
