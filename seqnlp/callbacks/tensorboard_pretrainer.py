"""What TensorBoard shows of a BERT that is pretrained."""

import os

import keras
import numpy as np
from keras import ops

from seqnlp import plot
from seqnlp.callbacks.tables import plain

GUESSES = 3


class TensorBoardPretrainer(keras.callbacks.Callback):
    """What TensorBoard shows of a pretrained BERT beside the curves.

    After each epoch a table of pairs with what was hidden in them and what the model takes it
    for, and the attention of all heads of the last layer to one of the pairs.

    Args:
        log_dir: Folder of the logs.
        batch: A batch of `pretraining_batches`.
        names: `seqnlp.text.BERTNames`.
        rows: Pairs of the table.
        drawn: Number of the pair whose attention is drawn.
    """

    def __init__(self, log_dir, batch, names, rows=12, drawn=0):
        super().__init__()
        self.log_dir = str(log_dir)
        real = np.asarray(batch[2]["next_sentence"]) > 0  # a small split's batch has padding
        self.inputs, self.labels, self.weights = (
            {name: np.asarray(x)[real][:rows] for name, x in part.items()} for part in batch
        )
        self.names = names
        self.drawn = drawn

    def on_train_begin(self, logs=None):
        import tensorflow as tf

        self._writer = tf.summary.create_file_writer(os.path.join(self.log_dir, "pretrainer"))

    def on_epoch_end(self, epoch, logs=None):
        import tensorflow as tf

        with self._writer.as_default(step=epoch):
            tf.summary.text("hidden pieces", self.table())
            picture = plot.png(self.heads())
            tf.summary.image("heads", tf.image.decode_png(picture, channels=4)[None])
        self._writer.flush()

    def on_train_end(self, logs=None):
        self._writer.close()

    def table(self):
        """A Markdown table: a pair a row, what was hidden in it, and the model's guesses."""
        found = self.model(self.inputs, training=False)
        logits, follows = (
            ops.convert_to_numpy(found[name]) for name in ("masked_lm", "next_sentence")
        )
        rows = ["|pair|hidden|guesses|follows (probability)|", "|---|---|---|---|"]
        for row, ids in enumerate(self.inputs["token_ids"]):
            hidden = np.flatnonzero(self.weights["masked_lm"][row])
            truth = [self.names.pieces[index] for index in self.labels["masked_lm"][row][hidden]]
            best = np.argsort(-logits[row][hidden], axis=-1, kind="stable")[:, :GUESSES]
            guesses = [" ".join(self.names.pieces[index] for index in ranked) for ranked in best]
            is_next = self.labels["next_sentence"][row] == 0
            chance = 1 / (1 + np.exp(follows[row, 1] - follows[row, 0]))
            cells = (
                " ".join(self.pieces(ids)),
                " / ".join(truth),
                " / ".join(guesses),
                f"{'yes' if is_next else 'no'} ({chance:.2f})",
            )
            rows.append("|" + "|".join(map(plain, cells)) + "|")
        return "\n".join(rows)

    def heads(self):
        """`Figure` of the attention of the last layer's heads to the drawn pair."""
        row = slice(self.drawn, self.drawn + 1)
        read = {name: self.inputs[name][row] for name in ("token_ids", "segment_ids")}
        pieces = self.pieces(read["token_ids"][0])
        size = len(pieces)
        weights = ops.convert_to_numpy(self.model.encoder.attention_weights(read)[-1])
        number = self.model.encoder.config["num_layers"]
        title = f"attention of each piece to each, layer {number} of {number}"
        return plot.heads(weights[0, :, :size, :size], pieces, pieces, title=title)

    def pieces(self, ids):
        """The pieces of a row without its padding."""
        return [self.names.pieces[index] for index in ids if index]
