"""A translator without training, with the signatures of a real export: it writes in capitals."""

import tensorflow as tf

MAX_PIECES = 6
TEXT = [tf.TensorSpec([None], tf.string, "text")]
PAIR = [tf.TensorSpec([None], tf.string, name) for name in ("source", "target")]


class HandMadeTranslator(tf.Module):
    """A piece is a word; the second best translation has them in small letters."""

    def __init__(self):
        super().__init__()
        self.gain = tf.Variable(-0.5)  # log probability of a piece and of the end

    def _read(self, text):
        words = tf.strings.split(text)
        truncated = words.row_lengths() > MAX_PIECES
        return words[:, :MAX_PIECES], truncated

    @tf.function(input_signature=TEXT)
    def translate(self, text):
        best = self.n_best(text)
        names = ("translations", "scores", "lengths", "finished")
        return {name: best[name][:, 0] for name in names} | {"truncated": best["truncated"]}

    @tf.function(input_signature=TEXT)
    def n_best(self, text):
        words, truncated = self._read(text)
        lengths = tf.cast(words.row_lengths(), tf.int32)
        pieces = words.to_tensor()
        both = tf.stack([tf.strings.upper(pieces), tf.strings.lower(pieces)], axis=1)
        there = tf.stack([lengths >= 0, lengths > 0], axis=1)
        score = self.gain * tf.cast(lengths + 1, tf.float32)
        sentences = tf.strings.reduce_join(both, axis=-1, separator=" ")
        end = tf.fill([tf.size(text), 1], "</s>")
        weights = tf.eye(tf.shape(pieces)[1], tf.shape(pieces)[1] + 1, [tf.size(text), 2])
        return {
            "translations": tf.strings.regex_replace(sentences, " +$", ""),
            "scores": tf.where(there, tf.stack([score, score - 1], axis=1), -1e9),
            "lengths": tf.stack([lengths, lengths], axis=1),
            "finished": tf.stack([lengths < MAX_PIECES] * 2, axis=1),
            "pieces": both,
            "alignments": weights,
            "paths": tf.where(lengths > 0, 2, 1),
            "source_pieces": tf.concat([words, end], axis=1).to_tensor(),
            "source_lengths": lengths + 1,
            "truncated": truncated,
        }

    @tf.function(input_signature=PAIR)
    def score(self, source, target):
        words, truncated = self._read(target)
        pieces = tf.concat([words, tf.fill([tf.size(source), 1], "</s>")], axis=1)
        lengths = tf.cast(pieces.row_lengths(), tf.int32)
        each = pieces.with_values(tf.fill(tf.shape(pieces.values), self.gain)).to_tensor()
        return {
            "log_probabilities": tf.reduce_sum(each, axis=1),
            "token_log_probabilities": each,
            "pieces": pieces.to_tensor(),
            "lengths": lengths,
            "truncated": truncated,
        }


def save(folder):
    """Save the translator as a SavedModel with the signatures of a translator's export."""
    made = HandMadeTranslator()
    signatures = {"serving_default": made.translate, "n_best": made.n_best, "score": made.score}
    tf.saved_model.save(made, str(folder), signatures=signatures)
