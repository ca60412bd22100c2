"""What TensorBoard shows of a tagger."""

import os

import keras
import numpy as np
from keras import ops

from seqnlp import plot
from seqnlp.callbacks.tables import plain


class TensorBoardTagger(keras.callbacks.Callback):
    """What TensorBoard shows of a tagger beside the curves.

    After each epoch the transition scores, where the head is a CRF, as a picture, and a table of
    sentences with their true and predicted tags; after training the word vectors for the
    embedding projector.

    Args:
        log_dir: Folder of the logs.
        tags: Names of the tags.
        sentences: List of `(tokens, tags)`, the sentences of the table.
        inputs: The model's inputs for those sentences.
        words: Names of the word ids, for the projector; None leaves it out.
        projected: Number of word vectors to show.
    """

    def __init__(self, log_dir, tags, sentences, inputs, words=None, projected=5000):
        super().__init__()
        self.log_dir = str(log_dir)
        self.tags = tags
        self.sentences = sentences
        self.inputs = inputs
        self.words = words
        self.projected = projected

    def on_train_begin(self, logs=None):
        import tensorflow as tf

        self._writer = tf.summary.create_file_writer(os.path.join(self.log_dir, "tagger"))

    def on_epoch_end(self, epoch, logs=None):
        import tensorflow as tf

        with self._writer.as_default(step=epoch):
            if hasattr(self.model.head_layer(), "scores"):
                picture = tf.image.decode_png(plot.png(self.transitions()), channels=4)
                tf.summary.image("transitions", picture[None])
            tf.summary.text("sentences", self.table())
        self._writer.flush()

    def on_train_end(self, logs=None):
        self._writer.close()
        if self.words is not None:
            self.project()

    def transitions(self):
        """A `Figure` of the model's transition, start and end scores."""
        scores = self.model.head_layer().scores()
        transitions, start, end = (ops.convert_to_numpy(score) for score in scores)
        corner = np.full((1,), np.nan)
        bordered = np.block([[transitions, end[:, None]], [start, corner]])
        return plot.transitions(bordered, self.tags)

    def table(self):
        """A Markdown table: a sentence a row, with its true and its predicted tags.

        A tagged token reads `token/tag`; tokens outside of spans (`O`) are left out. Wrong
        predictions, a missed one among them, are in bold.
        """
        predicted = self.model.predict_on_batch(self.inputs)["tags"]
        rows = ["|sentence|true|predicted|", "|---|---|---|"]
        for (tokens, true), guess in zip(self.sentences, predicted, strict=True):
            guess = [self.tags[tag] for tag in guess[: len(tokens)]]
            tagged = list(
                zip(map(plain, tokens), map(plain, true), map(plain, guess), strict=True)
            )
            sentence = " ".join(token for token, *_ in tagged)
            right = " ".join(f"{token}/{tag}" for token, tag, _ in tagged if tag != "O")
            marked = " ".join(
                f"{token}/{tag}" if tag == expected else f"**{token}/{tag}**"
                for token, expected, tag in tagged
                if (expected, tag) != ("O", "O")
            )
            rows.append(f"|{sentence}|{right}|{marked}|")
        return "\n".join(rows)

    def project(self):
        """Writes the word vectors, their names and the projector's configuration."""
        vectors = ops.convert_to_numpy(self.model.word_embedding.embeddings)[: self.projected]
        np.savetxt(os.path.join(self.log_dir, "vectors.tsv"), vectors, "%.6g", "\t")
        with open(os.path.join(self.log_dir, "words.tsv"), "w", encoding="utf-8") as file:
            file.writelines(f"{word}\n" for word in self.words[: len(vectors)])
        config = 'tensor_name: "words" tensor_path: "vectors.tsv" metadata_path: "words.tsv"'
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w") as file:
            file.write(f"embeddings {{ {config} }}\n")
