"""Training of models that end in a tagging head: a CRF, or a softmax over tags."""

import keras
from keras import ops

from seqnlp.layers import SentenceSoftmax
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

    With a `seqnlp.layers.SentenceSoftmax` among the layers, and its outputs among the model's,
    the model also labels whole sentences. Its labels are then a dict of `tags` and of `label`
    int `(batch,)`; its loss is that of the tags plus `weight` times the negative log likelihood
    of the label, in nats a sentence; metrics are a dict too:
    `compile("adam", metrics={"tags": TokenAccuracy(), "label": keras.metrics.Accuracy()})`.
    """

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y, mask = self._targets(y), y_pred["mask"]
        weights = _for_each(y, sample_weight)
        losses = self.head_layer().negative_log_likelihood(y["tags"], y_pred)
        loss = mean_sequence_loss(losses, mask, weights["tags"])
        if "label" in y:
            layer = self.label_layer()
            losses = layer.negative_log_likelihood(y["label"], y_pred)
            loss += layer.weight * mean_sequence_loss(losses, mask, weights["label"], "sentences")
        return loss + additional_loss(self.losses) if self.losses else loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        y = self._targets(y)
        y["tags"] = ops.where(y_pred["mask"], certain_tags(y["tags"]), -1)
        found = {name: y_pred[name] for name in y}
        weights = None if sample_weight is None else _for_each(y, sample_weight)
        if "label" not in y:
            y, found, weights = (given and given["tags"] for given in (y, found, weights))
        return super().compute_metrics(x, y, found, sample_weight=weights)

    def _targets(self, y):
        """`y` as a dict of `tags` and, where the model has use for it, of `label`."""
        given = dict(y) if isinstance(y, dict) else {"tags": y}
        names = ["tags"] if self.label_layer() is None else ["tags", "label"]
        missing = [name for name in names if name not in given]
        if missing:
            raise ValueError(
                f"`y` must be a dict of {' and '.join(names)}, as the model has a layer for each. "
                f"Received: y without {' and '.join(missing)}"
            )
        return {name: given[name] for name in names}

    def marginals(self, outputs):
        """Probability of each tag at each token, `(batch, time, tags)`, from a call's dict.

        Raises:
            ValueError: As `head_layer`.
        """
        return self.head_layer().marginals(outputs)

    def head_layer(self):
        """The model's `TaggingHead`; a `ValueError` where it has none."""
        head = self._first(TaggingHead)
        if head is None:
            raise ValueError(
                "`layers` must hold what ends a tagging model, such as CRF or TokenSoftmax. "
                f"Received: layers={[type(layer).__name__ for layer in self.layers]}"
            )
        return head

    def label_layer(self):
        """The model's `SentenceSoftmax`, or None."""
        return self._first(SentenceSoftmax)

    def _first(self, kind):
        return next((layer for layer in self.layers if isinstance(layer, kind)), None)


def _for_each(y, sample_weight):
    """Keras gives the weights of sentences as one array, or as a dict like the labels."""
    if not isinstance(sample_weight, dict):
        return dict.fromkeys(y, sample_weight)
    missing = [name for name in y if name not in sample_weight]
    if missing:
        raise ValueError(
            f"`sample_weight` must be an array or a dict of {' and '.join(y)}. "
            f"Received: sample_weight without {' and '.join(missing)}"
        )
    return {name: sample_weight[name] for name in y}


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
    `TokenSoftmax` say, can take the place of the `CRF`, and a `SentenceSoftmax` stand beside it:
    `CRFModel(words, {**CRF(9)(potentials), **SentenceSoftmax(7)(vectors)})`.
    """
