"""The signatures of models that tell labels or numbers of texts."""

import tensorflow as tf

from seqnlp.export.text_vectors import text_vectors


def classification_signatures(model, text, labels=None, pairs=False):
    """The signatures of a classifier of texts, or of a model that tells a number of them.

    | name | in | out |
    |---|---|---|
    | `serving_default` | `text` string `(batch,)` | `label` string `(batch,)`, `label_scores`
    float32 and `label_names` string `(batch, labels)`; of numbers `value` float32 `(batch,)` |
    | `embeddings` | `text` | `pooled`, `mean` float32 `(batch, units)` |

    Those of pairs also take `text2` string `(batch,)`. All give `truncated` bool `(batch,)`, True
    where the model did not see all of a text. Scores are probabilities; `pooled` is what BERT says
    of the first token, `mean` the mean of the states of all tokens, the specials among them.

    Args:
        model: `seqnlp.models.BERTClassifier`, or a `BERTRegressor`.
        text: `seqnlp.text.BERTText`.
        labels: List of the names of the classes, or None for a `BERTRegressor`.
        pairs: Whether the model tells labels of two texts.

    Returns:
        Dict for `saved_model`.

    Raises:
        ValueError: There are not as many labels as the model has classes.
    """
    number = getattr(model, "num_classes", None)
    if number != (None if labels is None else len(labels)):
        raise ValueError(
            f"`labels` must be {'None' if number is None else f'{number} names'}, as the model "
            f"{'tells a number' if number is None else 'has so many classes'}. "
            f"Received: labels={labels}"
        )
    served = _ServedClassifier(model, text, labels)
    names = ("text", "text2") if pairs else ("text",)
    specs = [tf.TensorSpec([None], tf.string, name=name) for name in names]
    return {"serving_default": (served.answer, specs), "embeddings": (served.embed, specs)}


class _ServedClassifier:
    """The signatures of a classifier."""

    def __init__(self, model, text, labels):
        self.model = model
        self.text = text
        self.labels = None if labels is None else tf.constant(labels)

    def read(self, text, text2):
        """What the model reads, and what was cut off."""
        if text2 is None:
            return self.text.inputs(text)
        same = tf.debugging.assert_equal(
            tf.size(text), tf.size(text2), "`text2` must have a text for each of `text`"
        )
        with tf.control_dependencies([] if same is None else [same]):
            return self.text.inputs(tf.identity(text), text2)

    def answer(self, text, text2=None):
        inputs, truncated = self.read(text, text2)
        outputs = self.model(inputs, training=False)
        if self.labels is None:
            return {"value": outputs, "truncated": truncated}
        scores = tf.nn.softmax(outputs)
        return {
            "label": tf.gather(self.labels, tf.argmax(outputs, axis=-1)),
            "label_scores": scores,
            "label_names": tf.broadcast_to(self.labels[None], tf.shape(scores)),
            "truncated": truncated,
        }

    def embed(self, text, text2=None):
        inputs, truncated = self.read(text, text2)
        return {**text_vectors(self.model.encoder, inputs), "truncated": truncated}
