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
