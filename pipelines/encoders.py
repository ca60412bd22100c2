"""The BERT that a fine-tuned model begins with: pretrained, or of random weights."""

import os
import pathlib
from typing import NamedTuple

import keras

from pipelines import trained_model
from pipelines.command_line import at_least_one, share_below_one
from seqnlp.models import bert
from seqnlp.text import BERTNames
from seqnlp.text.bert_names import VOCABULARY_FILE, read_bert_settings
from seqnlp.text.names import CONFIG_FILE

SIZES = ("tiny", "mini", "small", "medium", "base", "large")
# The options that an interrupted run must share with the one that goes on.
OPTIONS = ("encoder", "random_weights", "size", "dropout", "mixed_precision")


class Vocabulary(NamedTuple):
    """What an encoder reads.

    Fields:
        path: Path of its vocab.txt.
        lowercase: Whether case and accents are taken away.
    """

    path: str
    lowercase: bool


def add_arguments(group):
    """Adds the options that choose an encoder to a group of a parser."""
    group.add_argument(
        "--encoder",
        metavar="PATH",
        help="model.keras of pipelines.pretraining, or folder of a checkpoint of Hugging Face or "
        "of Google's BERT; without it, a BERT of random weights with a vocabulary of its own",
    )
    group.add_argument(
        "--random_weights",
        action="store_true",
        help="only size and vocabulary of --encoder, to see what pretraining is worth",
    )
    group.add_argument(
        "--size", default="tiny", choices=SIZES, help="published size of a BERT without --encoder"
    )
    group.add_argument(
        "--vocabulary_size", type=at_least_one, help="pieces that are learned without --encoder"
    )
    group.add_argument(
        "--lowercase", action="store_true", help="without --encoder: take case away"
    )
    group.add_argument(
        "--dropout", type=share_below_one, default=0.1, help="share dropped of layers' outputs"
    )
    group.add_argument(
        "--mixed_precision", action="store_true", help="compute in bfloat16, for GPU and TPU"
    )


def vocabulary(options):
    """The `Vocabulary` of `--encoder`; None without one, or a ValueError if it has none."""
    if options.encoder is None:
        if options.random_weights:
            raise ValueError(
                "`--random_weights` must be given with --encoder, whose size and vocabulary it "
                "takes. Received: no --encoder"
            )
        return None
    path = pathlib.Path(options.encoder)
    if path.suffix == ".keras":
        folder = trained_model.text_folder(path)
        if not (folder / VOCABULARY_FILE).is_file():
            raise ValueError(
                f"{folder / VOCABULARY_FILE}: expected the vocabulary that the train stage writes "
                f"beside {path.name}. Received: no such file"
            )
        settings = read_bert_settings(str(folder))
        return Vocabulary(str(folder / VOCABULARY_FILE), settings["lowercase"])
    raise ValueError(
        f"`--encoder` must be a .keras file of pipelines.pretraining. Received: {path}"
    )


def make_encoder(options, folder):
    """A built `BERTEncoder` for the examples in a folder, whose dropout is that of the options.

    Args:
        options: Of the pipeline.
        folder: Folder of the examples, with vocab.txt and text.json.
    """
    pieces = BERTNames.load(folder).pieces
    length = read_bert_settings(folder)["max_length"]
    given = None if options.encoder is None else _pretrained(options.encoder, pieces, folder)
    if given is None:
        sizes = dict(getattr(bert, f"BERT_{options.size.upper()}"))
        sizes |= {"vocabulary_size": len(pieces), "max_length": max(length, 128)}
    else:
        sizes = dict(given.config)
    if length > sizes["max_length"]:
        raise ValueError(
            f"`--max_length` must be at most {sizes['max_length']}, the positions of "
            f"{options.encoder}. Received: --max_length={length}"
        )
    sizes |= {"dropout": options.dropout, "attention_dropout": options.dropout}
    before = keras.config.dtype_policy()
    if options.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder = bert.BERTEncoder(**sizes)
        encoder.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
    finally:
        keras.config.set_dtype_policy(before)
    if given is not None and not options.random_weights:
        encoder.set_weights(given.get_weights())
    begun = "random weights" if given is None or options.random_weights else options.encoder
    print(f"encoder of {encoder.count_params()} weights, {len(pieces)} pieces, from {begun}")
    return encoder


def _pretrained(path, pieces, folder):
    """The encoder of a file; a ValueError where it reads other pieces than the examples hold."""
    model, own = trained_model.load_pretrained(path)
    if own != pieces:
        raise ValueError(
            f"{os.path.join(folder, VOCABULARY_FILE)}: expected the vocabulary of {path}; run the "
            f"prepare stage with this --encoder. Received: other pieces, see also {CONFIG_FILE}"
        )
    return model.encoder
