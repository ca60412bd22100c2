"""Callbacks for `fit`: decoding the validation split, the best model, pictures for TensorBoard."""

import html
import json
import os
import re

import keras
import numpy as np
from keras import ops

from seqnlp import plot
from seqnlp.metrics import span_scores


def decode(model, batches):
    """The tags of every sentence of some batches, and the sentences' labels.

    Args:
        model: A model whose outputs are a dict with `tags` and `mask`, and with `label` if it
            labels sentences.
        batches: Iterable of `(inputs, tags, sample_weight)`, as `tagging_batches` gives them;
            rows of weight 0 are left out.

    Returns:
        `(true, predicted, labels)`: two lists with an int array of tag ids for each sentence,
        and a list of its pairs of true and predicted label ids, empty where there are none.
    """
    true, predicted, labels = [], [], []
    for inputs, y, weight in batches:
        outputs = model.predict_on_batch(inputs)
        tags = y["tags"] if isinstance(y, dict) else y
        counts, mask = np.asarray(weight) > 0, outputs["mask"]
        for row, guess, real in zip(
            np.asarray(tags)[counts], outputs["tags"][counts], mask[counts], strict=True
        ):
            true.append(row[real])
            predicted.append(guess[real])
        if isinstance(y, dict) and "label" in outputs:
            pairs = np.stack([np.asarray(y["label"]), outputs["label"]], axis=1)
            labels += map(tuple, pairs[counts].tolist())
    return true, predicted, labels


def tag_scores(true, predicted, encoding):
    """Scores of predicted tags.

    Args:
        true: List of sentences, each a list of tag names.
        predicted: The same for the predictions.
        encoding: One of `seqnlp.tag_schemes.ENCODINGS`.

    Returns:
        Dict of `token_accuracy`, and of micro `precision`, `recall` and `f1` where tags mark
        spans.
    """
    pairs = [
        pair for rows in zip(true, predicted, strict=True) for pair in zip(*rows, strict=True)
    ]
    scores = {"token_accuracy": sum(a == b for a, b in pairs) / max(1, len(pairs))}
    if encoding != "none":
        micro = span_scores(true, predicted, encoding=encoding)["micro"]
        scores |= {name: micro[name] for name in ("precision", "recall", "f1")}
    return scores


def joint_scores(true, predicted, labels, encoding):
    """Scores of predicted tags and of the labels of their sentences.

    Args:
        true: List of sentences, each a list of tag names.
        predicted: The same for the predictions.
        labels: List of pairs, the true and the predicted label of each sentence.
        encoding: One of `seqnlp.tag_schemes.ENCODINGS`.

    Returns:
        The dict of `tag_scores`, with `label_accuracy`, the share of right labels;
        `exact_match`, the share of sentences whose tags and label are all right; and
        `joint_score`, the mean of `label_accuracy` and of `f1`, or of `token_accuracy` where
        tags mark no spans.
    """
    scores = tag_scores(true, predicted, encoding)
    right = [label == guess for label, guess in labels]
    rows = zip(true, predicted, right, strict=True)
    exact = sum(list(a) == list(b) and label for a, b, label in rows)
    number = max(1, len(right))
    accuracy = sum(right) / number
    return {
        **scores,
        "label_accuracy": accuracy,
        "exact_match": exact / number,
        "joint_score": (accuracy + scores.get("f1", scores["token_accuracy"])) / 2,
    }


class TagEvaluation(keras.callbacks.Callback):
    """Decodes the validation split after each epoch and adds its scores to the logs.

    The logs gain `val_token_accuracy` and, where tags mark spans, `val_precision`, `val_recall`
    and `val_f1`; where sentences have labels, `val_label_accuracy`, `val_exact_match` and
    `val_joint_score`. Place it before callbacks that read them.

    Args:
        batches: Iterable of `(inputs, tags, sample_weight)`.
        tags: Names of the tags.
        encoding: One of `seqnlp.tag_schemes.ENCODINGS`.
    """

    def __init__(self, batches, tags, encoding="none"):
        super().__init__()
        self.batches = batches
        self.tags = tags
        self.encoding = encoding

    def on_epoch_end(self, epoch, logs=None):
        *sides, labels = decode(self.model, self.batches)
        named = [[[self.tags[tag] for tag in row] for row in side] for side in sides]
        if labels:
            scores = joint_scores(*named, labels, self.encoding)
        else:
            scores = tag_scores(*named, self.encoding)
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in scores.items()})


