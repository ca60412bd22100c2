"""Classifiers without training, with the signatures of a real export."""

import tensorflow as tf

MOST = 5  # words
TEXT = tf.TensorSpec([None], tf.string, "text")
TEXT2 = tf.TensorSpec([None], tf.string, "text2")


class HandMadeClassifier(tf.Module):
    """A text is "long" with a probability of a tenth a word."""

    def __init__(self):
        super().__init__()
        self.share = tf.Variable(0.1)
        self.names = tf.constant(["long", "short"])

    def _read(self, text):
        words = tf.strings.split(text).row_lengths()
        return tf.cast(tf.minimum(words, MOST), tf.float32), words > MOST

    @tf.function(input_signature=[TEXT])
    def classify(self, text):
        number, truncated = self._read(text)
        scores = tf.stack([self.share * number, 1 - self.share * number], axis=1)
        return {
            "label": tf.gather(self.names, tf.argmax(scores, axis=1)),
            "label_scores": scores,
            "label_names": tf.broadcast_to(self.names[None], tf.shape(scores)),
            "truncated": truncated,
        }

    @tf.function(input_signature=[TEXT])
    def embed(self, text):
        number, truncated = self._read(text)
        pooled = tf.stack([number, -number], axis=1)
        return {"pooled": pooled, "mean": self.share * pooled, "truncated": truncated}

    @tf.function(input_signature=[TEXT, TEXT2])
    def compare(self, text, text2):
        (first, cut), (second, cut2) = self._read(text), self._read(text2)
        return {"value": self.share * (first - second), "truncated": cut | cut2}


def save(folder):
    """Save a classifier of texts with the signatures of its export."""
    made = HandMadeClassifier()
    signatures = {"serving_default": made.classify, "embeddings": made.embed}
    tf.saved_model.save(made, str(folder), signatures=signatures)


def save_comparing(folder):
    """Save a model that tells a number of two texts."""
    made = HandMadeClassifier()
    tf.saved_model.save(made, str(folder), signatures={"serving_default": made.compare})
