"""The BERT that a fine-tuned model begins with: pretrained, or of random weights."""

import os
import pathlib
from typing import NamedTuple

from pipelines import checkpoints, trained_model
from pipelines.precision import mixed_precision
from seqnlp.models import bert
from seqnlp.text import BERTNames
from seqnlp.text.bert_names import VOCABULARY_FILE, read_bert_settings
from seqnlp.text.files import make_folder, write_lines
from seqnlp.text.names import CONFIG_FILE

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


def vocabulary(options):
    """The `Vocabulary` of the encoder's path; None without one, or a ValueError if it has none."""
    flag = options.encoder_flag
    if options.encoder is None:
        if options.random_weights:
            raise ValueError(
                f"`--random_weights` must be given with {flag}, whose size and vocabulary it "
                f"takes. Received: no {flag}"
            )
        return None
    names = checkpoints.read_names(options.encoder, flag, options.lowercase)
    folder = pathlib.Path(options.encoder)
    if folder.suffix == ".keras":
        folder = trained_model.text_folder(folder)
    path = folder / VOCABULARY_FILE
    if not path.is_file():  # it stands in a tokenizer.json
        path = options.output / VOCABULARY_FILE
        make_folder(str(options.output))
        write_lines(str(path), names.names.pieces)
    return Vocabulary(str(path), names.lowercase)


def make_encoder(options, folder, length_flag="--max_length"):
    """A built `BERTEncoder` for the examples in a folder, whose dropout is that of the options.

    Args:
        options: Of the pipeline.
        folder: Folder of vocab.txt and text.json, such as that of the examples.
        length_flag: Name of the option that says how many ids are read at once.
    """
    pieces = BERTNames.load(folder).pieces
    length = read_bert_settings(folder)["max_length"]
    given = None if options.encoder is None else _pretrained(options, pieces, folder)
    if given is None:
        sizes = dict(getattr(bert, f"BERT_{options.size.upper()}"))
        sizes |= {"vocabulary_size": len(pieces), "max_length": max(length, 128)}
    else:
        sizes = dict(given.config)
    if length > sizes["max_length"]:
        raise ValueError(
            f"`{length_flag}` must be at most {sizes['max_length']}, the positions of "
            f"{options.encoder}. Received: {length_flag}={length}"
        )
    if given is not None and not options.random_weights:
        _warn_of_positions(options.encoder, length)
    sizes |= {"dropout": options.dropout, "attention_dropout": options.dropout}
    with mixed_precision(options.mixed_precision):
        encoder = bert.BERTEncoder(**sizes)
        encoder.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
    if given is not None and not options.random_weights:
        encoder.set_weights(given.get_weights())
    begun = "random weights" if given is None or options.random_weights else options.encoder
    print(f"encoder of {encoder.count_params()} weights, {len(pieces)} pieces, from {begun}")
    return encoder


def _warn_of_positions(path, length):
    """Says where a model of ours is to read further than the pairs that it was pretrained on."""
    if pathlib.Path(path).suffix != ".keras":
        return
    seen = read_bert_settings(str(trained_model.text_folder(pathlib.Path(path))))["max_length"]
    if length > seen:
        print(
            f"the {length - seen} positions from {seen} on are still random: {path} was "
            f"pretrained on pairs of {seen} pieces"
        )


def _pretrained(options, pieces, folder):
    """The encoder of a file; a ValueError where it reads other pieces than the examples hold."""
    own = checkpoints.read_names(options.encoder, options.encoder_flag, options.lowercase)
    if own.names.pieces != pieces:
        raise ValueError(
            f"{os.path.join(folder, VOCABULARY_FILE)}: expected the vocabulary of "
            f"{options.encoder}; run the prepare stage with this {options.encoder_flag}. "
            f"Received: other pieces, see also {CONFIG_FILE}"
        )
    return checkpoints.read_encoder(options.encoder, options.encoder_flag)
