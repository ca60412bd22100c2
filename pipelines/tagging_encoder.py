"""What `--encoder` of `pipelines.tagging` changes: a BiLSTM reads words, a BERT their pieces.

Among the parsed options `--encoder` is `encoder_kind`; and `--bert`, the path of one that was
pretrained, is `encoder`, as in all pipelines that fine-tune.
"""

from pipelines import encoder_options
from pipelines.command_line import at_least_one

KINDS = ("bilstm", "bert")
# Defaults that are not the same for both.
DEFAULTS = {
    "bilstm": {"dropout": 0.5, "learning_rate": 2e-3},
    "bert": {"dropout": 0.1, "learning_rate": 3e-4},
}
# The options that mean something to one kind alone.
OPTIONS = {
    "bilstm": (
        "word_units",
        "char_encoder",
        "char_encoder_units",
        "cell",
        "units",
        "num_layers",
        "word_vectors",
        "word_dropout",
    ),
    "bert": (
        "encoder",
        "random_weights",
        "size",
        "lowercase",
        "mixed_precision",
        "max_pieces",
        "warmup_share",
        "weight_decay",
        "layer_decay",
        "clip",
    ),
}
SAMPLE_PIECES = 1200  # of the sample corpus, which has many characters for its size


def add_arguments(group):
    """Adds the options of `--encoder bert` to a group of a parser."""
    encoder_options.add_encoder(group, "--bert")
    group.add_argument(
        "--max_pieces",
        type=at_least_one,
        default=128,
        help="ids that are read at once; longer sentences are read in parts of whole words",
    )
    encoder_options.add_optimizer(group)


def settle(options, parser):
    """Gives the options of an encoder their defaults; a ValueError for those of another one."""
    kind = options.encoder_kind
    for other in KINDS:
        for name in OPTIONS[other] if other != kind else ():
            given = getattr(options, name)
            if given != parser.get_default(name):
                flag = options.encoder_flag if name == "encoder" else f"--{name}"
                raise ValueError(
                    f"`{flag}` must not be given but with --encoder {other}. "
                    f"Received: {flag}={given} and --encoder={kind}"
                )
    for name, value in DEFAULTS[kind].items():
        if getattr(options, name) is None:
            setattr(options, name, value)


def preparation(options):
    """Arguments of `prepare_tagging`: the words or the pieces of the encoder."""
    size = options.vocabulary_size
    if options.encoder_kind == "bilstm":
        return {"vocabulary_size": size}
    from pipelines import encoders

    found = encoders.vocabulary(options)
    if found is not None:
        pieces = {"vocabulary": found.path, "lowercase": found.lowercase}
    else:
        size = size or (SAMPLE_PIECES if options.train is None else 8000)
        pieces = {"vocabulary_size": size, "lowercase": options.lowercase}
    return {"characters": False, "bert": {**pieces, "max_length": options.max_pieces}}


def check_examples(options, manifest):
    """A ValueError where the examples were prepared for another encoder."""
    kind = "bert" if "bert" in manifest.options else "bilstm"
    if options.encoder_kind != kind:
        raise ValueError(
            f"`--encoder` must be {kind}, for which the examples were prepared; run the prepare "
            f"stage to change it. Received: --encoder={options.encoder_kind}"
        )
