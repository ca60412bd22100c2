"""The label of a whole sentence, such as its intent, from the states of its tokens."""

import keras
import numpy as np
from keras import ops

from seqnlp.layers.crf_inputs import readable
from seqnlp.layers.heads import label_losses
from seqnlp.layers.pooling import MeanPooling


@keras.saving.register_keras_serializable(package="seqnlp")
class SentenceSoftmax(keras.layers.Layer):
    """Pools the states of a sentence and decides its label by a softmax.

    Beside a tagging head it makes a model of two tasks that share their encoder, as intent
    detection and slot filling do: give its outputs in the same dict, or give it to a `Tagger`.

    Args:
        num_labels: Number of labels.
        pooling: Layer from `(states, mask=mask)` to `(batch, units)`, such as `MaxPooling()`;
            None is `MeanPooling()`, the paper's.
        weight: Weight of its loss, the mean of a sentence, beside that of the tags, the mean of
            a token: 0.1 weighs them as a sum over the tokens of a short sentence would.

    Call arguments:
        states: Float tensor `(batch, time, units)`.
        mask: Bool tensor `(batch, time)`, True at real tokens.

    Returns:
        Dict of `label` int32 `(batch,)`, the best ones, and `label_logits` float32
        `(batch, labels)`.

    Raises:
        ValueError: `num_labels` is below 2, or `weight` below 0.

    Reference: https://arxiv.org/abs/1609.01454, section 3.2
    """

    def __init__(self, num_labels, pooling=None, weight=0.3, **kwargs):
        super().__init__(**kwargs)
        if num_labels < 2:
            raise ValueError(f"`num_labels` must be at least 2. Received: num_labels={num_labels}")
        if weight < 0:
            raise ValueError(f"`weight` must be at least 0. Received: weight={weight}")
        self.num_labels = num_labels
        self.weight = weight
        self.pooling = MeanPooling(dtype=self.dtype_policy) if pooling is None else pooling
        self.scores = keras.layers.Dense(num_labels, dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, states_shape, mask_shape=None):
        if not self.pooling.built:
            self.pooling.build(states_shape)
        self.scores.build(self.pooling.compute_output_shape(states_shape))

    def call(self, states, mask=None):
        logits = ops.cast(self.scores(self.pooling(states, mask=mask)), "float32")
        label = ops.cast(ops.argmax(logits, axis=-1), "int32")
        return {"label": label, "label_logits": logits}

    def compute_mask(self, states, mask=None):
        return {"label": None, "label_logits": None}

    def negative_log_likelihood(self, labels, outputs):
        """Loss of each sentence, float32 `(batch,)`, in nats.

        Args:
            labels: Int tensor `(batch,)` or `(batch, 1)` of label ids.
            outputs: Dict of `label_logits`, as a call gives it.

        Raises:
            ValueError: An id is no label, where the ids can be read; in a traced function such
                a sentence has a loss of 1e9.
        """
        logits = outputs["label_logits"]
        labels = ops.reshape(ops.cast(labels, "int32"), (-1,))
        ids = readable(labels)
        wrong = [] if ids is None else np.flatnonzero((ids < 0) | (ids >= self.num_labels))
        if len(wrong):
            raise ValueError(
                f"`labels` must be ids from 0 to {self.num_labels - 1}. "
                f"Received: labels[{wrong[0]}]={ids[wrong[0]]}"
            )
        return label_losses(labels, logits)

    def get_config(self):
        return {
            **super().get_config(),
            "num_labels": self.num_labels,
            "pooling": keras.saving.serialize_keras_object(self.pooling),
            "weight": self.weight,
        }

    @classmethod
    def from_config(cls, config):
        pooling = keras.saving.deserialize_keras_object(config["pooling"])
        return cls(**{**config, "pooling": pooling})
