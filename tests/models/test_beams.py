"""Beam search over the models: what a wide beam finds is the best of all translations."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.decoding import Forbidden, beam_search
from seqnlp.layers import RNNDecoder, RNNEncoder
from seqnlp.layers.bahdanau_attention import BahdanauAttention
from seqnlp.models import ConvSeq2Seq, RNNSeq2Seq, TransformerSeq2Seq

SIZE, START, END, LONGEST, BEST = 6, 2, 3, 3, 5
SOURCE = np.array([[4, 5, 1, 3], [5, 3, 0, 0]], dtype="int32")
OTHERS = [token for token in range(1, SIZE) if token != END]  # 0 is padding
TRANSLATIONS = [
    *((*tokens, END) for n in range(LONGEST) for tokens in itertools.product(OTHERS, repeat=n)),
    *itertools.product(OTHERS, repeat=LONGEST),
]


def recurrent():
    decoder = RNNDecoder(6, "gru", attention=BahdanauAttention(3))
    return RNNSeq2Seq(SIZE, SIZE, RNNEncoder(5, "gru"), decoder, 4, bridge="backward")


FAMILIES = {
    "rnn": recurrent,
    "transformer": lambda: TransformerSeq2Seq(SIZE, SIZE, 8, 2, 12, num_layers=2, dropout=0.0),
    "conv": lambda: ConvSeq2Seq(
        SIZE, SIZE, 6, num_layers=2, embedding_units=4, dropout=0.0, num_positions=9
    ),
}


def truth(model):
    """Log probability of every translation, of one pass over it: `(sentences, translations)`."""
    ids = np.zeros((len(TRANSLATIONS), LONGEST), dtype="int32")
    for row, tokens in zip(ids, TRANSLATIONS, strict=True):
        row[: len(tokens)] = tokens
    read = np.concatenate([np.full((len(ids), 1), START), ids[:, :-1]], axis=1).astype("int32")
    read[read == END] = 0
    found = []
    for source in SOURCE:
        inputs = {"source_ids": np.tile(source, (len(ids), 1)), "target_ids": read}
        logits = ops.convert_to_numpy(model(inputs, training=False)).astype("float64")
        logits -= np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        scores = np.take_along_axis(logits, ids[..., None], axis=-1)[..., 0]
        found.append((scores * (ids != 0)).sum(axis=1))
    return np.array(found)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_beam_that_holds_them_all_finds_the_best_translations(family):
    keras.utils.set_random_seed(0)
    model = FAMILIES[family]()
    model.build({"source_ids": (None, None), "target_ids": (None, None)})
    random = np.random.default_rng(1)
    model.set_weights([random.normal(size=w.shape, scale=0.7) for w in model.weights])

    def decode(source_ids, start_ids):
        state, width = model.initial_state(source_ids, LONGEST), len(TRANSLATIONS)
        search = model.step, state, start_ids, END, LONGEST, width
        return beam_search(*search, rules=[Forbidden([0])])

    found = gradients.compiled(decode)(SOURCE, np.full(len(SOURCE), START, "int32"))
    scores, token_ids = (ops.convert_to_numpy(x) for x in (found.scores, found.token_ids))
    for sentence, expected in enumerate(truth(model)):
        best = np.argsort(-expected)[:BEST]
        np.testing.assert_allclose(scores[sentence, :BEST], expected[best], rtol=1e-4)
        for row, at in zip(token_ids[sentence], best, strict=False):
            tokens = TRANSLATIONS[at]
            assert row.tolist() == [*tokens, *[0] * (LONGEST - len(tokens))]
