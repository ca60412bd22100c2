"""What TensorBoard shows of a translator."""

import os

import keras
import numpy as np
from keras import ops

from seqnlp import plot
from seqnlp.callbacks.phrases import phrase_vectors, source_phrases
from seqnlp.callbacks.tables import plain
from seqnlp.text.translation_names import SUBWORD_SPECIALS

MAPPED, LEAST_MAPPED = 400, 15  # points of a map


class TensorBoardTranslator(keras.callbacks.Callback):
    """What TensorBoard shows of a translator beside the curves.

    After each epoch a table of sentences with their true translations and the model's, and,
    where it has attention, what the pieces of one true translation attend to: the mean, and
    all heads of the decoder's layer before the last of a Transformer. After training maps
    (t-SNE) of the target pieces' vectors, and of what a recurrent model makes of phrases of the
    sentences, where there are enough of them and all are finite.

    Args:
        log_dir: Folder of the logs.
        pairs: List of `(source, reference)`, the sentences of the table.
        batch: The model's inputs for those sentences, `(inputs, labels, sample_weight)`.
        names: `seqnlp.text.TranslationNames`.
        translations: `seqnlp.callbacks.Translations` of the model.
        drawn: Number of the pair whose attention is drawn.
    """

    def __init__(self, log_dir, pairs, batch, names, translations, drawn=0):
        super().__init__()
        self.log_dir = str(log_dir)
        self.pairs = pairs
        self.batch = batch
        self.names = names
        self.translations = translations
        self.drawn = drawn

    def on_train_begin(self, logs=None):
        import tensorflow as tf

        self._writer = tf.summary.create_file_writer(os.path.join(self.log_dir, "translator"))

    def on_epoch_end(self, epoch, logs=None):
        import tensorflow as tf

        with self._writer.as_default(step=epoch):
            tf.summary.text("translations", self.table())
            for name, figure in self.attention().items():
                self._picture(name, figure)
        self._writer.flush()

    def on_train_end(self, logs=None):
        with self._writer.as_default(step=0):
            for name, figure in self.maps().items():
                self._picture(name, figure)
        self._writer.close()

    def _picture(self, name, figure):
        import tensorflow as tf

        tf.summary.image(name, tf.image.decode_png(plot.png(figure), channels=4)[None])

    def table(self):
        """A Markdown table: a sentence a row, with its true translation and the model's."""
        found = self.names.target_sentences(self.translations.ids([self.batch]))
        rows = ["|source|reference|translation|", "|---|---|---|"]
        for pair, translation in zip(self.pairs, found, strict=True):
            rows.append("|" + "|".join(map(plain, (*pair, translation))) + "|")
        return "\n".join(rows)

    def attention(self):
        """Dict of `Figure`s; empty for a model without attention."""
        inputs, labels, _ = self.batch
        row = slice(self.drawn, self.drawn + 1)
        inputs = {name: np.asarray(ids)[row] for name, ids in inputs.items()}
        source = [self.names.source[index] for index in inputs["source_ids"][0] if index]
        target = [self.names.target[index] for index in np.asarray(labels)[self.drawn] if index]
        size = len(target), len(source)

        def cut(weights):
            return ops.convert_to_numpy(weights)[0, ..., : size[0], : size[1]]

        decoder = getattr(self.model, "decoder", None)
        if getattr(decoder, "attention", True) is None:
            return {}
        found = {"attention": plot.attention(cut(self.model.attention(inputs)), source, target)}
        layer = getattr(self.model, "alignment_layer", None)
        if layer is not None:
            name = f"decoder_{layer}_source"
            heads = cut(self.model.attention_weights(inputs)[name])
            found["heads"] = plot.heads(heads, source, target, title=name)
        return found

    def maps(self):
        """Dict of `Figure`s; empty where there is too little to map or what is not finite."""
        chosen = slice(len(SUBWORD_SPECIALS), len(SUBWORD_SPECIALS) + MAPPED)
        vectors = ops.convert_to_numpy(self.model.target_embedding.embeddings)[chosen]
        found = {"target pieces": (vectors, self.names.target[chosen])}
        if hasattr(self.model, "encode"):  # a recurrent one
            rows = [[index for index in row if index] for row in self._source_ids().tolist()]
            phrases = source_phrases(filter(None, rows), self.names, MAPPED)
            if phrases:
                vectors = phrase_vectors(self.model, list(phrases.values()))
                found["source phrases"] = vectors, list(phrases)
        return {
            name: plot.embedding_map(vectors, words)
            for name, (vectors, words) in found.items()
            if len(words) >= LEAST_MAPPED and np.isfinite(vectors).all()
        }

    def _source_ids(self):
        return np.asarray(self.batch[0]["source_ids"])
