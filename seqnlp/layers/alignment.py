"""From scores to attention weights."""

import keras
from keras import ops

from seqnlp.layers.masking import masked_softmax


class Softmax(keras.layers.Layer):
    """Weights are the softmax of the scores over all real tokens of the source."""

    def __init__(self, alignment="softmax", **kwargs):
        super().__init__(**kwargs)
        self.alignment = alignment

    def build(self, query_shape):
        self.built = True

    def memory(self, mask):
        """What `weights` needs of a batch of sentences, beside the mask: a dict of tensors."""
        return {}

    def weights(self, scores, query, memory, previous, position, training):
        """Float32 weights `(batch, queries, source)`, of each query by itself."""
        return masked_softmax(scores, memory["mask"][:, None])

    def all_weights(self, scores, query, memory, query_mask, training):
        """Float32 weights `(batch, queries, source)`, where queries are steps in their order."""
        if query_mask is None:
            position = ops.arange(ops.shape(scores)[1], dtype="int32")
        else:
            position = ops.cumsum(ops.cast(query_mask, "int32"), axis=1) - 1
        return self.weights(scores, query, memory, None, position, training)


ALIGNMENTS = {"softmax": Softmax}


def aligner(alignment, **kwargs):
    """The layer from scores to weights that has this name."""
    if alignment not in ALIGNMENTS:
        raise ValueError(
            f"`alignment` must be one of {tuple(ALIGNMENTS)}. Received: alignment={alignment!r}"
        )
    return ALIGNMENTS[alignment](alignment, **kwargs)
