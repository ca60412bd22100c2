"""The model that the options of `pipelines.translation` ask for."""

from pipelines.precision import mixed_precision
from seqnlp.layers import (
    BahdanauAttention,
    FinalState,
    LuongAttention,
    RNNDecoder,
    RNNEncoder,
)
from seqnlp.models import ConvSeq2Seq, RNNSeq2Seq, TransformerSeq2Seq

# The options that decide the model, which an interrupted run shares with the one that goes on.
OPTIONS = (
    "model",
    "units",
    "num_layers",
    "num_heads",
    "feed_forward_units",
    "norm",
    "kernel_size",
    "embedding_units",
    "dropout",
    "cell",
    "reset_before",
    "attention",
    "alignment",
    "attend",
    "input_feeding",
    "forward_only",
    "reverse_source",
    "scheduled_sampling",
    "mixed_precision",
)


def make_model(options, names):
    """A built model; `names` is `TranslationNames`."""
    make = {"transformer": _transformer, "rnn": _rnn, "conv": _conv}[options.model]
    sizes = len(names.source), len(names.target)
    with mixed_precision(options.mixed_precision):
        model = make(options, sizes, names.joint)
        model.build({"source_ids": (None, None), "target_ids": (None, None)})
    pieces = f"{sizes[0]} pieces" if names.joint else f"{sizes[0]} and {sizes[1]} pieces"
    print(f"{options.model}: {model.count_params()} weights, {pieces}")
    return model


def _transformer(options, sizes, joint):
    return TransformerSeq2Seq(
        *sizes,
        units=options.units,
        num_heads=options.num_heads,
        feed_forward_units=options.feed_forward_units or 4 * options.units,
        num_layers=options.num_layers or 3,
        dropout=options.dropout,
        norm=options.norm,
        share_embeddings=joint,
    )


def _conv(options, sizes, joint):
    return ConvSeq2Seq(
        *sizes,
        units=options.units,
        num_layers=options.num_layers or 3,
        kernel_size=options.kernel_size,
        embedding_units=options.embedding_units,
        dropout=options.dropout,
        share_embeddings=joint,
    )


def _rnn(options, sizes, joint):
    """Directions of the encoder side by side are as wide as the decoder."""
    directions = 1 if options.forward_only else 2
    num_layers = options.num_layers or 1
    between = options.dropout if num_layers > 1 else 0.0
    encoder = RNNEncoder(
        options.units,
        options.cell,
        num_layers,
        bidirectional=not options.forward_only,
        dropout=between,
        reset_after=not options.reset_before,
    )
    decoder = RNNDecoder(
        directions * options.units,
        options.cell,
        num_layers,
        attention=_attention(options),
        attend=options.attend,
        input_feeding=options.input_feeding,
        dropout=between,
        reset_after=not options.reset_before,
    )
    bridge = "tanh" if options.forward_only else "backward"
    if options.attention == "none" or options.attend == "after":
        bridge = "state"  # Sutskever et al., Luong et al.
    return RNNSeq2Seq(
        *sizes,
        encoder,
        decoder,
        embedding_units=options.embedding_units,
        bridge=bridge,
        tied="all" if joint else "target",
        reverse_source=options.reverse_source,
        dropout=options.dropout,
        scheduled_sampling=options.scheduled_sampling,
    )


def _attention(options):
    if options.attention == "none":
        return None
    if options.attention == "final":
        return FinalState()
    if options.attention == "bahdanau":
        return BahdanauAttention(options.units, alignment=options.alignment)
    units = {"units": options.units} if options.attention in ("concat", "projected") else {}
    return LuongAttention(options.attention, **units, alignment=options.alignment)
