"""The tagger whose word vectors come from a BERT."""

import keras
from keras import ops

from seqnlp.models.bert import normal
from seqnlp.models.bert_heads import FineTuned
from seqnlp.models.crf_model import SequenceTagging
from seqnlp.models.tagger import build_once, check_heads


@keras.saving.register_keras_serializable(package="seqnlp")
class BERTTagger(SequenceTagging, FineTuned):
    """Tags every word of a sentence by the state of its first piece.

        states[t] = dropout(tokens[word_positions[t]])
        potentials[t] = W states[t] + b

        head = CRF(len(tags), allowed_transitions(tags, "bio"))
        model = BERTTagger(encoder, head)

    Train it with `compile(optimizer)` and `fit(inputs, tag_ids)`: the loss is the head's. The
    other pieces of a word are read by the encoder alone.

    A sentence that is too long for the encoder comes in parts of whole words, each of which the
    encoder reads on its own; the head decides on the tags of all of them together.

    Args:
        encoder: A `BERTEncoder`.
        head: What decides the tags: `seqnlp.layers.CRF(num_tags)`, or `TokenSoftmax(num_tags)`
            that decides each word on its own.
        label_head: `seqnlp.layers.SentenceSoftmax(num_labels)` to label whole sentences too; it
            reads the encoder's vector of a text, one of each part. None tags alone, and leaves
            the layer that makes this vector as it is.
        dropout: Share dropped of the vectors that the heads read.

    Call arguments:
        inputs: Dict of `token_ids` and `segment_ids` int `(batch, pieces)`, or `(batch, parts,
            pieces)` of sentences in parts, see `BERTEncoder`; and of `word_positions` int
            `(batch, words)`: the place of each word's first piece, counted through all the parts
            of its sentence, 0 where there is no word.

    Returns:
        Dict of `tags` int32 `(batch, words)`, `potentials` float32 `(batch, words, head.units)`,
        and `mask` bool `(batch, words)`; with a label head also `label` int32 `(batch,)` and
        `label_logits` float32 `(batch, labels)`.

    Raises:
        ValueError: `encoder`, `head` or `label_head` is no such layer.

    Reference: https://arxiv.org/abs/1810.04805, section 5.3
    """

    saved_layers = ("encoder", "head", "label_head")

    def __init__(self, encoder, head, label_head=None, dropout=0.1, **kwargs):
        super().__init__(encoder, dropout, **kwargs)
        check_heads(head, label_head)
        self.potentials = keras.layers.Dense(
            head.units, kernel_initializer=normal(), dtype=self.dtype_policy
        )
        self.head = head
        self.label_head = label_head
        encoder.pooler.trainable = label_head is not None

    def build(self, inputs_shape):
        *batch_parts, pieces = inputs_shape["token_ids"]
        self._build_encoder(dict.fromkeys(("token_ids", "segment_ids"), (None, pieces)))
        batch_words = tuple(inputs_shape["word_positions"])
        units = self.encoder.config["units"]
        self.potentials.build((*batch_words, units))
        build_once(self.head, (*batch_words, self.head.units))
        if self.label_head is not None:
            build_once(self.label_head, (batch_parts[0], None, units))

    def call(self, inputs, training=None):
        tokens, pooled, is_part = self._read_parts(inputs, training)
        positions = inputs["word_positions"]
        words = ops.take_along_axis(tokens, positions[..., None], axis=1)  # (batch, words, units)
        potentials = self.potentials(self.dropout(words, training=training))
        outputs = self.head(potentials, mask=positions != 0)
        if self.label_head is not None:
            pooled = self.dropout(pooled, training=training)
            outputs |= self.label_head(pooled, mask=is_part)
        return outputs

    def _read_parts(self, inputs, training):
        """States of the pieces and vectors of the parts of each sentence, and which parts are.

        Returns:
            `(batch, parts * pieces, units)`, `(batch, parts, units)` and bool `(batch, parts)`.
        """
        shape, units = ops.shape(inputs["token_ids"]), self.encoder.config["units"]
        batch, parts, pieces = shape if len(shape) == 3 else (shape[0], 1, shape[1])
        read = {
            name: ops.reshape(inputs[name], (batch * parts, pieces))
            for name in ("token_ids", "segment_ids")
        }
        found = self._encode(read, training)
        is_part = ops.any(ops.reshape(read["token_ids"] != 0, (batch, parts, pieces)), axis=-1)
        tokens = ops.reshape(found["tokens"], (batch, parts * pieces, units))
        return tokens, ops.reshape(found["pooled"], (batch, parts, units)), is_part

    @property
    def word_embedding(self):
        """The layer of the vectors that words begin as, here those of pieces."""
        return self.encoder.token_embedding
