"""Losses of sequence models, as means that padding and replicas do not shift."""

import keras
from keras import ops

NORMALIZATIONS = ("tokens", "sentences")


class _Mean(keras.losses.Loss):
    """Weighted mean of values that are losses already."""

    def __init__(self):
        super().__init__(name="mean", reduction="mean_with_sample_weight", dtype="float32")

    def call(self, y_true, y_pred):
        return y_pred


def mean_sequence_loss(losses, mask, sample_weight=None, normalize="tokens"):
    """The mean of losses that are sums over time.

    Args:
        losses: Float tensor `(batch,)`, one loss a sentence, in nats.
        mask: Bool tensor `(batch, time)`, True at real tokens.
        sample_weight: Weight of each sentence `(batch,)`, or None. A sentence of weight zero,
            or without real tokens, changes neither loss nor gradient.
        normalize: "tokens" for the mean of a token, "sentences" for that of a sentence.

    Returns:
        Scalar float32 tensor.

    Raises:
        ValueError: `normalize` is neither, or `sample_weight` has another shape.
    """
    if normalize not in NORMALIZATIONS:
        raise ValueError(
            f"`normalize` must be one of {NORMALIZATIONS}. Received: normalize={normalize!r}"
        )
    length = ops.sum(ops.cast(mask, "float32"), axis=1)
    weight = ops.cast(length > 0, "float32")
    if normalize == "tokens":
        losses, weight = losses / ops.maximum(length, 1), length
    if sample_weight is not None:
        if tuple(sample_weight.shape[1:]) not in ((), (1,)):
            raise ValueError(
                "`sample_weight` must have shape (batch,), a weight a sentence. "
                f"Received: sample_weight.shape={tuple(sample_weight.shape)}"
            )
        weight = weight * ops.reshape(ops.cast(sample_weight, "float32"), ops.shape(weight))
    return _Mean()(ops.zeros_like(losses), losses, weight)


def additional_loss(losses):
    """The sum of scalar losses such as regularizers, which replicas share as they share a mean."""
    total = ops.reshape(sum(losses, ops.zeros((), dtype="float32")), (1,))
    return _Mean()(ops.zeros_like(total), total)


@keras.saving.register_keras_serializable(package="seqnlp")
class SequenceCrossEntropy(keras.losses.Loss):
    """Cross entropy of sequences of tokens, the negative log likelihood of the labels.

    With `label_smoothing` e a token's loss is that of a distribution which gives e to all
    tokens alike and the rest to the label:

        loss[t] = -(1 - e) log p[t, label[t]] - e / vocabulary sum_v log p[t, v]

    Args:
        label_smoothing: Share e, in [0, 1).
        normalize: "tokens" for the mean of a token, "sentences" for that of a sentence.
        reduction: Keras' own default alone, as `normalize` says what the mean is of.

    Call arguments:
        y_true: Int tensor `(batch, time)`, the labels; 0 is padding, which counts for nothing.
        y_pred: Float tensor `(batch, time, vocabulary)`, logits.
        sample_weight: Weight of each sentence `(batch,)`, or None.

    Returns:
        Scalar float32 tensor, in nats.

    Raises:
        ValueError: An argument is out of range.

    Reference: https://arxiv.org/abs/1512.00567, section 7
    """

    def __init__(
        self,
        label_smoothing=0.0,
        normalize="tokens",
        name="sequence_cross_entropy",
        reduction="sum_over_batch_size",
    ):
        super().__init__(name=name)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}"
            )
        if normalize not in NORMALIZATIONS:
            raise ValueError(
                f"`normalize` must be one of {NORMALIZATIONS}. Received: normalize={normalize!r}"
            )
        if reduction != self.reduction:
            raise ValueError(
                f"`reduction` must be {self.reduction!r}: `normalize` says what the mean is of. "
                f"Received: reduction={reduction!r}"
            )
        self.label_smoothing = label_smoothing
        self.normalize = normalize

    def __call__(self, y_true, y_pred, sample_weight=None):
        return mean_sequence_loss(
            self.call(y_true, y_pred), y_true != 0, sample_weight, self.normalize
        )

    def call(self, y_true, y_pred):
        """The losses of sentences, `(batch,)`."""
        labels = ops.cast(y_true, "int32")
        losses = token_cross_entropy(labels, y_pred, self.label_smoothing)
        return ops.sum(ops.where(labels != 0, losses, 0.0), axis=1)

    def get_config(self):
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "normalize": self.normalize,
        }


def token_cross_entropy(labels, logits, label_smoothing=0.0):
    """The loss of each token, see `SequenceCrossEntropy`.

    Args:
        labels: Int32 tensor `(batch, time)`.
        logits: Float tensor `(batch, time, vocabulary)`.
        label_smoothing: Share of the loss that all tokens have alike.

    Returns:
        Float32 tensor `(batch, time)`, in nats.
    """
    vocabulary = logits.shape[-1]
    shared = label_smoothing / vocabulary

    # The gradient by hand needs no second pass over what the vocabulary makes large.
    @ops.custom_gradient
    def run(logits):
        scores = ops.cast(logits, "float32")
        log_norm = ops.logsumexp(scores, axis=-1)
        of_label = ops.take_along_axis(scores, labels[..., None], axis=-1)[..., 0]
        losses = log_norm - (1 - label_smoothing) * of_label
        if label_smoothing:
            losses = losses - shared * ops.sum(scores, axis=-1)

        def gradient(upstream):
            is_label = labels[..., None] == ops.arange(vocabulary, dtype="int32")
            expected = (1 - label_smoothing) * ops.cast(is_label, "float32") + shared
            slopes = ops.exp(scores - log_norm[..., None]) - expected
            return ops.cast(upstream[..., None] * slopes, logits.dtype)

        return losses, gradient

    return run(logits)
