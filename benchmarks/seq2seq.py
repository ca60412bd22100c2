"""Our recurrent encoder and decoder with attention: training, greedy and beam search.

`--jit` trains with XLA, which decoding always has; without it, only training is timed.
"""

import sys
from functools import partial

import keras

from benchmarks import seq2seq_workload as workload
from benchmarks import translation
from benchmarks.timing import Case, main
from benchmarks.translation_workload import SOURCE, TARGET, VOCABULARY
from seqnlp.layers import BahdanauAttention, RNNDecoder, RNNEncoder
from seqnlp.models import RNNSeq2Seq

JIT = "--jit" in sys.argv


def cases():
    """Training, and under XLA both decoders, on the backend in use."""
    yield Case("seq2seq", "training step", lambda: translation.training(model(), JIT))
    if JIT:
        yield Case("seq2seq", "greedy", lambda: translation.decoding(model()))
        beam = partial(translation.decoding, beam_width=workload.BEAMS)
        yield Case("seq2seq", workload.BEAM, lambda: beam(model()))


def model():
    """A built model with the workload's weights."""
    made = built(BahdanauAttention(workload.UNITS))
    weights = workload.weights()
    for variable, name in _places(made):
        variable.assign(weights[name].reshape(variable.shape))
    return made


def built(attention):
    """A model of the workload's sizes with weights of its own."""
    encoder = RNNEncoder(workload.UNITS, "gru", bidirectional=False)
    decoder = RNNDecoder(workload.UNITS, "gru", attention=attention, readout="state")
    sizes = VOCABULARY, VOCABULARY
    made = RNNSeq2Seq(*sizes, encoder, decoder, workload.EMBEDDING, bridge="state")
    made.build({"source_ids": (None, SOURCE), "target_ids": (None, TARGET)})
    return made


def _places(made):
    """Pairs of a variable and the name of its weight."""
    attention, (cell,) = made.decoder.attention, made.decoder.cells
    yield made.source_embedding.embeddings, "source embedding"
    yield made.target_embedding.embeddings, "target embedding"
    yield from zip(made.encoder.weights, workload.ENCODER_WEIGHTS, strict=True)
    yield from zip(cell, workload.DECODER_WEIGHTS, strict=True)
    scoring = attention.query_projection.kernel, attention.value_projection.kernel, attention.v
    yield from zip(scoring, workload.ATTENTION_WEIGHTS, strict=True)
    outputs = made.output_kernel, made.output_bias
    yield from zip(outputs, workload.OUTPUT_WEIGHTS, strict=True)


if __name__ == "__main__":
    main(cases(), ["keras", "seqnlp", keras.backend.backend()])
