"""A trained translator at work on strings, outside of an export."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqnlp.callbacks import Translations
from seqnlp.metrics import alignment_links
from seqnlp.text.names import END_ID, START_ID
from seqnlp.text.translation_names import word_numbers

BATCH_SIZE = 64
LONGEST = 200  # pieces of a side of a pair whose attention is looked at: heads take its square
LENGTHS = (16, 32, 64, 128, 256, 512, 1024)  # that batches are padded to: few shapes to compile


class Attended(NamedTuple):
    """What the pieces of a translation attend to.

    Fields:
        weights: Float array `(target, source)`, the ends of both sentences among them.
        source: List of source pieces.
        target: List of target pieces.
    """

    weights: np.ndarray
    source: list
    target: list

    def links(self):
        """Links of words, see `seqnlp.metrics.alignment_links`."""
        return alignment_links(self.weights, word_numbers(self.source), word_numbers(self.target))

    def is_of_words(self):
        """Whether every piece but the ends is a word of its own."""
        return all(
            word_numbers(side) == [*range(len(side) - 1), -1]
            for side in (self.source, self.target)
        )


class Translator:
    """Translates strings, and looks at attention.

    Args:
        model: A sequence-to-sequence model.
        text: Its `seqnlp.text.TranslationText`.
        beam_width: Hypotheses that are followed.
        length_penalty: Of `seqnlp.decoding.beam_search`.
        max_length: Most pieces of a translation.
    """

    def __init__(self, model, text, beam_width=1, length_penalty=0.0, max_length=200):
        self.model = model
        self.text = text
        self._translations = Translations(model, beam_width, length_penalty, max_length)

    @property
    def has_attention(self):
        """Whether the model has weights to look at."""
        decoder = getattr(self.model, "decoder", None)
        return getattr(decoder, "attention", True) is not None

    def translate(self, strings):
        """List of strings -> list of their translations."""
        found = []
        for source in self._sources(strings):
            decoded = self._translations.decoded(source.padded)
            ids, lengths = decoded.token_ids, decoded.lengths
            if len(ids.shape) == 3:  # hypotheses of a beam, best first
                ids, lengths = ids[:, 0], lengths[:, 0]
            found += [
                (number, sentence.decode())
                for number, sentence in zip(
                    source.numbers, self.text.decode(ids, lengths).numpy(), strict=False
                )
            ]
        return [sentence for _, sentence in sorted(found)]

    def attention(self, sources, targets):
        """Yields the number of a pair and its `Attended`, in the order of the pairs.

        Pairs with a side of more than `LONGEST` pieces are left out.

        Args:
            sources: List of strings.
            targets: List of their translations.
        """
        source, target = self.text.encode_source(sources), self.text.encode_target(targets)
        longest = tf.maximum(source.row_lengths(), target.row_lengths()).numpy()
        short = np.flatnonzero(longest <= LONGEST)
        for at in range(0, len(short), BATCH_SIZE):
            numbers = short[at : at + BATCH_SIZE]
            pairs = tf.gather(source, numbers), tf.gather(target, numbers)
            yield from zip(numbers.tolist(), self._attended(*pairs), strict=True)

    def _attended(self, source, target):
        edge = tf.ones([target.nrows(), 1], tf.int32)
        read = tf.concat([START_ID * edge, target], axis=1)
        written = tf.concat([target, END_ID * edge], axis=1)
        inputs = {"source_ids": source.to_tensor(), "target_ids": read.to_tensor()}
        weights = np.asarray(self.model.attention(inputs))
        for row, (source_ids, target_ids) in enumerate(zip(source, written, strict=True)):
            yield Attended(
                weights[row, : len(target_ids), : len(source_ids)],
                _strings(self.text.source_pieces(source_ids)),
                _strings(self.text.pieces(target_ids)),
            )

    def _sources(self, strings):
        """Yields batches of sources of about the same length."""
        ids = self.text.encode_source(strings)
        lengths = ids.row_lengths().numpy()
        order = np.argsort(lengths, kind="stable")
        for at in range(0, len(order), BATCH_SIZE):
            numbers = order[at : at + BATCH_SIZE]
            longest = lengths[numbers].max()
            padded = np.zeros((BATCH_SIZE, self._padded(longest)), dtype="int32")
            rows = tf.gather(ids, numbers).to_tensor().numpy()
            padded[: len(rows), : rows.shape[1]] = rows
            yield _Sources(numbers, padded)

    def _padded(self, longest):
        return next((length for length in LENGTHS if longest <= length), int(longest))


class _Sources(NamedTuple):
    numbers: np.ndarray
    padded: np.ndarray


def _strings(pieces):
    return [piece.decode() for piece in pieces.numpy()]
