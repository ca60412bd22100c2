"""Folders as people have them, made of the small model that write_huggingface.py wrote."""

import json
import pathlib
import shutil

import numpy as np
from keras import ops
from safetensors.numpy import save_file

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
FOLDER = FIXTURES / "huggingface"
FOUND = np.load(FIXTURES / "huggingface_bert.npz")
TIED = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
WEIGHTS = {
    name.removeprefix("weights/"): FOUND[name]
    for name in FOUND
    if name.startswith("weights/") and not name.endswith(TIED)
}
ENCODER = {name: x for name, x in WEIGHTS.items() if name.startswith("bert.")}
READ = {name: FOUND[name].astype("int32") for name in ("token_ids", "segment_ids")}
INPUTS = {**READ, "positions": np.tile(np.arange(20, dtype="int32"), (4, 1))}
REAL = READ["token_ids"] != 0


def changed(mapping, changes):
    """A dict with other values; those that are None are left out."""
    return {name: x for name, x in {**mapping, **changes}.items() if x is not None}


def folder_with(folder, tensors=None, **changes):
    """A copy of the fixture with other tensors, and fields of config.json changed."""
    shutil.copytree(FOLDER, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(changed(config, changes)), "utf-8")
    if tensors is not None:
        save_file(dict(tensors), folder / "model.safetensors")
    return folder


def with_vocab_txt(folder, settings, pieces=None):
    """Puts a vocab.txt in the place of tokenizer.json, and settings into tokenizer_config.json."""
    vocabulary = json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    lines = list(vocabulary) if pieces is None else pieces
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in lines), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    return folder


def close(actual, expected, tolerance=1e-4):
    actual = ops.convert_to_numpy(actual)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def check_states(encoder):
    """Its states are those of Hugging Face."""
    states = encoder(READ)
    close(ops.convert_to_numpy(states["tokens"])[REAL], FOUND["tokens"][REAL])
    close(states["pooled"], FOUND["pooled"])


def check_logits(model):
    """Its logits are those of Hugging Face."""
    logits = model(INPUTS)
    close(ops.convert_to_numpy(logits["masked_lm"])[REAL], FOUND["masked_lm"][REAL])
    close(logits["next_sentence"], FOUND["next_sentence"])
