"""Training of models that end in a CRF or in a softmax over tags."""

import keras
from keras import ops

from seqnlp.layers import CRF
from seqnlp.losses import additional_loss, crf_loss, mean_sequence_loss, softmax_loss


class SequenceTagging:
    """Loss and metrics of a `keras.Model` whose output is a dict of tags, potentials and mask.

    Labels are int `(batch, time)`, weights `(batch,)`. The loss is the negative log likelihood,
    in nats a token: under the model's `CRF` layer, or under a softmax where there is none.
    Metrics see the tags, with -1 as label at padding: `TokenAccuracy` leaves it out.
    """

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        mask, potentials = y_pred["mask"], y_pred["potentials"]
        crf = self.crf_layer()
        if crf is None:
            losses = softmax_loss(y, potentials, mask)
        else:
            losses = crf_loss(y, potentials, mask, crf.scores())
        loss = mean_sequence_loss(losses, mask, sample_weight)
        return loss + additional_loss(self.losses) if self.losses else loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        y = ops.where(y_pred["mask"], ops.cast(y, "int32"), -1)
        return super().compute_metrics(x, y, y_pred["tags"], sample_weight=sample_weight)

    def crf_layer(self):
        """The model's `CRF` layer, or None."""
        return next((layer for layer in self.layers if isinstance(layer, CRF)), None)


@keras.saving.register_keras_serializable(package="seqnlp")
class CRFModel(SequenceTagging, keras.Model):
    """A functional model whose output is that of a `CRF` layer, trained by its likelihood.

    Use it in place of `keras.Model`, and compile it without a loss:

        words = keras.Input((None,), dtype="int32")
        vectors = keras.layers.Embedding(10_000, 100, mask_zero=True)(words)
        potentials = keras.layers.Dense(9)(vectors)
        model = CRFModel(words, CRF(9)(potentials))
        model.compile("adam", metrics=[TokenAccuracy()])
        model.fit(word_ids, tag_ids)

    `predict` gives a dict with `tags` `(batch, time)`, `potentials` and `mask`.
    """
