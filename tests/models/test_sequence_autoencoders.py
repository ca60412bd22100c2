"""The models with the same tokens on both sides."""

import keras
import numpy as np
import pytest

from seqnlp import gradients
from seqnlp.decoding import greedy
from seqnlp.layers import RNNDecoder, RNNEncoder
from seqnlp.losses import SequenceCrossEntropy
from seqnlp.models import ConvSeq2Seq, RNNSeq2Seq, TransformerSeq2Seq

SIZE, START, END = 9, 2, 3
UNSEEN = np.array([[4, 5, 6, 7], [8, 7, 6, 5], [4, 4, 8, 8], [6, 4, 6, 4]], "int32")


def rnn():
    """The whole sequence passes through one state of fixed width."""
    parts = RNNEncoder(64, "gru", bidirectional=False), RNNDecoder(64, "gru")
    return RNNSeq2Seq(SIZE, SIZE, *parts, 16, bridge="state", tied="all")


def transformer():
    sizes = {"units": 32, "num_heads": 2, "feed_forward_units": 64, "num_layers": 1}
    return TransformerSeq2Seq(SIZE, SIZE, **sizes, share_embeddings=True)


def conv():
    return ConvSeq2Seq(SIZE, SIZE, 32, num_layers=2, share_embeddings=True)


@pytest.mark.slow
@pytest.mark.parametrize("make", [rnn, transformer, conv])
def test_sequences_that_were_never_seen_are_made_again(make):
    keras.utils.set_random_seed(0)
    tokens = np.random.default_rng(1).integers(4, SIZE, (32 * 250, 4)).astype("int32")
    tokens = tokens[~(tokens[:, None] == UNSEEN).all(axis=-1).any(axis=-1)]
    start = np.full((len(tokens), 1), START, "int32")
    inputs = {"source_ids": tokens, "target_ids": np.concatenate([start, tokens[:, :-1]], axis=1)}
    model = make()
    jit = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(0.003), SequenceCrossEntropy(), jit_compile=jit)
    model.fit(inputs, tokens, batch_size=32, epochs=4, verbose=0)

    def make_again(ids, start):
        return greedy(model.step, model.initial_state(ids, 4), start, END, 4)

    made = gradients.compiled(make_again)(UNSEEN, np.full(4, START, "int32"))
    assert keras.ops.convert_to_numpy(made.token_ids).tolist() == UNSEEN.tolist()
