"""A BERT without training, with the signatures of a real export: gaps are blue, or red."""

import tensorflow as tf

MAX_GAPS = 2
TEXT = [tf.TensorSpec([None], tf.string, "text")]
PAIR = [tf.TensorSpec([None], tf.string, name) for name in ("text", "text_pair")]


class HandMadeBERT(tf.Module):
    """It reads two gaps of a text, and knows that no text follows itself."""

    def __init__(self):
        super().__init__()
        self.sure = tf.Variable(0.75)

    @tf.function(input_signature=TEXT)
    def embeddings(self, text):
        length = tf.cast(tf.strings.length(text), tf.float32)
        return {
            "pooled": tf.stack([length, -length], axis=1),
            "mean": tf.stack([length / 2, self.sure * tf.ones_like(length)], axis=1),
            "truncated": length > 100,
        }

    @tf.function(input_signature=TEXT)
    def fill_mask(self, text):
        gaps = tf.strings.split(text, "[MASK]").row_lengths() - 1
        lengths = tf.cast(tf.minimum(gaps, MAX_GAPS), tf.int32)
        shape = [tf.size(text), tf.reduce_max(tf.concat([lengths, [0]], axis=0)), 1]
        real = tf.sequence_mask(lengths, shape[1])[..., None]
        pieces = [tf.where(real, tf.fill(shape, color), "") for color in ("blue", "red")]
        chances = [self.sure, 1 - self.sure]
        scores = [tf.where(real, tf.fill(shape, chance), 0.0) for chance in chances]
        filled = text
        for _ in range(MAX_GAPS):
            filled = tf.strings.regex_replace(filled, r"\[MASK\]", "blue", replace_global=False)
        return {
            "pieces": tf.concat(pieces, axis=-1),
            "scores": tf.concat(scores, axis=-1),
            "lengths": lengths,
            "filled": filled,
            "truncated": gaps > MAX_GAPS,
        }

    @tf.function(input_signature=PAIR)
    def next_sentence(self, text, text_pair):
        follows = tf.where(text == text_pair, 1 - self.sure, self.sure)
        return {"follows": follows, "truncated": tf.strings.length(text) > 100}


def save(folder):
    """Save the BERT as a SavedModel with the signatures of a BERT's export."""
    made = HandMadeBERT()
    signatures = {name: getattr(made, name) for name in ("fill_mask", "next_sentence")}
    signatures |= dict.fromkeys(("serving_default", "embeddings"), made.embeddings)
    tf.saved_model.save(made, str(folder), signatures=signatures)
