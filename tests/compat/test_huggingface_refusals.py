"""Folders of Hugging Face's that are broken, or another model's: what is said about them."""

import json
import re
import sys

import numpy as np
import pytest

from seqnlp.compat import huggingface
from seqnlp.compat.tensor_files import read_tensors
from tests.compat.huggingface_folders import (
    ENCODER,
    FOUND,
    TIED,
    WEIGHTS,
    changed,
    folder_with,
    with_vocab_txt,
)

QUERY = "bert.encoder.layer.1.attention.self.query.weight"


def refused(function, message, *arguments, error=ValueError):
    with pytest.raises(error, match=f"^{re.escape(message)}$") as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_act": "gelu_new"}, "hidden_act must be one of gelu, relu, silu"),
        ({"hidden_act": ["gelu"]}, "hidden_act must be one of gelu, relu, silu"),
        ({"model_type": "roberta"}, "model_type must be 'bert'"),
        (
            {"position_embedding_type": "relative_key"},
            "position_embedding_type must be 'absolute'",
        ),
        ({"layer_norm_eps": 1e-05}, "layer_norm_eps must be 1e-12"),
        ({"is_decoder": True}, "is_decoder must be False"),
        ({"vocab_size": 0}, "vocab_size must be a whole number, at least 1"),
        ({"hidden_size": "32"}, "hidden_size must be a whole number, at least 1"),
        ({"hidden_size": 30}, "hidden_size must be a multiple of num_attention_heads=4"),
        ({"hidden_dropout_prob": 1}, "hidden_dropout_prob must be a number from 0 to below 1"),
    ],
)
def test_what_the_encoder_is_not_is_refused(change, message, tmp_path):
    folder = folder_with(tmp_path / "bert", **change)
    ((name, value),) = change.items()
    whole = f"{folder}/config.json: {message}. Received: {name}={value!r}"
    refused(huggingface.read_encoder, whole, folder)
    refused(huggingface.read_names, whole, folder)


def test_a_config_without_fields_names_them(tmp_path):
    folder = folder_with(tmp_path / "bert", hidden_size=None, hidden_dropout_prob=None)
    fields = sorted(json.loads((folder / "config.json").read_text("utf-8")))
    message = (
        f"{folder}/config.json: must hold hidden_size, hidden_dropout_prob. "
        f"Received: the fields {fields}"
    )
    refused(huggingface.read_encoder, message, folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"vocab_size": 61,\n  nothing}',
            ", line 2, column 3: must be JSON. Received: 'nothing}'",
        ),
        ("", ", line 1, column 1: must be JSON. Received: end of file"),
        ("[]", ": must hold a JSON object. Received: list"),
    ],
)
def test_a_config_that_is_no_json_is_refused(text, message, tmp_path):
    folder = folder_with(tmp_path / "bert")
    (folder / "config.json").write_text(text, "utf-8")
    refused(huggingface.read_encoder, f"{folder}/config.json{message}", folder)


@pytest.mark.parametrize("name", ["read_encoder", "read_pretrainer", "read_names", "read_text"])
def test_a_missing_config_is_named(name, tmp_path):
    message = f"{tmp_path}/config.json: there is no such file."
    refused(getattr(huggingface, name), message, tmp_path, error=FileNotFoundError)


