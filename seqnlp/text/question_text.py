"""What stands between strings and a model that answers questions about a text."""

import json
import os

import tensorflow as tf

from seqnlp.text.bert_names import (
    CLASSIFY,
    QUESTIONS_FILE,
    SEPARATE,
    BERTNames,
    read_bert_settings,
    read_question_settings,
)
from seqnlp.text.bert_text import BERTText
from seqnlp.text.files import write_lines
from seqnlp.text.names import CONFIG_FILE

SPECIALS = 3  # of a window


class QuestionText(BERTText):
    """Turns questions about contexts into windows, what BERT reads of a context at a time.

        [CLS] pieces of the question [SEP] pieces of the context [SEP]

    A context that is longer than a window comes in several that overlap: each begins `stride`
    pieces after the one before it, until the last one reaches the end.

    Args:
        tokens: The piece of every id, `str`: the lines of BERT's vocab.txt, "[PAD]" the first.
        lowercase: Whether case and accents are taken away: what "uncased" models want.
        max_length: Most ids of a window.
        max_question_length: Most pieces of a question; a longer one is cut at its end.
        stride: Pieces from one window to the next; at most as many as a window holds.

    Raises:
        ValueError: The pieces are no vocabulary of BERT, or a number is out of range.

    Reference: https://arxiv.org/abs/1810.04805, section 4.2; the windows are those of the code
        that it published.
    """

    def __init__(
        self, tokens, lowercase=False, max_length=384, max_question_length=64, stride=128
    ):
        check_sizes(max_length, max_question_length, stride)
        super().__init__(tokens, lowercase, max_length)
        self.max_question_length = max_question_length
        self.stride = stride

    def windows(self, questions, contexts):
        """The windows of contexts, those of the first question first.

        Args:
            questions: String Tensor `(batch,)`.
            contexts: String Tensor `(batch,)`; one without pieces has one window.

        Returns:
            Dict of
            - `token_ids`, `segment_ids`: int32 RaggedTensors `(windows, (time))`;
            - `starts`, `ends`: int64 RaggedTensors `(windows, (pieces))`, the bytes of the
              context that each piece of the window stands for;
            - `first_length`: int32 Tensor `(windows,)`, ids before the first piece of the context;
            - `rows`: int64 Tensor `(windows,)`, the number of the question;
            - `truncated`: bool Tensor `(batch,)`, True where the question was cut.
        """
        asked = self.tokenize(questions)
        truncated = asked.row_lengths() > self.max_question_length
        asked = asked[:, : self.max_question_length]
        pieces, starts, ends = self.subwords.tokenize_with_offsets(contexts)
        rows, inside = self._places(asked.row_lengths(), pieces)
        ids = self.names.special_ids
        edge = tf.ones([tf.size(rows), 1], tf.int32)
        end = ids[SEPARATE] * edge
        before = tf.concat([ids[CLASSIFY] * edge, tf.gather(asked, rows), end], axis=1)
        after = tf.concat([tf.gather(pieces.values, inside), end], axis=1)
        return {
            "token_ids": tf.concat([before, after], axis=1),
            "segment_ids": tf.concat([tf.zeros_like(before), tf.ones_like(after)], axis=1),
            "starts": tf.gather(starts.values, inside),
            "ends": tf.gather(ends.values, inside),
            "first_length": tf.cast(before.row_lengths(), tf.int32),
            "rows": rows,
            "truncated": truncated,
        }

    def _places(self, asked, pieces):
        """The row of each window, and where the pieces in it stand among all, ragged."""
        room = self.max_length - SPECIALS - asked
        step = tf.minimum(room, self.stride)
        lengths = pieces.row_lengths()
        more = tf.maximum(lengths - room, 0)
        numbers = 1 + (more + step - 1) // step
        rows = tf.repeat(tf.range(tf.size(numbers, tf.int64)), numbers)
        first = tf.ragged.range(numbers).values * tf.gather(step, rows)
        last = tf.minimum(first + tf.gather(room, rows), tf.gather(lengths, rows))
        begin = tf.gather(pieces.row_starts(), rows)
        return rows, tf.ragged.range(begin + first, begin + last)

    def get_config(self):
        """The constructor's arguments, as JSON can hold them."""
        sizes = {"max_question_length": self.max_question_length, "stride": self.stride}
        return {**super().get_config(), **sizes}

    def save(self, folder):
        """Writes what `BERTText` does, and questions.json with the sizes of the windows.

        Args:
            folder: Folder on any filesystem of `tf.io.gfile`; made if missing.

        Raises:
            OSError: The folder or a file cannot be written.
        """
        super().save(folder)
        sizes = {"max_question_length": self.max_question_length, "stride": self.stride}
        text = json.dumps(sizes, indent=2, sort_keys=True)
        write_lines(os.path.join(folder, QUESTIONS_FILE), [text])

    @classmethod
    def load(cls, folder):
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError, OSError: A file is missing or cannot be read.
            ValueError: A file does not hold what it should; the message names it.
        """
        names = BERTNames.load(folder)
        settings = {**read_bert_settings(folder), **read_question_settings(folder)}
        try:
            return cls(names.pieces, **settings)
        except ValueError as error:
            files = " and ".join((CONFIG_FILE, QUESTIONS_FILE))
            raise ValueError(f"{folder}, {files}: {error}") from None


def check_sizes(max_length, max_question_length, stride):
    """Raises a ValueError where windows of these sizes cannot be made."""
    sizes = {"max_length": max_length, "max_question_length": max_question_length}
    sizes["stride"] = stride
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise ValueError(
                f"`{name}` must be a whole number, at least 1. Received: {name}={size!r}"
            )
    least = max_question_length + SPECIALS + 1
    if max_length < least:
        raise ValueError(
            f"`max_length` must be at least {least}, to hold a question of "
            f"`max_question_length`={max_question_length} pieces, {SPECIALS} specials and a piece "
            f"of the context. Received: max_length={max_length}"
        )
