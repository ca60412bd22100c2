"""The sizes of a BERT as the JSON file of a checkpoint has them, and as `BERTEncoder` does."""

from seqnlp.compat.json_files import read_json
from seqnlp.models.bert import EPSILON

# Names of theirs and of ours.
SIZES = {
    "vocab_size": "vocabulary_size",
    "hidden_size": "units",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_heads",
    "intermediate_size": "feed_forward_units",
    "max_position_embeddings": "max_length",
    "type_vocab_size": "num_segments",
}
DROPOUTS = {"hidden_dropout_prob": "dropout", "attention_probs_dropout_prob": "attention_dropout"}
ACTIVATIONS = {"gelu": "gelu", "relu": "relu", "silu": "silu"}  # gelu_new is another function
# What `BERTEncoder` always is. A file that does not say is taken to agree.
FIXED = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "layer_norm_eps": EPSILON,
    "is_decoder": False,
}


def read_arguments(path):
    """The arguments of `BERTEncoder` from a config.json or bert_config.json.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It is not JSON, lacks a field, or describes what `BERTEncoder` is not.
    """
    config = read_json(path)
    for name, value in FIXED.items():
        if config.get(name, value) != value:
            raise _refusal(path, config, name, repr(value))
    missing = [name for name in (*SIZES, *DROPOUTS, "hidden_act") if name not in config]
    if missing:
        raise ValueError(
            f"{path}: must hold {', '.join(missing)}. Received: the fields {sorted(config)}"
        )
    for name in SIZES:
        if type(config[name]) is not int or config[name] < 1:
            raise _refusal(path, config, name, "a whole number, at least 1")
    for name in DROPOUTS:
        if type(config[name]) not in (int, float) or not 0 <= config[name] < 1:
            raise _refusal(path, config, name, "a number from 0 to below 1")
    if config["hidden_size"] % config["num_attention_heads"]:
        must = f"a multiple of num_attention_heads={config['num_attention_heads']}"
        raise _refusal(path, config, "hidden_size", must)
    if config["hidden_act"] not in list(ACTIVATIONS):
        raise _refusal(path, config, "hidden_act", f"one of {', '.join(ACTIVATIONS)}")
    arguments = {ours: config[name] for name, ours in (SIZES | DROPOUTS).items()}
    return {**arguments, "activation": ACTIVATIONS[config["hidden_act"]]}


def config_of(encoder):
    """The fields of a config.json for a `BERTEncoder`; `read_arguments` gives its arguments.

    Raises:
        ValueError: Its activation has no name there.
    """
    arguments = encoder.config
    names = {ours: name for name, ours in ACTIVATIONS.items()}
    if arguments["activation"] not in list(names):
        raise ValueError(
            f"`model` must have an activation of {', '.join(names)}. "
            f"Received: activation={arguments['activation']!r}"
        )
    fields = {name: arguments[ours] for name, ours in (SIZES | DROPOUTS).items()}
    activation = {"hidden_act": names[arguments["activation"]]}
    return {**FIXED, **fields, **activation, "pad_token_id": 0}


def _refusal(path, config, name, must):
    return ValueError(f"{path}: {name} must be {must}. Received: {name}={config[name]!r}")
