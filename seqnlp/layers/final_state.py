"""What a decoder without attention looks at: the end of the source, at every step."""

import keras
from keras import ops

from seqnlp.layers.attention import Attention
from seqnlp.layers.masking import first_and_last


@keras.saving.register_keras_serializable(package="seqnlp")
class FinalState(Attention):
    """All the weight on the last real token, whatever the query: the context of Cho et al.

    There the summary of the source, which is the encoder's state after its last token, enters
    every step of the decoder:

        decoder = RNNDecoder(1000, "gru", attention=FinalState())

    With an encoder of both directions it is the forward state after the last token, and the
    backward one at it. Calls and results are those of `Attention`, with alignment="softmax".

    Raises:
        ValueError: `alignment` is another, which would move the weight or take some of it away.

    Reference: https://arxiv.org/abs/1406.1078, section 2.2
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self.alignment != "softmax":
            raise ValueError(
                "`alignment` must be 'softmax' where all the weight is on the last token. "
                f"Received: alignment={self.alignment!r}"
            )

    def build_scores(self, query_shape, value_shape):
        pass

    def memory(self, value, value_mask=None):
        memory = super().memory(value, value_mask)
        _, last = first_and_last(memory["mask"])
        return {**memory, "mask": last}

    def keys(self, value):
        return value[..., :1]

    def scores(self, query, keys):
        zeros = ops.zeros_like(query[..., :1])
        return ops.matmul(zeros, ops.transpose(ops.zeros_like(keys), (0, 2, 1)))
