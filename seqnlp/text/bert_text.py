"""What stands between strings and BERT: one object for preparation and export."""

import json
import os

import tensorflow as tf

from seqnlp.text.bert_names import (
    BERT_SPECIALS,
    CLASSIFY,
    SEPARATE,
    VOCABULARY_FILE,
    BERTNames,
    read_bert_settings,
)
from seqnlp.text.files import make_folder, write_lines
from seqnlp.text.names import CONFIG_FILE
from seqnlp.text.word_piece import WordPiece


class BERTText(tf.Module):
    """Turns texts and pairs of texts into what BERT reads.

        [CLS] pieces of the first [SEP]                              segment 0
        [CLS] pieces of the first [SEP] pieces of the second [SEP]   segments 0 and 1

    Args:
        tokens: The piece of every id, `str`: the lines of BERT's vocab.txt, "[PAD]" the first.
        lowercase: Whether case and accents are taken away: what "uncased" models want.
        max_length: Most ids of an input.

    Raises:
        ValueError: The pieces are no vocabulary of BERT, or `max_length` is below 5.
    """

    def __init__(self, tokens, lowercase=False, max_length=512):
        super().__init__()
        if not isinstance(max_length, int) or max_length < 5:
            raise ValueError(
                "`max_length` must be a whole number, at least 5: three specials and two pieces. "
                f"Received: max_length={max_length!r}"
            )
        self.names = BERTNames(list(tokens))
        self.names.check("`tokens`")
        self.subwords = WordPiece(tokens, lowercase, BERT_SPECIALS)
        self.lowercase = lowercase
        self.max_length = max_length

    @property
    def vocabulary_size(self):
        """Number of ids."""
        return len(self.names.pieces)

    def tokenize(self, strings):
        """Ids of the pieces of strings `(batch,)`, int32 RaggedTensor `(batch, (time))`."""
        return self.subwords.tokenize(strings)

    def encode(self, first, second=None):
        """What BERT reads.

        Pieces beyond `max_length` are cut off at the end: of a pair those of the longer text,
        until both are as long as each other.

        Args:
            first: String Tensor `(batch,)`.
            second: The same of the second texts, or None.

        Returns:
            Dict of `token_ids` and `segment_ids`, int32 RaggedTensors `(batch, (time))`, and
            `truncated`, a bool Tensor `(batch,)`, True where pieces were cut off.
        """
        return self.frame(self.tokenize(first), None if second is None else self.tokenize(second))

    def frame(self, first, second=None):
        """`encode` of texts that are cut into pieces: int32 RaggedTensors `(batch, (time))`."""
        ids = self.names.special_ids
        begin = tf.fill([first.nrows(), 1], ids[CLASSIFY])
        end = tf.fill([first.nrows(), 1], ids[SEPARATE])
        if second is None:
            most = self.max_length - 2
            truncated = first.row_lengths() > most
            token_ids = tf.concat([begin, first[:, :most], end], axis=1)
            return {
                "token_ids": token_ids,
                "segment_ids": tf.zeros_like(token_ids),
                "truncated": truncated,
            }
        most = self.max_length - 3
        lengths = [spans.row_lengths() for spans in (first, second)]
        kept = _shared(*lengths, most)
        first, second = (
            tf.ragged.boolean_mask(spans, _first(spans, number))
            for spans, number in zip((first, second), kept, strict=True)
        )
        before = tf.concat([begin, first, end], axis=1)
        after = tf.concat([second, end], axis=1)
        return {
            "token_ids": tf.concat([before, after], axis=1),
            "segment_ids": tf.concat([tf.zeros_like(before), tf.ones_like(after)], axis=1),
            "truncated": tf.add_n(lengths) > most,
        }

    def inputs(self, first, second=None):
        """What a model on BERT reads, dense: at least one step of time, even of no texts.

        Args:
            first: String Tensor `(batch,)`.
            second: String Tensor `(batch,)`, or None where inputs are single texts.

        Returns:
            Dict of `token_ids` and `segment_ids`, int32 Tensors `(batch, time)`, 0 at padding;
            and `truncated`, as of `encode`.
        """
        return dense(self.encode(first, second))

    def get_config(self):
        """The constructor's arguments, as JSON can hold them."""
        return {
            "tokens": self.names.pieces,
            "lowercase": self.lowercase,
            "max_length": self.max_length,
        }

    @classmethod
    def from_config(cls, config):
        """The object that `get_config` describes."""
        return cls(**config)

    def save(self, folder):
        """Writes vocab.txt, a piece a line, and text.json with the other settings.

        Args:
            folder: Folder on any filesystem of `tf.io.gfile`; made if missing.

        Raises:
            OSError: The folder or a file cannot be written.
        """
        make_folder(folder)
        self.subwords.save(os.path.join(folder, VOCABULARY_FILE))
        settings = {"lowercase": self.lowercase, "max_length": self.max_length}
        text = json.dumps(settings, indent=2, sort_keys=True)
        write_lines(os.path.join(folder, CONFIG_FILE), [text])

    @classmethod
    def load(cls, folder):
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError, OSError: A file is missing or cannot be read.
            ValueError: A file does not hold what it should; the message names it.
        """
        names = BERTNames.load(folder)
        settings = read_bert_settings(folder)
        try:
            return cls(names.pieces, **settings)
        except ValueError as error:
            raise ValueError(f"{os.path.join(folder, CONFIG_FILE)}: {error}") from None


def dense(encoded):
    """What `BERTText.encode` and `frame` give, as `BERTText.inputs` gives it."""
    truncated = encoded["truncated"]
    missing = tf.cast(tf.equal(tf.size(truncated), 0), tf.int32)  # every text has specials
    inputs = {
        name: tf.pad(encoded[name].to_tensor(), [[0, 0], [0, missing]])
        for name in ("token_ids", "segment_ids")
    }
    return inputs, truncated


def _shared(first, second, most):
    """How many of `first` and `second` are kept of `most`, the longer one cut first."""
    half = most // 2
    kept_second = tf.minimum(second, tf.maximum(most - first, half))
    return tf.minimum(first, most - kept_second), kept_second


def _first(ragged, numbers):
    """Bool RaggedTensor, True at the first `numbers` of each row."""
    places = tf.ragged.range(ragged.row_lengths())
    return places < numbers[:, None]
