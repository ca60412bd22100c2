"""Writes a BERT as a folder of Hugging Face's transformers."""

import os

from seqnlp.compat.bert_config import config_of
from seqnlp.compat.bert_vocabulary import SETTINGS_FILE, TOKENIZER_FILE
from seqnlp.compat.bert_weights import tensors_of
from seqnlp.compat.json_files import write_json
from seqnlp.compat.tensor_files import write_safetensors
from seqnlp.models import BERTEncoder
from seqnlp.text.bert_names import CLASSIFY, MASK, SEPARATE, VOCABULARY_FILE
from seqnlp.text.files import make_folder, write_lines
from seqnlp.text.names import PADDING, UNKNOWN

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"


def write(model, text, folder):
    """Writes a folder that `from_pretrained` of Hugging Face's BERT and its tokenizer reads.

    That is config.json, model.safetensors, vocab.txt and tokenizer_config.json.

    Args:
        model: A built `BERTPretrainer`, or a `BERTEncoder` alone.
        text: Its `BERTText`, or the `CasedNames` that `read_names` gives.
        folder: Path of a local folder; made if missing. Files of these names are overwritten.

    Raises:
        ImportError: The package safetensors is missing.
        OSError: The folder or a file cannot be written.
        ValueError: Model or text do not go together or cannot be written, or the folder holds
            another tokenizer.
    """
    config = _checked(model, text, folder)
    is_whole = not isinstance(model, BERTEncoder)
    prefix = "" if is_whole else "bert."  # which names the encoder as a part
    tensors = {name.removeprefix(prefix): x for name, x in tensors_of(model).items()}
    make_folder(folder)
    write_safetensors(os.path.join(folder, WEIGHTS_FILE), tensors)
    write_lines(os.path.join(folder, VOCABULARY_FILE), text.names.pieces)
    settings = _settings(text.lowercase, config["max_position_embeddings"])
    write_json(os.path.join(folder, SETTINGS_FILE), settings)
    kinds = ["BertForPreTraining" if is_whole else "BertModel"]
    write_json(os.path.join(folder, CONFIG_FILE), {"architectures": kinds, **config})


def _checked(model, text, folder):
    """The fields of config.json, where all three can be written."""
    encoder = model if isinstance(model, BERTEncoder) else getattr(model, "encoder", None)
    if not isinstance(encoder, BERTEncoder) or not model.built:
        raise ValueError(
            f"`model` must be a built BERTPretrainer or BERTEncoder. Received: model={model!r}"
        )
    size, config = len(text.names.pieces), config_of(encoder)
    if size != config["vocab_size"]:
        raise ValueError(
            f"`text` must have {config['vocab_size']} pieces, as `model` has. "
            f"Received: {size} pieces"
        )
    if os.path.exists(os.path.join(folder, TOKENIZER_FILE)):
        raise ValueError(
            f"`folder` must hold no {TOKENIZER_FILE}: it would be read in place of "
            f"{VOCABULARY_FILE}. Received: folder={os.fspath(folder)!r}"
        )
    return config


def _settings(lowercase, max_length):
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lowercase,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "model_max_length": max_length,
        "pad_token": PADDING,
        "unk_token": UNKNOWN,
        "cls_token": CLASSIFY,
        "sep_token": SEPARATE,
        "mask_token": MASK,
    }
