"""What all kinds of subwords share."""

import tensorflow as tf


class Subwords(tf.Module):
    """Base of what cuts strings into pieces and joins pieces to strings.

    A child has `tokenize(strings)` and `detokenize(ids)`; `settings()`, `save(path)` and
    `load(path, **settings)`; `get_config()` and `from_config(config)`.

    Args:
        tokens: List of `str`, the piece of every id.
        unknown_id: The id of what has no piece.
    """

    def __init__(self, tokens, unknown_id):
        super().__init__()
        # Hidden in a function: a tf.Module would wrap a list and track its items one by one.
        self._tokens = lambda: tokens
        self._names = tf.constant(tokens)
        self._unknown_id = unknown_id

    @property
    def tokens(self):
        """List of `str`: the piece of every id."""
        return list(self._tokens())

    @property
    def vocabulary_size(self):
        """Number of ids."""
        return len(self._tokens())

    def pieces(self, ids):
        """The piece of each id, as it is written in the vocabulary.

        Args:
            ids: Integer Tensor or RaggedTensor of any shape. A number that is no id counts as
                unknown.

        Returns:
            Strings of the same shape.
        """
        return tf.ragged.map_flat_values(self._piece, ids)

    def known(self, ids):
        """`ids` as int32, with unknown in the place of numbers that are no ids."""
        return tf.ragged.map_flat_values(self._known, ids)

    def _piece(self, ids):
        return tf.gather(self._names, self._known(ids))

    def _known(self, ids):
        # int64 first: a narrowing cast could turn a number that is no id into one that is
        ids = tf.cast(ids, tf.int64)
        is_id = (ids >= 0) & (ids < self.vocabulary_size)
        return tf.cast(tf.where(is_id, ids, self._unknown_id), tf.int32)
