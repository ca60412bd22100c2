"""The BiLSTM-CRF tagger and its relatives."""

import keras
from keras import ops

from seqnlp.layers import CRF, CharCNN, CharLSTM, RNNEncoder, crf_marginals
from seqnlp.models.crf_model import SequenceTagging

CHAR_ENCODERS = ("cnn", "lstm")
HEADS = ("crf", "softmax")


@keras.saving.register_keras_serializable(package="seqnlp")
class Tagger(SequenceTagging, keras.Model):
    """Tags every token of a sentence: word and character vectors, recurrence, CRF or softmax.

    Train it with `compile(optimizer)` and `fit(inputs, tag_ids)`: the loss is built in.

    Args:
        vocabulary_size: Number of word ids; 0 is padding, 1 the unknown word.
        num_tags: Number of tags.
        char_vocabulary_size: Number of character ids; needed by a character encoder.
        word_units: Width of a word's vector.
        char_encoder: None, "cnn" (Ma & Hovy) or "lstm" (Lample et al.).
        cell: "lstm", "gru" or "vanilla".
        units: Width of one direction of the recurrent layers.
        num_layers: Number of recurrent layers.
        head: "crf", or "softmax" that decides each token on its own.
        dropout: Share dropped of the inputs of every recurrent layer, the same at every step, of
            the outputs of the last, and of the character vectors of "cnn".
        allowed_transitions: Constraint of the CRF, see `seqnlp.layers.CRF`.
        char_encoder_units: Filters of "cnn", or width of one direction of "lstm"; None is the
            width of its paper, 30 and 25.

    Call arguments:
        inputs: Dict of `word_ids` int `(batch, time)` and, with a character encoder, `char_ids`
            int `(batch, time, chars)`; 0 is padding in both.

    Returns:
        Dict of `tags` int32 `(batch, time)`, `potentials` float32 `(batch, time, num_tags)`, and
        `mask` bool `(batch, time)`.

    Reference: https://arxiv.org/abs/1603.01360; https://arxiv.org/abs/1603.01354
    """

    def __init__(
        self,
        vocabulary_size,
        num_tags,
        char_vocabulary_size=None,
        word_units=100,
        char_encoder=None,
        cell="lstm",
        units=200,
        num_layers=1,
        head="crf",
        dropout=0.5,
        allowed_transitions=None,
        char_encoder_units=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check_sizes(vocabulary_size=vocabulary_size, num_tags=num_tags, word_units=word_units)
        _check_characters(char_encoder, char_vocabulary_size)
        _check_head(head, allowed_transitions)
        self.config = {
            "vocabulary_size": vocabulary_size,
            "num_tags": num_tags,
            "char_vocabulary_size": char_vocabulary_size,
            "word_units": word_units,
            "char_encoder": char_encoder,
            "cell": cell,
            "units": units,
            "num_layers": num_layers,
            "head": head,
            "dropout": dropout,
            "char_encoder_units": char_encoder_units,
        }
        policy = {"dtype": self.dtype_policy}
        self.word_embedding = keras.layers.Embedding(vocabulary_size, word_units, **policy)
        self.char_encoder = None
        if char_encoder == "cnn":
            filters = 30 if char_encoder_units is None else char_encoder_units
            sizes = {"filters": filters, "dropout": dropout}
            self.char_encoder = CharCNN(char_vocabulary_size, **sizes, **policy)
        elif char_encoder == "lstm":
            width = 25 if char_encoder_units is None else char_encoder_units
            self.char_encoder = CharLSTM(char_vocabulary_size, units=width, **policy)
        self.encoder = RNNEncoder(units, cell, num_layers, dropout=dropout, **policy)
        self.output_dropout = keras.layers.Dropout(dropout, **policy)
        self.potentials = keras.layers.Dense(num_tags, **policy)
        self.crf = None
        if head == "crf":
            self.crf = CRF(num_tags, allowed_transitions)
            self.config["allowed_transitions"] = self.crf.allowed_transitions

    def build(self, inputs_shape):
        batch_time = inputs_shape["word_ids"]
        self.word_embedding.build(batch_time)
        features = self.config["word_units"]
        if self.char_encoder is not None:
            self.char_encoder.build(inputs_shape["char_ids"])
            features += self.char_encoder.compute_output_shape(inputs_shape["char_ids"])[-1]
        self.encoder.build((*batch_time, features))
        self.potentials.build((*batch_time, 2 * self.config["units"]))
        if self.crf is not None:
            self.crf.build((*batch_time, self.config["num_tags"]))

    def call(self, inputs, training=None):
        word_ids = inputs["word_ids"]
        mask = word_ids != 0
        vectors = self.word_embedding(word_ids)  # (batch, time, word_units)
        if self.char_encoder is not None:
            spelled = self.char_encoder(inputs["char_ids"], training=training)
            vectors = ops.concatenate([vectors, spelled], axis=-1)
        states, _ = self.encoder(vectors, mask=mask, training=training)
        states = self.output_dropout(states, training=training)
        potentials = self.potentials(states)  # (batch, time, tags)
        if self.crf is not None:
            return self.crf(potentials, mask=mask)
        potentials = ops.cast(potentials, "float32")
        tags = ops.where(mask, ops.cast(ops.argmax(potentials, axis=-1), "int32"), 0)
        return {"tags": tags, "potentials": potentials, "mask": mask}

    def marginals(self, outputs):
        """Probability of each tag at each token, `(batch, time, num_tags)`, from a call's dict."""
        if self.crf is not None:
            return crf_marginals(outputs["potentials"], outputs["mask"], *self.crf.scores())
        probabilities = ops.softmax(outputs["potentials"], axis=-1)
        return ops.where(outputs["mask"][..., None], probabilities, 0.0)

    def get_config(self):
        return {**super().get_config(), **self.config}


def _check_sizes(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={size}")


def _check_characters(char_encoder, char_vocabulary_size):
    if char_encoder is None:
        return
    if char_encoder not in CHAR_ENCODERS:
        raise ValueError(
            "`char_encoder` must be None, 'cnn' or 'lstm'. "
            f"Received: char_encoder={char_encoder!r}"
        )
    if char_vocabulary_size is None:
        raise ValueError(
            f"`char_vocabulary_size` must be a number with char_encoder={char_encoder!r}. "
            "Received: char_vocabulary_size=None"
        )


def _check_head(head, allowed_transitions):
    if head not in HEADS:
        raise ValueError(f"`head` must be one of {HEADS}. Received: head={head!r}")
    if head != "crf" and allowed_transitions is not None:
        raise ValueError(
            f"`allowed_transitions` must be None with head={head!r}, which cannot keep them. "
            f"Received: allowed_transitions={allowed_transitions}"
        )
