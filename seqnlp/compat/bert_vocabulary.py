"""The vocabulary of a BERT and its casing, from the files of a checkpoint."""

import os
from typing import NamedTuple

from seqnlp.compat.json_files import read_json
from seqnlp.text.bert_names import GLUE, VOCABULARY_FILE, BERTNames

TOKENIZER_FILE, SETTINGS_FILE = "tokenizer.json", "tokenizer_config.json"


class CasedNames(NamedTuple):
    """What a `BERTText` is made of, for use without TensorFlow.

    Fields:
        names: `BERTNames`, the word pieces.
        lowercase: Whether texts lose their case and accents before they are cut into them.
    """

    names: BERTNames
    lowercase: bool


def read_vocab_txt(folder, size, config_path):
    """`BERTNames` from a folder's vocab.txt.

    Args:
        folder: Path of a folder.
        size: Number of pieces that there must be.
        config_path: The file that says so, for messages.

    Raises:
        FileNotFoundError, OSError: There is no such file, or it cannot be read.
        ValueError: It is no vocabulary of BERT, or has another size.
    """
    names = BERTNames.load(folder)
    _check_size(os.path.join(folder, VOCABULARY_FILE), names, size, config_path)
    return names


def read_tokenizer_json(folder, size, config_path):
    """`BERTNames` from a folder's tokenizer.json; as `read_vocab_txt`."""
    path = os.path.join(folder, TOKENIZER_FILE)
    model = read_json(path).get("model")
    kind, glue, vocabulary = (
        model.get(name) if isinstance(model, dict) else None
        for name in ("type", "continuing_subword_prefix", "vocab")
    )
    if (kind, glue) != ("WordPiece", GLUE) or not isinstance(vocabulary, dict):
        raise ValueError(
            f"{path}: model must be a WordPiece with a vocab, and with the prefix {GLUE!r}. "
            f"Received: type={kind!r}, continuing_subword_prefix={glue!r}"
        )
    pieces = dict(zip(vocabulary.values(), vocabulary, strict=True))
    missing = [at for at in range(len(vocabulary)) if at not in pieces]
    if missing:
        raise ValueError(
            f"{path}: vocab must have the ids 0 to {len(vocabulary) - 1}, each once. "
            f"Received: a vocab without {missing[0]}"
        )
    names = BERTNames([pieces[at] for at in range(len(pieces))])
    names.check(path)
    _check_size(path, names, size, config_path)
    return names


def read_casing(folder):
    """Whether a folder of Hugging Face's is "uncased".

    That is do_lower_case of tokenizer_config.json; where it is missing, lowercase of
    tokenizer.json's normalizer; where that is too, True, the default of Hugging Face's tokenizer.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file is not JSON, or asks for what `BERTText` does not do: to take away
            case without accents or accents alone, to leave ideographs together, or words that
            another program finds.
    """
    lowercase, said = True, {}
    path = os.path.join(folder, TOKENIZER_FILE)
    if os.path.isfile(path):
        said = _checked(path, read_json(path).get("normalizer") or {}, "lowercase")
        lowercase = said.get("lowercase", lowercase)
    path = os.path.join(folder, SETTINGS_FILE)
    if os.path.isfile(path):
        said = _checked(path, read_json(path), "do_lower_case")
        lowercase = said.get("do_lower_case", lowercase)
    return lowercase


def _checked(path, settings, casing):
    allowed = {
        "type": ("BertNormalizer",),  # of tokenizer.json alone
        casing: (True, False),
        "strip_accents": (None, settings.get(casing, True)),
        "tokenize_chinese_chars": (True,),
        "handle_chinese_chars": (True,),  # the same in tokenizer.json
        "word_tokenizer_type": (None, "basic"),  # of Japanese: "mecab"
    }
    for name, values in allowed.items():
        if name in settings and settings[name] not in values:
            must = " or ".join(map(repr, values))
            raise ValueError(f"{path}: {name} must be {must}. Received: {name}={settings[name]!r}")
    return settings


def _check_size(path, names, size, config_path):
    if len(names.pieces) != size:
        raise ValueError(
            f"{path}: must hold {size} pieces, as many as vocab_size of {config_path}. "
            f"Received: {len(names.pieces)} pieces"
        )
