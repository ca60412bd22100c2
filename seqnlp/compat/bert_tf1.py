"""Reads the checkpoints that BERT was published as, which TensorFlow 1 wrote.

    encoder = bert_tf1.read_encoder("DATA/uncased_L-12_H-768_A-12")
    text = bert_tf1.read_text("DATA/uncased_L-12_H-768_A-12")

reads bert_config.json, bert_model.ckpt.index with its .data files, and vocab.txt.
"""

import os
import re

from seqnlp.compat.bert_config import read_arguments
from seqnlp.compat.bert_vocabulary import CasedNames, read_vocab_txt
from seqnlp.compat.bert_weights import built, load
from seqnlp.models import BERTEncoder, BERTPretrainer

CONFIG_FILE, CHECKPOINT = "bert_config.json", "bert_model.ckpt"
# Of the optimizer, not of the model.
_IGNORED = re.compile(r"(^|/)(global_step|adam_m|adam_v)$")
# From the names of Hugging Face to those of the checkpoints, one after the other.
_TRANSLATION = (
    (r"^cls\.(predictions|seq_relationship)\.bias$", r"cls.\1.output_bias"),
    (r"^cls\.seq_relationship\.weight$", "cls.seq_relationship.output_weights"),
    (r"_embeddings\.weight$", "_embeddings"),
    (r"\.LayerNorm\.weight$", ".LayerNorm.gamma"),
    (r"\.LayerNorm\.bias$", ".LayerNorm.beta"),
    (r"\.weight$", ".kernel"),
    (r"\.layer\.", ".layer_"),
    (r"\.", "/"),
)


def read_encoder(folder, checkpoint=CHECKPOINT):
    """The encoder of a checkpoint, with whatever heads it was saved.

    "gelu" is read as the exact function, as everywhere; the code that trained the published
    models computes an approximation, which differs by less than 5e-4.

    Args:
        folder: Path of a folder.
        checkpoint: What its files' names share: "model.ckpt-1000" of a fine-tuned model.

    Returns:
        `seqnlp.models.BERTEncoder`.

    Raises:
        ImportError: TensorFlow is missing.
        FileNotFoundError, OSError: A file is missing or cannot be read.
        ValueError: A file does not hold what it should, or what `BERTEncoder` is not; the
            message names file and field.
    """
    return _read(BERTEncoder, folder, checkpoint, "bert/")


def read_pretrainer(folder, checkpoint=CHECKPOINT):
    """The encoder of a checkpoint and its two heads, a `BERTPretrainer`; as `read_encoder`."""
    return _read(BERTPretrainer, folder, checkpoint, "")


def read_names(folder, lowercase=None):
    """The word pieces of a checkpoint and its casing.

    Args:
        folder: Path of a folder with bert_config.json and vocab.txt.
        lowercase: Whether case and accents are taken away. None: what the folder's name says,
            as the published "uncased_L-12_H-768_A-12" does; nothing in the folder says it.

    Returns:
        `CasedNames`: the `BERTNames`, and `lowercase`.

    Raises:
        FileNotFoundError, OSError: A file is missing or cannot be read.
        ValueError: A file does not hold what it should, or `lowercase` is None and the folder's
            name holds neither "uncased" nor "cased".
    """
    size = read_arguments(os.path.join(folder, CONFIG_FILE))["vocabulary_size"]
    if lowercase is None:
        lowercase = _casing_of(folder)
    return CasedNames(read_vocab_txt(folder, size, CONFIG_FILE), lowercase)


def read_text(folder, lowercase=None):
    """`seqnlp.text.BERTText` of what `read_names` reads, as long as the encoder's positions."""
    from seqnlp.text import BERTText

    names, lowercase = read_names(folder, lowercase)
    arguments = read_arguments(os.path.join(folder, CONFIG_FILE))
    return BERTText(names.pieces, lowercase, arguments["max_length"])


def _read(kind, folder, checkpoint, prefix):
    arguments = read_arguments(os.path.join(folder, CONFIG_FILE))
    path = os.path.join(folder, checkpoint)
    tensors = _read_tensors(path, prefix)
    model = built(kind, arguments)
    load(model, tensors, path, _spelled)
    return model


def _spelled(slot):
    """A `Slot` under the names of the checkpoints, whose kernels are `(from, to)` as ours are."""
    as_theirs = slot.names[0] == "cls.seq_relationship.weight"
    return slot.spelled(_translated, transposed=as_theirs)


def _translated(name):
    for pattern, replacement in _TRANSLATION:
        name = re.sub(pattern, replacement, name)
    return name


def _read_tensors(path, prefix):
    """Dict of the checkpoint's arrays whose names begin with `prefix`, without the optimizer's."""
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            'reading a TensorFlow checkpoint needs tensorflow: pip install "seqnlp[tensorflow]"'
        ) from error
    if not tf.io.gfile.exists(f"{path}.index"):
        raise FileNotFoundError(f"{path}.index: there is no such file.")
    try:
        checkpoint = tf.train.load_checkpoint(os.fspath(path))
        return {
            name: checkpoint.get_tensor(name)
            for name in checkpoint.get_variable_to_shape_map()
            if name.startswith(prefix) and not _IGNORED.search(name)
        }
    except (tf.errors.OpError, RuntimeError, IndexError, ValueError):
        sizes = ", ".join(
            f"{os.path.basename(name)} of {tf.io.gfile.stat(name).length} bytes"
            for name in sorted(tf.io.gfile.glob(f"{path}.*"))
        )
        raise ValueError(
            f"{path}: must be a whole TensorFlow checkpoint. Received: {sizes}"
        ) from None


def _casing_of(folder):
    name = os.path.basename(os.path.abspath(folder)).lower()
    if "cased" not in name:
        raise ValueError(
            "`lowercase` must be True or False where the folder's name says neither uncased nor "
            f"cased. Received: lowercase=None, folder={os.fspath(folder)!r}"
        )
    return "uncased" in name
