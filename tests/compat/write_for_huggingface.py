"""Writes folders of ours, and their answers, for check_huggingface.py to compare with.

python -m tests.compat.write_for_huggingface FOLDER
"""

import json
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from seqnlp.compat import huggingface
from seqnlp.models import BERTEncoder, BERTPretrainer
from seqnlp.text import BERTText
from tests.compat.huggingface_folders import FOLDER, FOUND, INPUTS

SIZES = {"units": 40, "num_layers": 3, "num_heads": 5, "feed_forward_units": 56, "max_length": 24}
TEXTS, SECONDS = (FOUND[name].tolist() for name in ("texts", "seconds"))


def main(folder):
    """Writes a folder for each kind of model and casing."""
    write(folder / "gelu", "gelu", lowercase=True)
    write(folder / "relu", "relu", lowercase=False)
    write(folder / "encoder", "silu", lowercase=True, heads=False)


def write(folder, activation, lowercase, heads=True):
    """Writes a random model, and what it answers, into `answers.npz`."""
    keras.utils.set_random_seed(0)
    model = BERTEncoder(61, **SIZES, activation=activation)
    model = BERTPretrainer(model) if heads else model
    model.build(dict.fromkeys(INPUTS, (None, None)))
    random = np.random.default_rng(0)
    for weight in model.weights:  # norms and biases too: their defaults hide errors
        weight.assign_add(random.normal(0, 0.1, weight.shape))
    text = BERTText(huggingface.read_names(FOLDER).names.pieces, lowercase, SIZES["max_length"])
    huggingface.write(model, text, folder)
    encoded = text.encode(tf.constant(TEXTS), tf.constant(SECONDS))
    answers = {name: ops.convert_to_numpy(x) for name, x in model(INPUTS).items()}
    for name in ("token_ids", "segment_ids"):
        answers |= {name: INPUTS[name], f"texts_{name}": encoded[name].to_tensor().numpy()}
    np.savez(folder / "answers.npz", **answers)
    (folder / "texts.json").write_text(json.dumps([TEXTS, SECONDS]), "utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
