"""Our Transformer: training, greedy and beam search.

`--jit` trains with XLA, which decoding always has; without it, only training is timed.
"""

import sys
from functools import partial

import keras

from benchmarks import transformer_workload as workload
from benchmarks import translation
from benchmarks.timing import Case, main
from benchmarks.translation_workload import SOURCE, TARGET, VOCABULARY
from seqnlp.models import TransformerSeq2Seq

JIT = "--jit" in sys.argv


def cases():
    """Training, and under XLA both decoders, on the backend in use."""
    yield Case("transformer", "training step", lambda: translation.training(model(), JIT))
    if JIT:
        yield Case("transformer", "greedy", lambda: translation.decoding(model()))
        beam = partial(translation.decoding, beam_width=workload.BEAMS)
        yield Case("transformer", workload.BEAM, lambda: beam(model()))


def model():
    """A built model with the workload's weights."""
    made = TransformerSeq2Seq(
        VOCABULARY,
        VOCABULARY,
        units=workload.UNITS,
        num_heads=workload.HEADS,
        feed_forward_units=workload.HIDDEN,
        num_layers=workload.LAYERS,
        dropout=0.0,
        norm="post",
        share_embeddings=True,
    )
    made.build({"source_ids": (None, SOURCE), "target_ids": (None, TARGET)})
    weights = workload.weights()
    made.target_embedding.set_weights([weights["table"]])
    for (stack, at), layer in _layers(made):
        for name, part in _parts(layer):
            part.set_weights(weights[stack, at, name])
    return made


def _layers(made):
    for stack in ("encoder", "decoder"):
        for at, layer in enumerate(getattr(made, stack).layers):
            yield (stack, at), layer


def _parts(layer):
    """Pairs of a weight's name in the workload and the layer that has it."""
    if hasattr(layer, "cross_attention"):
        own, other = layer.self_attention, layer.cross_attention
        yield "source query", other.query_projection
        yield "source memory", other.memory_projection
        yield "source output", other.output_projection
    else:
        own = layer.attention
    yield "self", own.projection
    yield "self output", own.output_projection
    yield "hidden", layer.hidden
    yield "output", layer.output_projection
    for at, norm in enumerate(layer.norms):
        yield f"norm {at}", norm


if __name__ == "__main__":
    main(cases(), ["keras", "seqnlp", keras.backend.backend()])
