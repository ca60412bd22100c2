"""The model that the options of `pipelines.tagging` ask for."""

import numpy as np

from seqnlp import tag_schemes
from seqnlp.layers import CRF, CharCNN, CharLSTM, TokenSoftmax
from seqnlp.models import Tagger
from seqnlp.text import load_word_vectors

# The options that decide the model, which an interrupted run shares with the one that goes on.
OPTIONS = (
    "word_units",
    "char_encoder",
    "char_encoder_units",
    "cell",
    "units",
    "num_layers",
    "head",
    "dropout",
    "word_vectors",
)


def make_model(options, names, encoding):
    """A built `Tagger`, with the vectors of `--word_vectors` in it; `names` is `TaggingNames`."""
    model = Tagger(
        vocabulary_size=len(names.words),
        head=_head(options, names.tags, encoding),
        char_encoder=_char_encoder(options, names.characters),
        word_units=options.word_units,
        cell=options.cell,
        units=options.units,
        num_layers=options.num_layers,
        dropout=options.dropout,
    )
    inputs = {"word_ids": np.ones((1, 2), "int32"), "char_ids": np.ones((1, 2, 3), "int32")}
    model(inputs)  # makes the weights
    if options.word_vectors:
        _load_vectors(model, options, names)
    print(f"{model.count_params()} weights, {len(names.words)} words, {len(names.tags)} tags")
    return model


def _head(options, tags, encoding):
    if options.head == "softmax":
        return TokenSoftmax(len(tags))
    return CRF(len(tags), tag_schemes.allowed_transitions(tags, encoding))


def _char_encoder(options, characters):
    if options.char_encoder == "none":
        return None
    width = options.char_encoder_units
    if options.char_encoder == "cnn":
        sizes = {} if width is None else {"filters": width}
        return CharCNN(len(characters), dropout=options.dropout, **sizes)
    return CharLSTM(len(characters), **({} if width is None else {"units": width}))


def _load_vectors(model, options, names):
    vectors, found = load_word_vectors(options.word_vectors, names.words, options.seed)
    if vectors.shape[1] != options.word_units:
        raise ValueError(
            f"`--word_units` must be {vectors.shape[1]}, the width of the vectors in "
            f"{options.word_vectors}. Received: --word_units={options.word_units}"
        )
    model.word_embedding.embeddings.assign(vectors)
    print(f"{options.word_vectors}: vectors for {found} of {len(names.words)} words")
