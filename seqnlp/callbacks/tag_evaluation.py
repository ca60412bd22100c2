"""Decoding a tagger's validation split, and its scores."""

import keras
import numpy as np

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
