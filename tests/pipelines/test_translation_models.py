"""The models that the options of each paper in docs/translation.md make."""

import pathlib
import re
import shlex

import pytest

from pipelines import translation
from pipelines.translation_model import make_model
from seqnlp.layers import BahdanauAttention, FinalState, LuongAttention
from seqnlp.models import ConvSeq2Seq, RNNSeq2Seq, TransformerSeq2Seq
from seqnlp.text import TranslationNames

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "translation.md"
NAMES = TranslationNames(["[PAD]", "[UNK]", "[START]", "[END]", "▁a"], ["[PAD]"] * 5)
SMALL = ["--units=8", "--embedding_units=8", "--num_heads=2"]


def rows():
    """`{paper: options}` of the page's table."""
    found = re.findall(r"^\| ([^|]+) \| `(--model [^`]*)`", PAGE.read_text(), re.MULTILINE)
    return {paper: shlex.split(options) for paper, options in found}


def is_of_vaswani(model):
    return isinstance(model, TransformerSeq2Seq) and model.encoder.norm == "post"


def is_of_gehring(model):
    return isinstance(model, ConvSeq2Seq)


def is_of_bahdanau(model):
    form = model.encoder.bidirectional, model.decoder.attend, model.config["bridge"]
    cells = model.encoder.cell, model.decoder.cell
    resets = model.encoder.reset_after, model.decoder.reset_after
    is_additive = isinstance(model.decoder.attention, BahdanauAttention)
    assert (form, cells, resets) == ((True, "before", "backward"), ("gru", "gru"), (False, False))
    return is_additive and model.decoder.readout == "maxout"


def is_of_luong(model):
    form = model.encoder.bidirectional, model.decoder.attend, model.decoder.input_feeding
    assert (form, model.decoder.cell) == ((False, "after", True), "lstm")
    attention = model.decoder.attention
    return isinstance(attention, LuongAttention) and attention.score == "general"


def is_of_sutskever(model):
    depths = model.encoder.num_layers, model.decoder.num_layers
    form = model.encoder.bidirectional, model.config["reverse_source"], model.config["bridge"]
    assert (depths, form) == ((4, 4), (False, True, "state"))
    return model.decoder.cell == "lstm" and model.decoder.attention is None


def is_of_cho(model):
    form = model.encoder.bidirectional, model.decoder.reset_after, model.config["bridge"]
    assert form == (False, False, "tanh")
    return isinstance(model.decoder.attention, FinalState)


def is_plain(model):
    assert isinstance(model, RNNSeq2Seq)
    form = model.encoder.bidirectional, model.decoder.cell, model.config["bridge"]
    return form == (False, "vanilla", "state") and model.decoder.attention is None


MODELS = {
    "Vaswani et al. 2017": is_of_vaswani,
    "Gehring et al. 2017": is_of_gehring,
    "Bahdanau et al. 2015": is_of_bahdanau,
    "Luong et al. 2015": is_of_luong,
    "Sutskever et al. 2014": is_of_sutskever,
    "Cho et al. 2014": is_of_cho,
    "a plain encoder and decoder": is_plain,
}


def test_every_row_of_the_page_is_here():
    assert set(rows()) == set(MODELS)


@pytest.mark.parametrize("paper", MODELS)
def test_the_options_of_a_paper_make_its_model(paper):
    options = translation.arguments().parse_args(
        ["train", "--output=none", *rows()[paper], *SMALL]
    )
    assert MODELS[paper](make_model(options, NAMES))
