"""Translators without training, for the tests of their export."""

import numpy as np

from seqnlp.layers import BahdanauAttention, RNNDecoder, RNNEncoder
from seqnlp.models import ConvSeq2Seq, RNNSeq2Seq, TransformerSeq2Seq
from seqnlp.preprocessing import learn_sentence_piece
from seqnlp.text import SentencePiece, TranslationText
from seqnlp.text.names import END_ID

SOURCES = [
    "Two young men are standing in the street.",
    "A woman plays a song on her violin!",
    "The dog runs across the street, and the man runs after it.",
]
TARGETS = [
    "두 젊은 남자가 거리에 서 있다.",
    "한 여자가 바이올린으로 노래를 연주한다!",
    "개가 거리를 뛰어가고, 남자가 그 뒤를 뛰어간다.",
]
SOURCE_LENGTH = 24


def small_text(max_length=SOURCE_LENGTH):
    """Subwords of some sentences, those of each side apart."""
    sides = [
        SentencePiece(learn_sentence_piece(side, size, character_coverage=1))
        for side, size in ((SOURCES, 64), (TARGETS, 56))
    ]
    return TranslationText(*sides, max_length=max_length)


def _recurrent(sizes, attention):
    encoder = RNNEncoder(5, "gru", bidirectional=attention is not None)
    bridge = "tanh" if attention is None else "backward"
    decoder = RNNDecoder(6, "gru", attention=attention)
    return RNNSeq2Seq(*sizes, encoder, decoder, embedding_units=4, bridge=bridge)


FAMILIES = {
    "rnn": lambda sizes: _recurrent(sizes, BahdanauAttention(3)),
    "rnn without attention": lambda sizes: _recurrent(sizes, None),
    "transformer": lambda sizes: TransformerSeq2Seq(*sizes, 8, 2, 12, num_layers=2),
    "conv": lambda sizes: ConvSeq2Seq(*sizes, 6, num_layers=2, embedding_units=4),
}
# Scale of the weights, how much likelier the end is, and a seed: such that translations have
# many lengths.
_WEIGHTS = {
    "rnn": (0.7, 5, 1),
    "rnn without attention": (1, 5, 0),
    "transformer": (0.6, 1.6, 3),
    "conv": (1, 4, 1),
}


def small_model(family, text):
    """A model with random weights.

    The end is made likelier by its bias, or where there is none by the length of the vector that
    scores it.
    """
    scale, end, seed = _WEIGHTS[family]
    model = FAMILIES[family]((text.source_vocabulary_size, text.target_vocabulary_size))
    ids = np.full((1, 2), END_ID, "int32")
    model({"source_ids": ids, "target_ids": ids})
    random = np.random.default_rng(seed)
    is_end = np.arange(text.target_vocabulary_size) == END_ID
    for weight in model.trainable_variables:
        if family == "transformer" and len(weight.shape) == 1:
            continue  # norms would make much the same of all states
        value = random.normal(size=weight.shape, scale=scale)
        if weight.shape == is_end.shape:
            value += end * is_end
        elif family == "transformer" and weight.shape[0] == len(is_end):
            value *= np.where(is_end, end, 1)[:, None]
        weight.assign(value)
    return model
