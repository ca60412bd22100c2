"""Reads and writes the folders that Hugging Face's transformers keeps a BERT in.

    encoder = huggingface.read_encoder("DATA/bert-base-uncased")
    text = huggingface.read_text("DATA/bert-base-uncased")

gives the encoder and what turns strings into its ids; `write` is the way back.
"""

import os

import numpy as np

from seqnlp.compat.bert_config import read_arguments
from seqnlp.compat.bert_vocabulary import (
    TOKENIZER_FILE,
    CasedNames,
    read_casing,
    read_tokenizer_json,
    read_vocab_txt,
)
from seqnlp.compat.bert_weights import built, load
from seqnlp.compat.huggingface_writing import CONFIG_FILE, write
from seqnlp.compat.tensor_files import read_tensors
from seqnlp.models import BERTEncoder, BERTPretrainer
from seqnlp.text.bert_names import VOCABULARY_FILE

__all__ = ["read_encoder", "read_head", "read_names", "read_pretrainer", "read_text", "write"]

_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")  # what the model can count
# What some files hold a second time, and what it is a copy of.
_TIED = {
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}


def read_encoder(folder):
    """The encoder of a checkpoint, with whatever heads it was saved.

    A checkpoint without pooler, as masked LMs and taggers are saved, gives an encoder whose
    `pooled` is as initialised, and a warning that says so.

    Args:
        folder: Path of a local folder with config.json and weights, see
            `seqnlp.compat.tensor_files.read_tensors`.

    Returns:
        `seqnlp.models.BERTEncoder`.

    Raises:
        ImportError: The package that reads the file of weights is missing.
        FileNotFoundError, OSError: A file is missing or cannot be read.
        ValueError: A file does not hold what it should, or what `BERTEncoder` is not; the
            message names file and field.
    """
    arguments = read_arguments(os.path.join(folder, CONFIG_FILE))
    path, tensors = _read_own_tensors(folder)
    prefix = "bert." if _is_prefixed(tensors) else ""
    own = {
        name: tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix) and not name.startswith("cls.")
    }
    model = built(BERTEncoder, arguments)
    load(model, own, path, _spelling(own))
    return model


def read_pretrainer(folder):
    """The encoder of a checkpoint and its two heads.

    A checkpoint of a masked LM alone has no head for the next sentence and maybe no pooler; they
    are as initialised then, and a warning says so.

    Args:
        folder: As for `read_encoder`.

    Returns:
        `seqnlp.models.BERTPretrainer`.

    Raises:
        ImportError, FileNotFoundError, OSError, ValueError: As `read_encoder`, and where there
            is no head of a masked LM, or it scores tokens with other vectors than it embeds
            them with.
    """
    arguments = read_arguments(os.path.join(folder, CONFIG_FILE))
    path, tensors = _read_own_tensors(folder)
    if not any(name.startswith("cls.predictions.") for name in tensors):
        raise ValueError(
            f"{path}: must hold a masked LM, cls.predictions; `read_encoder` reads a file "
            f"without. Received: no such weight among {len(tensors)}"
        )
    for copy, name in _TIED.items():
        name = name if _is_prefixed(tensors) else name.removeprefix("bert.")
        if copy in tensors:
            copied = tensors.pop(copy)
            if not np.array_equal(tensors.setdefault(name, copied), copied):
                raise ValueError(
                    f"{path}: {copy} must equal {name}, as `MaskedLMHead` has no table of its "
                    "own. Received: other values"
                )
    model = built(BERTPretrainer, arguments)
    load(model, tensors, path, _spelling(tensors))
    return model


def read_head(folder, name):
    """The weights of a dense layer above the encoder: "classifier", or "qa_outputs" of spans.

        dense = keras.layers.Dense(num_labels)
        dense.build((None, units))
        dense.set_weights(read_head(folder, "classifier"))

    Args:
        folder: As for `read_encoder`.
        name: What the weights are called before `.weight` and `.bias`.

    Returns:
        List of float32 arrays, kernel `(units, labels)` and bias `(labels,)`.

    Raises:
        ImportError, FileNotFoundError, ValueError: As `read_tensors`, and where there is no
            such head.
    """
    path, tensors = _read_own_tensors(folder)
    names = [f"{name}.weight", f"{name}.bias"]
    if not tensors.keys() >= set(names):
        heads = sorted(other for other in tensors if not other.startswith("bert."))
        raise ValueError(f"{path}: must hold {' and '.join(names)}. Received: the heads {heads}")
    kernel, bias = (tensors[name] for name in names)
    return [np.ascontiguousarray(kernel.T), bias]


def read_names(folder):
    """The word pieces of a checkpoint and its casing, without TensorFlow.

    Args:
        folder: Path of a folder with config.json, vocab.txt or tokenizer.json, and
            tokenizer_config.json, without which case is as tokenizer.json says, or is taken
            away, as Hugging Face does.

    Returns:
        `CasedNames`: the `BERTNames`, and whether case is taken away.

    Raises:
        FileNotFoundError, OSError: A file is missing or cannot be read.
        ValueError: A file does not hold what it should, or asks for what `BERTText` does not do.
    """
    config_path = os.path.join(folder, CONFIG_FILE)
    size = read_arguments(config_path)["vocabulary_size"]
    has = {name: os.path.isfile(os.path.join(folder, name)) for name in _VOCABULARIES}
    name = TOKENIZER_FILE if has[TOKENIZER_FILE] and not has[VOCABULARY_FILE] else VOCABULARY_FILE
    return CasedNames(_VOCABULARIES[name](folder, size, CONFIG_FILE), read_casing(folder))


def read_text(folder):
    """`seqnlp.text.BERTText` of what `read_names` reads, as long as the encoder's positions."""
    from seqnlp.text import BERTText

    names, lowercase = read_names(folder)
    arguments = read_arguments(os.path.join(folder, CONFIG_FILE))
    return BERTText(names.pieces, lowercase, arguments["max_length"])


def _read_own_tensors(folder):
    path, tensors = read_tensors(folder)
    return path, {name: x for name, x in tensors.items() if not name.endswith(_BUFFERS)}


def _is_prefixed(tensors):
    """Whether the encoder's weights are named as those of a part, and not of the whole."""
    return any(name.startswith("bert.") for name in tensors)


def _spelling(tensors):
    """Function from a `Slot` to the same under the names that a file has."""
    prefixed = _is_prefixed(tensors)
    old = any(name.endswith("LayerNorm.gamma") for name in tensors)

    def spell(name):
        name = name if prefixed else name.removeprefix("bert.")
        for new_part, old_part in (("weight", "gamma"), ("bias", "beta")):
            if old and name.endswith(f"LayerNorm.{new_part}"):
                name = f"{name.removesuffix(new_part)}{old_part}"
        return name

    return lambda slot: slot.spelled(spell)


_VOCABULARIES = {VOCABULARY_FILE: read_vocab_txt, TOKENIZER_FILE: read_tokenizer_json}