class KeepBest(keras.callbacks.Callback):
    """Saves the model of the best epoch so far, and a history that survives interruption.

    The file is replaced in one step, so that it holds a whole model at any moment. With
    `patience`, training ends after that many epochs without a better one.

    Args:
        path: The `.keras` file.
        monitor: Name of the log to watch; greater is better.
        history: JSON file with the logs of every epoch.
        patience: Epochs to wait for a better one, or None.
    """

    def __init__(self, path, monitor, history, patience=None):
        super().__init__()
        self.path = str(path)
        self.monitor = monitor
        self.history = str(history)
        self.patience = patience
        self.epochs = []

    def resume(self, epoch):
        """Takes over the history of the `epoch` epochs that an interrupted run finished."""
        with open(self.history, encoding="utf-8") as file:
            self.epochs = json.load(file)[:epoch]

    @property
    def best_epoch(self):
        """Index of the best epoch so far, or None."""
        values = [epoch[self.monitor] for epoch in self.epochs]
        worst = -np.inf  # a score that is not a number beats nothing
        return int(np.argmax(np.nan_to_num(values, nan=worst, neginf=worst))) if values else None

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor not in logs:
            raise ValueError(
                f"`monitor` must be one of the logs {', '.join(sorted(logs))}. "
                f"Received: monitor={self.monitor!r}"
            )
        self.epochs.append({name: float(value) for name, value in logs.items()})
        if self.best_epoch == epoch:
            _replace(self.path, self.model.save, suffix=".keras")
        _replace(self.history, self._write_history)
        if self.patience is not None and epoch - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def _write_history(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.epochs, file, indent=1)


class Backup(keras.callbacks.Callback):
    """Saves weights and optimizer state after each epoch, to go on from after an interruption.

    Unlike `keras.callbacks.BackupAndRestore`, a kill at any moment leaves a whole backup: a file
    carries its epoch in its name and appears under that name when it is complete.

        backup = Backup("backup")
        model.fit(..., initial_epoch=backup.restore(model), callbacks=[backup])

    Args:
        folder: Folder of the backup; made if need be.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = str(folder)

    def _paths(self):
        """Paths of the backups by number of finished epochs."""
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        matches = (re.fullmatch(r"epoch-(\d+)\.weights\.h5", name) for name in names)
        return {int(match[1]): os.path.join(self.folder, match[0]) for match in matches if match}

    def restore(self, model):
        """Loads the newest backup into a built and compiled model.

        Returns:
            The number of epochs it has behind it; 0 where there is no backup.
        """
        paths = self._paths()
        epoch = max(paths, default=0)
        if epoch:
            model.optimizer.build(model.trainable_variables)
            model.load_weights(paths[epoch])
        return epoch

    def on_epoch_end(self, epoch, logs=None):
        os.makedirs(self.folder, exist_ok=True)
        before = self._paths()
        path = os.path.join(self.folder, f"epoch-{epoch + 1}.weights.h5")
        _replace(path, self.model.save_weights, suffix=".weights.h5")
        for number, old in before.items():
            if number != epoch + 1:
                os.remove(old)


def _replace(path, write, suffix=""):
    """Writes a file beside `path`, then puts it in its place."""
    partial = f"{path}.partial{suffix}"
    try:
        write(partial)
        os.replace(partial, path)
    except OSError as error:
        if os.path.exists(partial):
            os.remove(partial)
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error


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
                zip(map(_plain, tokens), map(_plain, true), map(_plain, guess), strict=True)
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


def _plain(text):
    """Text that neither Markdown nor HTML takes for markup."""
    escaped = html.escape(text)
    return "".join(f"&#{ord(letter)};" if letter in "|*_`\\[]#" else letter for letter in escaped)
