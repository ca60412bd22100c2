"""Folders that Hugging Face reads; `make huggingface` shows that it does."""

import json
import re

import keras
import numpy as np
import pytest
from safetensors import safe_open

from seqnlp.compat import huggingface
from seqnlp.compat.bert_vocabulary import CasedNames
from seqnlp.compat.bert_weights import tensors_of
from seqnlp.models import BERTEncoder, BERTPretrainer
from seqnlp.text import BERTNames, BERTText
from tests.compat.huggingface_folders import ENCODER, FOLDER, WEIGHTS

PIECES = huggingface.read_names(FOLDER).names.pieces
SIZES = {"units": 32, "num_layers": 2, "num_heads": 4, "feed_forward_units": 48, "max_length": 24}


@pytest.fixture(scope="module")
def model():
    return huggingface.read_pretrainer(FOLDER)


@pytest.mark.parametrize("lowercase", [True, False])
def test_what_is_written_is_read_again(model, lowercase, tmp_path):
    huggingface.write(model, BERTText(PIECES, lowercase, 24), tmp_path / "new" / "bert")
    found = huggingface.read_pretrainer(tmp_path / "new" / "bert")
    assert found.encoder.config == model.encoder.config
    tensors = tensors_of(found)
    assert all(np.array_equal(tensors[name], WEIGHTS[name]) for name in WEIGHTS)
    text = huggingface.read_text(tmp_path / "new" / "bert")
    assert text.get_config() == BERTText(PIECES, lowercase, 24).get_config()


def test_an_encoder_alone_is_written_as_hugging_face_names_it(model, tmp_path):
    names = huggingface.read_names(FOLDER)
    huggingface.write(model.encoder, names, tmp_path)
    with safe_open(tmp_path / "model.safetensors", "np") as file:
        assert file.metadata() == {"format": "pt"}
        assert set(file.keys()) == {name.removeprefix("bert.") for name in ENCODER}
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert config["architectures"] == ["BertModel"]
    assert huggingface.read_names(tmp_path) == names
    found = tensors_of(huggingface.read_encoder(tmp_path))
    assert all(np.array_equal(found[name], ENCODER[name]) for name in ENCODER)


def test_the_same_model_gives_the_same_bytes(model, tmp_path):
    names = huggingface.read_names(FOLDER)
    for folder in ("first", "second"):
        huggingface.write(model, names, tmp_path / folder)
    for name in ("config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"):
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("first", "second"))
        assert first == second


def test_a_bfloat16_model_is_written_as_float32(tmp_path):
    encoder = BERTEncoder(61, **SIZES, dtype="bfloat16")
    encoder.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
    huggingface.write(encoder, CasedNames(BERTNames(PIECES), True), tmp_path)
    with safe_open(tmp_path / "model.safetensors", "np") as file:
        names = list(file.keys())
        assert {file.get_slice(name).get_dtype() for name in names} == {"F32"}


def refused(message, model, pieces, folder):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        huggingface.write(model, CasedNames(BERTNames(pieces), True), folder)
    assert not folder.exists() or [path.name for path in folder.iterdir()] == ["tokenizer.json"]


def test_another_model_is_refused(tmp_path):
    dense = keras.layers.Dense(3)
    message = f"`model` must be a built BERTPretrainer or BERTEncoder. Received: model={dense!r}"
    refused(message, dense, PIECES, tmp_path / "new")
    unbuilt = BERTPretrainer(BERTEncoder(61, **SIZES))
    message = f"`model` must be a built BERTPretrainer or BERTEncoder. Received: model={unbuilt!r}"
    refused(message, unbuilt, PIECES, tmp_path / "new")


def test_a_text_of_another_size_is_refused(model, tmp_path):
    message = "`text` must have 61 pieces, as `model` has. Received: 60 pieces"
    refused(message, model, PIECES[:-1], tmp_path / "new")


def test_an_activation_without_a_name_there_is_refused(tmp_path):
    encoder = BERTEncoder(61, **SIZES, activation="elu")
    encoder.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
    message = "`model` must have an activation of gelu, relu, silu. Received: activation='elu'"
    refused(message, encoder, PIECES, tmp_path / "new")


def test_a_folder_with_another_tokenizer_is_refused(model, tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}", "utf-8")
    message = (
        "`folder` must hold no tokenizer.json: it would be read in place of vocab.txt. "
        f"Received: folder={str(tmp_path)!r}"
    )
    refused(message, model, PIECES, tmp_path)


def test_a_file_that_cannot_be_written_is_named(model, tmp_path):
    (tmp_path / "model.safetensors").mkdir()
    message = f"{tmp_path}/model.safetensors: cannot be written (Is a directory)."
    with pytest.raises(OSError, match=f"^{re.escape(message)}$"):
        huggingface.write(model, huggingface.read_names(FOLDER), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
