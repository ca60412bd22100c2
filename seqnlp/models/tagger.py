"""The BiLSTM-CRF tagger and its relatives."""

import keras
from keras import ops

from seqnlp.layers import RNNEncoder, SentenceSoftmax
from seqnlp.layers.heads import TaggingHead
from seqnlp.models.crf_model import SequenceTagging

_OPTIONAL = (keras.layers.Layer, type(None))
_LAYERS = ("head", "char_encoder", "label_head")


@keras.saving.register_keras_serializable(package="seqnlp")
class Tagger(SequenceTagging, keras.Model):
    """Tags every token of a sentence: word and character vectors, recurrence, a head.

        head = CRF(len(tags), allowed_transitions(tags, "bio"))
        model = Tagger(len(words), head, CharCNN(len(characters)))

    Train it with `compile(optimizer)` and `fit(inputs, tag_ids)`: the loss is the head's.

    Args:
        vocabulary_size: Number of word ids; 0 is padding, 1 the unknown word.
        head: What decides the tags: `seqnlp.layers.CRF(num_tags)`, or `TokenSoftmax(num_tags)`
            that decides each token on its own.
        char_encoder: Layer from `char_ids` to word vectors `(batch, time, features)`: `CharCNN`
            (Ma & Hovy), `CharLSTM` (Lample et al.); None reads whole words alone.
        word_units: Width of a word's vector.
        cell: "lstm", "gru" or "vanilla".
        units: Width of one direction of the recurrent layers.
        num_layers: Number of recurrent layers.
        dropout: Share dropped of the inputs of every recurrent layer, the same at every step,
            and of the outputs of the last. The character encoder has its own.
        label_head: `seqnlp.layers.SentenceSoftmax(num_labels)` to label whole sentences too, by
            their intent say; it reads what the tagging head reads. None tags alone.

    Call arguments:
        inputs: Dict of `word_ids` int `(batch, time)` and, with a character encoder, `char_ids`
            int `(batch, time, chars)`; 0 is padding in both. Instead of `char_ids` it may hold
            each spelling once: `spellings`, a sequence of int tensors `(words, chars)`, and
            `spelling_ids` int `(batch, time)`, rows of all of them, one after the other.

    Returns:
        Dict of `tags` int32 `(batch, time)`, `potentials` float32 `(batch, time, head.units)`,
        and `mask` bool `(batch, time)`; with a label head also `label` int32 `(batch,)` and
        `label_logits` float32 `(batch, labels)`.

    Raises:
        ValueError: A size is below 1, `head`, `char_encoder` or `label_head` is no such layer, or
            the recurrent layers refuse their arguments.

    Reference: https://arxiv.org/abs/1603.01360; https://arxiv.org/abs/1603.01354
    """

    def __init__(
        self,
        vocabulary_size,
        head,
        char_encoder=None,
        word_units=100,
        cell="lstm",
        units=200,
        num_layers=1,
        dropout=0.5,
        label_head=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, size in (("vocabulary_size", vocabulary_size), ("word_units", word_units)):
            if size < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}")
        check_heads(head, label_head)
        _check_layer("char_encoder", char_encoder, _OPTIONAL, "None or a layer")
        self.config = {
            "vocabulary_size": vocabulary_size,
            "word_units": word_units,
            "cell": cell,
            "units": units,
            "num_layers": num_layers,
            "dropout": dropout,
        }
        policy = {"dtype": self.dtype_policy}
        self.word_embedding = keras.layers.Embedding(vocabulary_size, word_units, **policy)
        self.char_encoder = char_encoder
        self.encoder = RNNEncoder(units, cell, num_layers, dropout=dropout, **policy)
        self.output_dropout = keras.layers.Dropout(dropout, **policy)
        self.potentials = keras.layers.Dense(head.units, **policy)
        self.head = head
        self.label_head = label_head

    def build(self, inputs_shape):
        batch_time = inputs_shape["word_ids"]
        self.word_embedding.build(batch_time)
        features = self.config["word_units"]
        if self.char_encoder is not None:
            chars = inputs_shape.get("char_ids", (*batch_time, None))
            build_once(self.char_encoder, chars)
            features += self.char_encoder.compute_output_shape(chars)[-1]
        self.encoder.build((*batch_time, features))
        states = (*batch_time, 2 * self.config["units"])
        self.potentials.build(states)
        build_once(self.head, (*batch_time, self.head.units))
        if self.label_head is not None:
            build_once(self.label_head, states)

    def call(self, inputs, training=None):
        word_ids = inputs["word_ids"]
        mask = word_ids != 0
        vectors = self.word_embedding(word_ids)  # (batch, time, word_units)
        if self.char_encoder is not None:
            vectors = ops.concatenate([vectors, self._spelled(inputs, training)], axis=-1)
        states, _ = self.encoder(vectors, mask=mask, training=training)
        states = self.output_dropout(states, training=training)
        outputs = self.head(self.potentials(states), mask=mask)
        if self.label_head is not None:
            outputs |= self.label_head(states, mask=mask)
        return outputs

    def _spelled(self, inputs, training):
        """Word vectors from characters, `(batch, time, features)`."""
        if "char_ids" in inputs:
            return self.char_encoder(inputs["char_ids"], training=training)
        rows = [self.char_encoder(ids[None], training=training)[0] for ids in inputs["spellings"]]
        return ops.take(ops.concatenate(rows, axis=0), inputs["spelling_ids"], axis=0)

    def get_config(self):
        serialized = {
            name: keras.saving.serialize_keras_object(getattr(self, name)) for name in _LAYERS
        }
        return {**super().get_config(), **self.config, **serialized}

    @classmethod
    def from_config(cls, config):
        layers = {name: keras.saving.deserialize_keras_object(config[name]) for name in _LAYERS}
        return cls(**{**config, **layers})


def build_once(layer, shape):
    """Makes the weights of a layer that has none; one that comes from a `.keras` file has."""
    if not layer.built:
        layer.build(shape)


def check_heads(head, label_head):
    """Raises a ValueError where a model's `head` or `label_head` is no such layer."""
    _check_layer("head", head, TaggingHead, "a tagging head such as CRF(num_tags)")
    kinds = (SentenceSoftmax, type(None))
    _check_layer("label_head", label_head, kinds, "None or a SentenceSoftmax")


def _check_layer(name, layer, kind, words):
    if not isinstance(layer, kind):
        raise ValueError(f"`{name}` must be {words}. Received: {name}={layer!r}")
