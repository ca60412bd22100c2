"""The model that the options of `pipelines.tagging` ask for."""

import collections

import numpy as np

from seqnlp import tag_schemes
from seqnlp.layers import (
    CRF,
    KIM_LARGE,
    KIM_SMALL,
    CharCNN,
    CharLSTM,
    SemiMarkovCRF,
    SentenceSoftmax,
    TokenSoftmax,
)
from seqnlp.models import Tagger
from seqnlp.records import read_sentences
from seqnlp.text import load_word_vectors

# The options that decide the model, which an interrupted run shares with the one that goes on.
HEAD_OPTIONS = ("encoder_kind", "head", "max_segment_length", "label_weight")
OPTIONS = (
    *HEAD_OPTIONS,
    "word_units",
    "char_encoder",
    "char_encoder_units",
    "cell",
    "units",
    "num_layers",
    "dropout",
    "word_vectors",
)
LONGEST_SEGMENT = 10  # unless --max_segment_length says more
PUBLISHED = {"kim": KIM_SMALL, "kim_large": KIM_LARGE}  # character encoders


def check(options):
    """A `ValueError` for options of the model that do not go together."""
    if options.max_segment_length and options.head != "semi_markov_crf":
        raise ValueError(
            "`--max_segment_length` must be given with --head semi_markov_crf alone, as no other "
            f"head scores segments. Received: --max_segment_length={options.max_segment_length}"
        )
    if options.char_encoder_units and options.char_encoder in PUBLISHED:
        raise ValueError(
            "`--char_encoder_units` must not be given with --char_encoder "
            f"{options.char_encoder}, which has the sizes of its paper. "
            f"Received: --char_encoder_units={options.char_encoder_units}"
        )


def make_model(options, names, encoding):
    """A built `Tagger`, with the vectors of `--word_vectors` in it; `names` is `TaggingNames`."""
    check(options)
    model = Tagger(
        vocabulary_size=len(names.words),
        **heads(options, names, encoding),
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
    describe(model, names)
    return model


def heads(options, names, encoding):
    """What ends the model, a dict of `head` and `label_head`; `names` is `TaggingNames`."""
    labels = names.labels and SentenceSoftmax(len(names.labels), weight=options.label_weight)
    return {"head": _head(options, names.tags, encoding), "label_head": labels}


def describe(model, names):
    """Says how large a model is."""
    labels = f", {len(names.labels)} labels" if names.labels else ""
    tags = len(names.tags)
    print(f"{model.count_params()} weights, {len(names.words)} words, {tags} tags{labels}")


def _head(options, tags, encoding):
    if options.head == "softmax":
        return TokenSoftmax(len(tags))
    if options.head == "semi_markov_crf":
        return _semi_markov_crf(options, tags, encoding)
    return CRF(len(tags), tag_schemes.allowed_transitions(tags, encoding))


def _semi_markov_crf(options, tags, encoding):
    if encoding == "none":
        raise ValueError(
            "`--head` must be crf or softmax where tags mark no spans, as with --encoding none. "
            "Received: --head=semi_markov_crf"
        )
    lengths = collections.Counter(
        end - start
        for _, names in read_sentences(str(options.output / "examples"), "train")
        for _, start, end in tag_schemes.spans(names, encoding)
    )
    longest = max(lengths, default=1)
    allowed = options.max_segment_length or min(longest, LONGEST_SEGMENT)
    longer = sum(count for length, count in lengths.items() if length > allowed)
    print(
        f"segments of at most {allowed} tokens; {longer} of {lengths.total()} spans in training "
        "are longer and are learned in pieces"
    )
    return SemiMarkovCRF(tag_schemes.segment_tags(tags, encoding), allowed)


def _char_encoder(options, characters):
    if options.char_encoder == "none":
        return None
    if options.char_encoder in PUBLISHED:
        return CharCNN(len(characters), **PUBLISHED[options.char_encoder])
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
