"""Folders of Hugging Face's BERT: the same answers as there, whatever variant they are."""

import json
import os
import pathlib
import re
import subprocess
import sys
import warnings

import keras
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from safetensors.numpy import save_file

from seqnlp.compat import huggingface
from seqnlp.compat.bert_weights import tensors_of
from seqnlp.models import BERTEncoder, BERTPretrainer
from tests.compat.huggingface_folders import (
    ENCODER,
    FOLDER,
    FOUND,
    READ,
    REAL,
    TIED,
    WEIGHTS,
    changed,
    check_logits,
    check_states,
    close,
    folder_with,
    with_vocab_txt,
)

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPIES = {name: FOUND[f"weights/{name}"] for name in TIED}
POSITION_IDS = {"bert.embeddings.position_ids": np.arange(24)[None]}


def old_names(tensors):
    names = {name: name.replace("Norm.weight", "Norm.gamma") for name in tensors}
    return {names[name].replace("Norm.bias", "Norm.beta"): x for name, x in tensors.items()}


def without_prefix(tensors):
    return {name.removeprefix("bert."): x for name, x in tensors.items()}


def read_quietly(read, folder):
    """What is read without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        return read(folder)


def test_a_pretrainer_gives_the_logits_of_hugging_face():
    model = read_quietly(huggingface.read_pretrainer, FOLDER)
    assert isinstance(model, BERTPretrainer)
    check_states(model.encoder)
    check_logits(model)


@pytest.mark.parametrize(
    "tensors",
    [
        pytest.param(WEIGHTS, id="with heads"),
        pytest.param(old_names(WEIGHTS), id="old names"),
        pytest.param(without_prefix(ENCODER), id="without prefix"),
        pytest.param(without_prefix(old_names(ENCODER)), id="without prefix, old names"),
        pytest.param({**ENCODER, **POSITION_IDS}, id="position ids"),
    ],
)
def test_an_encoder_gives_the_states_of_hugging_face(tensors, tmp_path):
    encoder = read_quietly(huggingface.read_encoder, folder_with(tmp_path / "bert", tensors))
    assert isinstance(encoder, BERTEncoder)
    found = tensors_of(encoder)
    assert found.keys() == ENCODER.keys()
    assert all(np.array_equal(found[name], ENCODER[name]) for name in found)
    check_states(encoder)


def bias_by_its_copy():
    return changed({**WEIGHTS, **COPIES}, {"cls.predictions.bias": None})


@pytest.mark.parametrize(
    "tensors",
    [
        pytest.param({**WEIGHTS, **COPIES, **POSITION_IDS}, id="copies"),
        pytest.param(bias_by_its_copy(), id="the bias by its copy alone"),
        pytest.param(old_names(WEIGHTS), id="old names"),
    ],
)
def test_a_pretrainer_is_read_from_any_variant(tensors, tmp_path):
    folder = folder_with(tmp_path / "bert", tensors)
    found = tensors_of(read_quietly(huggingface.read_pretrainer, folder))
    assert found.keys() == WEIGHTS.keys()
    assert all(np.array_equal(found[name], WEIGHTS[name]) for name in found)


@pytest.mark.parametrize(("dtype", "bits"), [("float16", 11), (ml_dtypes.bfloat16, 8)])
def test_short_floats_are_read_as_float32(dtype, bits, tmp_path):
    short = {name: x.astype(dtype) for name, x in WEIGHTS.items()}
    found = tensors_of(huggingface.read_pretrainer(folder_with(tmp_path / "bert", short)))
    for name, expected in WEIGHTS.items():
        assert found[name].dtype == "float32"
        np.testing.assert_allclose(found[name], expected, rtol=2.0**-bits, atol=1e-6)


def test_weights_in_several_files_are_read(tmp_path):
    folder = folder_with(tmp_path / "bert")
    (folder / "model.safetensors").unlink()
    names = list(WEIGHTS)
    parts = {"model-1-of-2.safetensors": names[:20], "model-2-of-2.safetensors": names[20:]}
    for file, of_file in parts.items():
        save_file({name: WEIGHTS[name] for name in of_file}, folder / file)
    files = {name: file for file, of_file in parts.items() for name in of_file}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": files}), "utf-8")
    found = tensors_of(huggingface.read_pretrainer(folder))
    assert all(np.array_equal(found[name], WEIGHTS[name]) for name in WEIGHTS)


@pytest.mark.parametrize(
    ("kind", "name", "has_pooler"),
    [
        ("BertForSequenceClassification", "classifier", True),
        ("BertForTokenClassification", "classifier", False),
        ("BertForQuestionAnswering", "qa_outputs", False),
    ],
)
def test_the_head_of_a_task_gives_the_logits_of_hugging_face(kind, name, has_pooler, tmp_path):
    weights = {f"{name}.{part}": FOUND[f"{kind}/{name}.{part}"] for part in ("weight", "bias")}
    pooler = {} if has_pooler else {f"bert.pooler.dense.{x}": None for x in ("weight", "bias")}
    folder = folder_with(tmp_path / "bert", {**changed(ENCODER, pooler), **weights})
    with warnings.catch_warnings(record=True) as caught:
        encoder = huggingface.read_encoder(folder)
    said = [str(one.message) for one in caught if one.category is UserWarning]
    message = (
        f"{folder}/model.safetensors: holds no bert.pooler.dense.weight and no "
        "bert.pooler.dense.bias, which stay as initialised."
    )
    assert said == ([] if has_pooler else [message])
    dense = keras.layers.Dense(len(weights[f"{name}.bias"]))
    dense.build((None, 32))
    dense.set_weights(huggingface.read_head(folder, name))
    expected, states = FOUND[f"{kind}/logits"], encoder(READ)
    if has_pooler:
        close(dense(states["pooled"]), expected)
    else:
        close(ops.convert_to_numpy(dense(states["tokens"]))[REAL], expected[REAL])


def test_a_masked_lm_alone_says_what_stays_as_initialised(tmp_path):
    parts = [f"cls.seq_relationship.{part}" for part in ("weight", "bias")]
    folder = folder_with(tmp_path / "bert", changed(WEIGHTS, dict.fromkeys(parts)))
    message = (
        f"{folder}/model.safetensors: holds no {parts[0]} and no {parts[1]}, which stay as "
        "initialised."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$") as caught:
        model = huggingface.read_pretrainer(folder)
    assert caught[0].filename == __file__
    found = tensors_of(model)
    assert not np.array_equal(found[parts[0]], WEIGHTS[parts[0]])
    assert all(np.array_equal(found[name], WEIGHTS[name]) for name in WEIGHTS.keys() - parts)


def test_sizes_dropouts_and_activation_are_those_of_the_config(tmp_path):
    changes = {
        "hidden_dropout_prob": 0.2,
        "attention_probs_dropout_prob": 0.3,
        "hidden_act": "relu",
        "model_type": None,
        "layer_norm_eps": None,
    }
    encoder = huggingface.read_encoder(folder_with(tmp_path / "bert", **changes))
    assert encoder.config == {
        "vocabulary_size": 61,
        "units": 32,
        "num_layers": 2,
        "num_heads": 4,
        "feed_forward_units": 48,
        "max_length": 24,
        "num_segments": 2,
        "dropout": 0.2,
        "attention_dropout": 0.3,
        "activation": "relu",
    }


@pytest.mark.parametrize("has_vocab_txt", [False, True])
def test_texts_have_the_ids_of_hugging_face(has_vocab_txt, tmp_path):
    folder = folder_with(tmp_path / "bert")
    text = huggingface.read_text(with_vocab_txt(folder, {}) if has_vocab_txt else folder)
    assert (text.lowercase, text.max_length) == (True, 24)
    found = text.encode(tf.constant(FOUND["texts"]), tf.constant(FOUND["seconds"]))
    np.testing.assert_array_equal(found["token_ids"].to_tensor(), FOUND["texts_token_ids"])
    np.testing.assert_array_equal(found["segment_ids"].to_tensor(), FOUND["texts_segment_ids"])


@pytest.mark.parametrize("lowercase", [True, False])
def test_casing_is_that_of_the_tokenizers_config(lowercase, tmp_path):
    settings = {"do_lower_case": lowercase, "strip_accents": lowercase}
    folder = with_vocab_txt(folder_with(tmp_path / "bert"), settings)
    assert huggingface.read_names(folder).lowercase is lowercase


@pytest.mark.parametrize("lowercase", [True, False])
def test_casing_is_else_that_of_the_tokenizer(lowercase, tmp_path):
    folder = folder_with(tmp_path / "bert")
    (folder / "tokenizer_config.json").unlink()
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["normalizer"]["lowercase"] = lowercase
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    assert huggingface.read_names(folder).lowercase is lowercase


def test_weights_and_names_are_read_where_tensorflow_is_not():
    program = (
        "import sys\n"
        "sys.modules['tensorflow'] = None\n"
        "from seqnlp.compat import huggingface\n"
        f"model = huggingface.read_pretrainer({str(FOLDER)!r})\n"
        f"names, lowercase = huggingface.read_names({str(FOLDER)!r})\n"
        "print(model.count_params(), len(names.pieces), lowercase)"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    number = sum(x.size for x in WEIGHTS.values())
    assert done.stdout.split() == [str(number), "61", "True"], done.stderr
