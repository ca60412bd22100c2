"""The BERT of a path, whoever wrote it: a model of ours, or a folder of a published checkpoint."""

import pathlib

from pipelines import trained_model
from seqnlp.compat import bert_tf1, huggingface
from seqnlp.compat.bert_vocabulary import CasedNames
from seqnlp.text import BERTNames
from seqnlp.text.bert_names import VOCABULARY_FILE, read_bert_settings
from seqnlp.text.names import CONFIG_FILE


def read_names(path, flag, lowercase=False):
    """What a BERT reads, `CasedNames`.

    Args:
        path: A model.keras, or the folder of a checkpoint of Hugging Face or of Google's BERT.
        flag: Name of the option that the path was given by.
        lowercase: Whether the user says that case is taken away, which Google's folders do not.

    Raises:
        ValueError: There is no such BERT, or its vocabulary is none; the message names the file.
    """
    path = pathlib.Path(path)
    if path.suffix == ".keras":
        if not path.is_file():
            raise ValueError(f"`{flag}` must name a file that is there. Received: {path}")
        folder = trained_model.text_folder(path)
        for name in (VOCABULARY_FILE, CONFIG_FILE):
            if not (folder / name).is_file():
                raise ValueError(
                    f"{folder / name}: expected the vocabulary that the train stage of "
                    f"pipelines.pretraining writes beside {path.name}. Received: no such file"
                )
        settings = read_bert_settings(str(folder))
        return CasedNames(BERTNames.load(str(folder)), settings["lowercase"])
    reader = _reader(path, flag)
    if reader is bert_tf1:
        return bert_tf1.read_names(str(path), lowercase or None)
    return reader.read_names(str(path))


def read_encoder(path, flag):
    """The `BERTEncoder` of a path, see `read_names`."""
    if pathlib.Path(path).suffix == ".keras":
        return trained_model.load_pretrained(path)[0].encoder
    return _reader(pathlib.Path(path), flag).read_encoder(str(path))


def read_pretrainer(path, flag):
    """The `BERTPretrainer` of a path, see `read_names`."""
    if pathlib.Path(path).suffix == ".keras":
        return trained_model.load_pretrained(path)[0]
    return _reader(pathlib.Path(path), flag).read_pretrainer(str(path))


def _reader(path, flag):
    """The module that reads a folder."""
    for module, name in ((bert_tf1, "bert_config.json"), (huggingface, "config.json")):
        if (path / name).is_file():
            return module
    raise ValueError(
        f"`{flag}` must be a .keras file of pipelines.pretraining, or a folder with the "
        f"config.json of Hugging Face's BERT or the bert_config.json of Google's. Received: {path}"
    )
