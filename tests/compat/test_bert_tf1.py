"""Checkpoints as BERT was published, written by TensorFlow 1's Saver from a fixture's weights."""

import json
import re
import sys

import numpy as np
import pytest
import tensorflow as tf

from seqnlp.compat import bert_tf1
from seqnlp.compat.bert_weights import tensors_of
from tests.compat.huggingface_folders import (
    ENCODER,
    FOLDER,
    FOUND,
    WEIGHTS,
    changed,
    check_logits,
    check_states,
)

SIZES = (
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
    *("intermediate_size", "max_position_embeddings", "type_vocab_size", "hidden_act"),
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range"),
)
DENSE = ("attention/self/query", "attention/self/key", "attention/self/value")
DENSE += ("attention/output/dense", "intermediate/dense", "output/dense")


def published():
    """The variables of the fixture's model as TensorFlow 1 named and turned them."""
    embeddings = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    variables = {
        f"bert/embeddings/{name}": WEIGHTS[f"bert.embeddings.{name}.weight"] for name in embeddings
    }
    variables |= norm("bert/embeddings/LayerNorm", "bert.embeddings.LayerNorm")
    for at in (0, 1):
        ours, theirs = f"bert/encoder/layer_{at}", f"bert.encoder.layer.{at}"
        for name in DENSE:
            variables |= dense(f"{ours}/{name}", f"{theirs}.{name.replace('/', '.')}")
        variables |= norm(
            f"{ours}/attention/output/LayerNorm", f"{theirs}.attention.output.LayerNorm"
        )
        variables |= norm(f"{ours}/output/LayerNorm", f"{theirs}.output.LayerNorm")
    variables |= dense("bert/pooler/dense", "bert.pooler.dense")
    head = "cls/predictions/transform"
    variables |= dense(f"{head}/dense", "cls.predictions.transform.dense")
    variables |= norm(f"{head}/LayerNorm", "cls.predictions.transform.LayerNorm")
    return {
        **variables,
        "cls/predictions/output_bias": WEIGHTS["cls.predictions.bias"],
        "cls/seq_relationship/output_weights": WEIGHTS["cls.seq_relationship.weight"],
        "cls/seq_relationship/output_bias": WEIGHTS["cls.seq_relationship.bias"],
    }


def dense(name, other):
    return {
        f"{name}/kernel": WEIGHTS[f"{other}.weight"].T,
        f"{name}/bias": WEIGHTS[f"{other}.bias"],
    }


def norm(name, other):
    return {
        f"{name}/gamma": WEIGHTS[f"{other}.weight"],
        f"{name}/beta": WEIGHTS[f"{other}.bias"],
    }


def with_optimizer(variables):
    slots = ("adam_m", "adam_v")
    added = {f"{name}/{slot}": x * 0 for name, x in variables.items() for slot in slots}
    return {**variables, **added, "global_step": np.array(7, "int64")}


def folder_with(folder, variables, checkpoint="bert_model.ckpt", pieces=None, **changes):
    """A folder as it was published."""
    folder.mkdir()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, array in variables.items():
            tf.compat.v1.get_variable(name, initializer=np.asarray(array))
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver()
        saver.save(session, str(folder / checkpoint), write_meta_graph=False, write_state=False)
    config = json.loads((FOLDER / "config.json").read_text("utf-8"))
    config = {name: config[name] for name in SIZES}
    (folder / "bert_config.json").write_text(json.dumps(changed(config, changes)), "utf-8")
    tokenizer = json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))
    lines = list(tokenizer["model"]["vocab"]) if pieces is None else pieces
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in lines), "utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tf1") / "uncased_L-2_H-32_A-4"
    return folder_with(path, with_optimizer(published()))


def test_a_pretrainer_gives_the_logits_of_hugging_face(folder):
    model = bert_tf1.read_pretrainer(folder)
    found = tensors_of(model)
    assert found.keys() == WEIGHTS.keys()
    assert all(np.array_equal(found[name], WEIGHTS[name]) for name in found)
    check_states(model.encoder)
    check_logits(model)


