"""Training of models that end in a tagging head: a CRF, or a softmax over tags."""

import keras
from keras import ops

from seqnlp.layers.heads import TaggingHead, certain_tags
from seqnlp.losses import additional_loss, mean_sequence_loss


class SequenceTagging:
    """Loss and metrics of a `keras.Model` whose output is that of a tagging head.

    The head is the one among the model's layers: `seqnlp.layers.CRF`, `TokenSoftmax` or another
    child of `seqnlp.layers.heads.TaggingHead`. Labels are int `(batch, time)`, weights
    `(batch,)`. The loss is the head's negative log likelihood, in nats a token. Metrics see the
    tags, with -1 as label at padding: `TokenAccuracy` leaves it out. Labels may be partial, bool
    `(batch, time, tags)`: each token has one of its tags that are True. Metrics then see the
    tokens with a single one, and -1 at the others.
    """

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        losses = self.head_layer().negative_log_likelihood(y, y_pred)
        loss = mean_sequence_loss(losses, y_pred["mask"], sample_weight)
        return loss + additional_loss(self.losses) if self.losses else loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        y = ops.where(y_pred["mask"], certain_tags(y), -1)
        return super().compute_metrics(x, y, y_pred["tags"], sample_weight=sample_weight)

    def marginals(self, outputs):
        """Probability of each tag at each token, `(batch, time, tags)`, from a call's dict."""
        return self.head_layer().marginals(outputs)

    def head_layer(self):
        """The model's `TaggingHead`; a `ValueError` where it has none."""
        for layer in self.layers:
            if isinstance(layer, TaggingHead):
                return layer
        raise ValueError(
            "`layers` must hold what ends a tagging model, such as CRF or TokenSoftmax. "
            f"Received: layers={[type(layer).__name__ for layer in self.layers]}"
        )


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

    `predict` gives a dict with `tags` `(batch, time)`, `potentials` and `mask`. Another head,
    `TokenSoftmax` say, can take the place of the `CRF`.
    """