def without_prefix(change):
    tensors = changed(ENCODER, change)
    return {name.removeprefix("bert."): x for name, x in tensors.items()}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            changed(WEIGHTS, {QUERY: None}),
            f"expected the weights of a BERT of this size. Missing: {QUERY}. One too many: none.",
        ),
        (
            changed(WEIGHTS, {"bert.pooler.dense.bias": None, "cls.seq_relationship.bias": None}),
            "expected the weights of a BERT of this size. "
            "Missing: bert.pooler.dense.bias, cls.seq_relationship.bias. One too many: none.",
        ),
        (
            changed(WEIGHTS, {"classifier.weight": np.zeros((3, 32))}),
            "expected the weights of a BERT of this size. "
            "Missing: none. One too many: classifier.weight.",
        ),
        (
            changed(WEIGHTS, {"bert.encoder.layer.0.output.dense.weight": np.zeros((48, 32))}),
            "bert.encoder.layer.0.output.dense.weight: expected shape (32, 48), "
            "received (48, 32).",
        ),
        (
            changed(WEIGHTS, {TIED[0]: np.zeros((61, 32), "float32")}),
            f"{TIED[0]} must equal bert.embeddings.word_embeddings.weight, as `MaskedLMHead` "
            "has no table of its own. Received: other values",
        ),
        (
            ENCODER,
            "must hold a masked LM, cls.predictions; `read_encoder` reads a file without. "
            "Received: no such weight among 39",
        ),
    ],
)
def test_other_weights_are_named(tensors, message, tmp_path):
    folder = folder_with(tmp_path / "bert", tensors)
    whole = f"{folder}/model.safetensors: {message}"
    refused(huggingface.read_pretrainer, whole, folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"bert.embeddings.LayerNorm.bias": None},
            "expected the weights of a BERT of this size. "
            "Missing: embeddings.LayerNorm.bias. One too many: none.",
        ),
        (
            {"bert.encoder.layer.2.output.dense.bias": np.zeros(32)},
            "expected the weights of a BERT of this size. "
            "Missing: none. One too many: encoder.layer.2.output.dense.bias.",
        ),
        (
            {"bert.embeddings.word_embeddings.weight": np.zeros((60, 32))},
            "embeddings.word_embeddings.weight: expected shape (61, 32), received (60, 32).",
        ),
    ],
)
def test_other_weights_are_named_as_the_file_names_them(change, message, tmp_path):
    folder = folder_with(tmp_path / "bert", without_prefix(change))
    refused(huggingface.read_encoder, f"{folder}/model.safetensors: {message}", folder)


def test_a_head_that_is_not_there_is_refused(tmp_path):
    weights = {
        f"qa_outputs.{part}": FOUND[f"BertForQuestionAnswering/qa_outputs.{part}"]
        for part in ("weight", "bias")
    }
    folder = folder_with(tmp_path / "bert", {**ENCODER, **weights})
    message = (
        f"{folder}/model.safetensors: must hold classifier.weight and classifier.bias. "
        "Received: the heads ['qa_outputs.bias', 'qa_outputs.weight']"
    )
    refused(huggingface.read_head, message, folder, "classifier")


@pytest.mark.parametrize("length", [0, 5, 1000, 80000])
def test_a_truncated_file_is_refused(length, tmp_path):
    folder = folder_with(tmp_path / "bert")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    message = (
        f"{path}: must be a whole safetensors file of weights. "
        f"Received: {length} bytes that are not"
    )
    refused(huggingface.read_pretrainer, message, folder)


def test_a_torch_file_without_torch_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    folder = folder_with(tmp_path / "bert")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    message = (
        f"{folder}/pytorch_model.bin: reading it needs PyTorch (pip install torch); "
        "a model.safetensors beside it would be read without"
    )
    refused(huggingface.read_pretrainer, message, folder, error=ImportError)


FILES = (
    "model.safetensors, model.safetensors.index.json, pytorch_model.bin, "
    "pytorch_model.bin.index.json"
)


def test_a_folder_without_weights_is_refused(tmp_path):
    folder = folder_with(tmp_path / "bert")
    (folder / "model.safetensors").unlink()
    message = (
        f"{folder}: must hold one of {FILES}. "
        "Received: ['config.json', 'tokenizer.json', 'tokenizer_config.json']"
    )
    refused(huggingface.read_encoder, message, folder, error=FileNotFoundError)
    message = f"{folder}/none: must hold one of {FILES}. Received: no folder"
    refused(read_tensors, message, f"{folder}/none", error=FileNotFoundError)


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        (None, "must say for each weight the name of its file. Received: weight_map=None"),
        (
            {"x": 1},
            "must say for each weight the name of its file. Received: weight_map={'x': 1}",
        ),
        ({"x": "y"}, "must name files beside it. Received: 'y', which is none"),
        ({"x": "../z"}, "must name files beside it. Received: '../z', which is none"),
    ],
)
def test_an_index_of_no_files_is_refused(weight_map, message, tmp_path):
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}), "utf-8")
    refused(read_tensors, f"{index}: weight_map {message}", tmp_path)


SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        (
            ["[PAD]", "[UNK]", "[CLS]", "[MASK]", *"abc"],
            "must hold the specials [PAD], [UNK], [CLS], [SEP], [MASK]. "
            "Received: 7 pieces without [SEP]",
        ),
        (
            [*SPECIALS[1:], "[PAD]"],
            "the first piece must be [PAD], as id 0 is padding. Received: '[UNK]'",
        ),
        (
            [*SPECIALS, *"abc"],
            "must hold 61 pieces, as many as vocab_size of config.json. Received: 8 pieces",
        ),
    ],
)
def test_another_vocabulary_is_refused(pieces, message, tmp_path):
    folder = with_vocab_txt(folder_with(tmp_path / "bert"), {}, pieces)
    refused(huggingface.read_names, f"{folder}/vocab.txt: {message}", folder)

    folder = folder_with(tmp_path / "other")
    vocabulary = {piece: at for at, piece in enumerate(pieces)}
    write_tokenizer(folder, {"vocab": vocabulary})
    refused(huggingface.read_names, f"{folder}/tokenizer.json: {message}", folder)


def write_tokenizer(folder, model, **normalizer):
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"] |= model
    tokenizer["normalizer"] |= normalizer
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")


def test_a_missing_vocabulary_is_named(tmp_path):
    folder = folder_with(tmp_path / "bert")
    (folder / "tokenizer.json").unlink()
    message = f"{folder}/vocab.txt: there is no such file."
    refused(huggingface.read_names, message, folder, error=FileNotFoundError)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            {"type": "BPE"},
            "model must be a WordPiece with a vocab, and with the prefix '##'. "
            "Received: type='BPE', continuing_subword_prefix='##'",
        ),
        (
            {"vocab": {"[PAD]": 0, "[UNK]": 2}},
            "vocab must have the ids 0 to 1, each once. Received: a vocab without 1",
        ),
    ],
)
def test_another_tokenizer_is_refused(model, message, tmp_path):
    folder = folder_with(tmp_path / "bert")
    write_tokenizer(folder, model)
    refused(huggingface.read_names, f"{folder}/tokenizer.json: {message}", folder)


def test_another_normalizer_is_refused(tmp_path):
    folder = folder_with(tmp_path / "bert")
    write_tokenizer(folder, {}, type="NFKC")
    message = f"{folder}/tokenizer.json: type must be 'BertNormalizer'. Received: type='NFKC'"
    refused(huggingface.read_names, message, folder)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"do_lower_case": True, "strip_accents": False},
            "strip_accents must be None or True. Received: strip_accents=False",
        ),
        (
            {"do_lower_case": False, "strip_accents": True},
            "strip_accents must be None or False. Received: strip_accents=True",
        ),
        (
            {"tokenize_chinese_chars": False},
            "tokenize_chinese_chars must be True. Received: tokenize_chinese_chars=False",
        ),
        (
            {"do_lower_case": "yes"},
            "do_lower_case must be True or False. Received: do_lower_case='yes'",
        ),
        (
            {"word_tokenizer_type": "mecab"},
            "word_tokenizer_type must be None or 'basic'. Received: word_tokenizer_type='mecab'",
        ),
    ],
)
def test_what_no_text_of_ours_does_is_refused(settings, message, tmp_path):
    folder = with_vocab_txt(folder_with(tmp_path / "bert"), settings)
    refused(huggingface.read_names, f"{folder}/tokenizer_config.json: {message}", folder)
