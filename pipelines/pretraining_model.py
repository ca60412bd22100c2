"""The model that the options of `pipelines.pretraining` ask for."""

import itertools

import keras

from pipelines import checkpoints
from pipelines.precision import mixed_precision
from seqnlp.models import bert
from seqnlp.text.bert_names import read_bert_settings

# The options that decide the model, which an interrupted run shares with the one that goes on.
OPTIONS = (
    "size",
    "units",
    "num_layers",
    "num_heads",
    "feed_forward_units",
    "max_positions",
    "dropout",
    "initial",
    "remat",
    "mixed_precision",
)


def make_model(options, names, length):
    """A built `BERTPretrainer`.

    Args:
        options: Of the pipeline.
        names: `BERTNames` of the examples.
        length: Ids of their rows.
    """
    if length > options.max_positions:
        raise ValueError(
            f"`--max_positions` must be at least {length}, the ids of the prepared pairs. "
            f"Received: --max_positions {options.max_positions}"
        )
    with mixed_precision(options.mixed_precision):
        encoder = bert.BERTEncoder(
            len(names.pieces),
            **_sizes(options),
            max_length=options.max_positions,
            dropout=options.dropout,
            attention_dropout=options.dropout,
        )
        model = bert.BERTPretrainer(encoder)
        model.build(dict.fromkeys(("token_ids", "segment_ids", "positions"), (None, None)))
    if options.remat:
        rematerialize(encoder.layers_above.layers)
    if options.initial:
        _check_text(options, names)
        _take_over(
            model, checkpoints.read_pretrainer(options.initial, "--initial"), options.initial
        )
    print(f"{model.count_params()} weights, {len(names.pieces)} pieces")
    return model


def _sizes(options):
    sizes = dict(getattr(bert, f"BERT_{options.size.upper()}"))
    given = {name: getattr(options, name) for name in sizes}
    if options.units and not options.feed_forward_units:
        given["feed_forward_units"] = 4 * options.units
    return sizes | {name: size for name, size in given.items() if size}


def rematerialize(layers):
    """Lets layers of a Transformer compute their states a second time rather than keep them.

    `keras.RematScope` cannot: it passes keywords on, which TensorFlow refuses and JAX traces.
    What is computed twice must be the same twice, so there may be no dropout.
    """
    for layer in layers:
        layer.call = _twice(layer.call)


def _twice(call):
    def called(inputs, mask=None, return_weights=False, training=None):
        if return_weights:
            return call(inputs, mask, return_weights, training)
        states = keras.remat(lambda inputs: call(inputs, mask, training=training)[0])
        return states(inputs), None

    return called


def _check_text(options, names):
    """A ValueError where the first phase read text otherwise than the examples were."""
    settings = read_bert_settings(str(options.output / "examples"))
    found = checkpoints.read_names(options.initial, "--initial", settings["lowercase"])
    pairs = itertools.zip_longest(found.names.pieces, names.pieces)
    for line, (own, other) in enumerate(pairs, start=1):
        if own != other:
            raise ValueError(
                f"{options.initial}: expected the vocabulary of the examples; prepare them with "
                f"its vocab.txt as --vocabulary. Received: in line {line} {own!r}, where the "
                f"examples have {other!r}"
            )
    if found.lowercase != settings["lowercase"]:
        raise ValueError(
            f"{options.initial}: expected the lowercase of the examples; prepare them "
            f"{'with' if found.lowercase else 'without'} --lowercase. Received: "
            f"{found.lowercase}, where the examples have {settings['lowercase']}"
        )


def _take_over(model, initial, path):
    """Gives a model the weights of another one of its size, which comes from a file."""
    found, wanted = ([tuple(x.shape) for x in m.weights] for m in (initial, model))
    if found != wanted:
        raise ValueError(
            f"{path}: expected a BERT of the size of the options {model.encoder.config}. "
            f"Received: {initial.encoder.config}"
        )
    model.set_weights(initial.get_weights())
    print(f"going on from {path}")