def test_a_fine_tuned_encoder_gives_the_states_of_hugging_face(tmp_path):
    head = {"output_weights": np.zeros((3, 32)), "output_bias": np.zeros(3)}
    encoder = {name: x for name, x in published().items() if name.startswith("bert/")}
    variables = with_optimizer({**encoder, **head})
    tuned = folder_with(tmp_path / "tuned", variables, checkpoint="model.ckpt-7")
    found = bert_tf1.read_encoder(tuned, checkpoint="model.ckpt-7")
    assert tensors_of(found).keys() == ENCODER.keys()
    check_states(found)


def test_texts_have_the_ids_of_hugging_face(folder):
    text = bert_tf1.read_text(folder)
    assert (text.lowercase, text.max_length) == (True, 24)
    found = text.encode(tf.constant(FOUND["texts"]), tf.constant(FOUND["seconds"]))
    np.testing.assert_array_equal(found["token_ids"].to_tensor(), FOUND["texts_token_ids"])


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("Uncased_small", None, True),
        ("multi_cased_L-12", None, False),
        ("uncased_small", False, False),
        ("chinese_L-12", True, True),
    ],
)
def test_casing_is_what_is_given_or_the_name_says(name, given, expected, tmp_path):
    assert (
        bert_tf1.read_names(folder_with(tmp_path / name, {"x": 0.0}), given).lowercase == expected
    )


def test_casing_that_nothing_says_is_refused(tmp_path):
    folder = folder_with(tmp_path / "chinese_L-12", {"x": 0.0})
    message = (
        "`lowercase` must be True or False where the folder's name says neither uncased nor "
        f"cased. Received: lowercase=None, folder={str(folder)!r}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        bert_tf1.read_names(folder)


QUERY = "bert/encoder/layer_1/attention/self/query/kernel"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {QUERY: None},
            f"expected the weights of a BERT of this size. Missing: {QUERY}. One too many: none.",
        ),
        (
            {"cls/predictions/output_weights": np.zeros(3)},
            "expected the weights of a BERT of this size. "
            "Missing: none. One too many: cls/predictions/output_weights.",
        ),
        (
            {"bert/encoder/layer_0/intermediate/dense/kernel": np.zeros((48, 32))},
            "bert/encoder/layer_0/intermediate/dense/kernel: expected shape (32, 48), "
            "received (48, 32).",
        ),
        (
            {"bert/embeddings/word_embeddings": np.zeros((60, 32))},
            "bert/embeddings/word_embeddings: expected shape (61, 32), received (60, 32).",
        ),
    ],
)
def test_other_weights_are_named(change, message, tmp_path):
    folder = folder_with(tmp_path / "uncased", changed(published(), change))
    place = f"{folder}/bert_model.ckpt: "
    with pytest.raises(ValueError, match=f"^{re.escape(place + message)}$"):
        bert_tf1.read_pretrainer(folder)


@pytest.mark.parametrize("number", [60, 62])
def test_a_vocabulary_of_another_size_is_refused(number, tmp_path):
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*specials, *(f"w{at}" for at in range(5, number))]
    folder = folder_with(tmp_path / "uncased", {"x": 0.0}, pieces=pieces)
    message = (
        f"{folder}/vocab.txt: must hold 61 pieces, as many as vocab_size of bert_config.json. "
        f"Received: {number} pieces"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        bert_tf1.read_names(folder)


def test_a_folder_without_checkpoint_is_refused(tmp_path):
    folder = folder_with(tmp_path / "uncased", {"x": 0.0}, checkpoint="other.ckpt")
    message = f"{folder}/bert_model.ckpt.index: there is no such file."
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        bert_tf1.read_encoder(folder)


@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
def test_a_truncated_checkpoint_is_refused(ending, tmp_path):
    folder = folder_with(tmp_path / "uncased", published())
    path = folder / f"bert_model.ckpt.{ending}"
    path.write_bytes(path.read_bytes()[:100])
    sizes = ", ".join(
        f"{file.name} of {file.stat().st_size} bytes"
        for file in sorted(folder.glob("bert_model.ckpt.*"))
    )
    message = f"{folder}/bert_model.ckpt: must be a whole TensorFlow checkpoint. Received: {sizes}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        bert_tf1.read_pretrainer(folder)


def test_a_missing_tensorflow_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    message = 'reading a TensorFlow checkpoint needs tensorflow: pip install "seqnlp[tensorflow]"'
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        bert_tf1.read_encoder(folder)


def test_a_config_that_is_missing_is_named(folder):
    message = f"{folder.parent}/bert_config.json: there is no such file."
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        bert_tf1.read_encoder(folder.parent)
