"""A trained model on disk: the `.keras` file, and beside it the text it was trained with."""

import json
import os
import pathlib
import shutil

import keras

import seqnlp.models  # noqa: F401 - registers what a .keras file holds
from seqnlp.text.bert_names import (
    BERT_FILES,
    BERT_FOLDER,
    QUESTIONS_FILE,
    VOCABULARY_FILE,
    BERTNames,
)
from seqnlp.text.names import CONFIG_FILE, LABELS_FILE, TEXT_FILES, read_names
from seqnlp.text.translation_names import SUBWORD_FILES

ENCODING_FILE = "encoding.json"


def text_folder(path):
    """`model.keras` -> `model.text`: vocabularies and tags, so that ids keep their meaning."""
    return pathlib.Path(path).with_suffix(".text")


def save_text(path, examples, encoding=None):
    """Copies what loading needs from the folder of the examples to beside the model file `path`.

    `encoding` is the tag scheme of a tagger, None for another model.
    """
    folder = text_folder(path)
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / BERT_FOLDER).mkdir(parents=True)
    for name in {*TEXT_FILES, *SUBWORD_FILES, VOCABULARY_FILE, QUESTIONS_FILE, *BERT_FILES}:
        if os.path.exists(os.path.join(examples, name)):
            shutil.copy(os.path.join(examples, name), partial / name)
    if not any((partial / BERT_FOLDER).iterdir()):
        (partial / BERT_FOLDER).rmdir()
    if encoding is not None:
        (partial / ENCODING_FILE).write_text(json.dumps(encoding))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)


def load(path):
    """`(model, text, encoding)` of a tagger's file; a `ValueError` says in a sentence why not."""
    from seqnlp.text import TaggingText

    model, folder = _load(path, ENCODING_FILE)
    encoding = json.loads((folder / ENCODING_FILE).read_text())
    return model, TaggingText.load(str(folder)), encoding


def load_translator(path):
    """`(model, text)` of a translator's file; a `ValueError` says in a sentence why not."""
    from seqnlp.text import TranslationText

    model, folder = _load(path, CONFIG_FILE)
    return model, TranslationText.load(str(folder))


def load_bert(path):
    """`(model, text)` of a file of BERT's; a `ValueError` says in a sentence why not."""
    from seqnlp.text import BERTText

    model, folder = _load(path, VOCABULARY_FILE)
    return model, BERTText.load(str(folder))


def load_classifier(path):
    """`(model, text, labels)` of a file of a classifier's, the labels None of regression.

    A `ValueError` says in a sentence why not.
    """
    from seqnlp.models import BERTClassifier, BERTRegressor

    model, text = load_bert(path)
    if not isinstance(model, BERTClassifier | BERTRegressor):
        raise ValueError(
            f"{path}: expected a model of pipelines.classification. "
            f"Received: a {type(model).__name__}"
        )
    if isinstance(model, BERTRegressor):
        return model, text, None
    return model, text, read_names(str(text_folder(path) / LABELS_FILE), "label")


def load_answerer(path):
    """`(model, text)` of a file that answers questions; a `ValueError` says why not."""
    from seqnlp.text import QuestionText

    model, folder = _load(path, QUESTIONS_FILE)
    return model, QuestionText.load(str(folder))


def load_pretrained(path):
    """`(model, pieces)`: as `load_bert`, without TensorFlow."""
    model, folder = _load(path, VOCABULARY_FILE)
    return model, BERTNames.load(str(folder)).pieces


def _load(path, needed):
    """The model of a file, and the folder of its text, which must hold the file `needed`."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: expected a .keras file; run the train stage first")
    folder = text_folder(path)
    if not (folder / needed).is_file():
        raise ValueError(
            f"{folder}: expected the vocabularies that the train stage writes beside {path.name}; "
            "copy them too, or train again"
        )
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # zip, JSON, HDF5 and Keras each raise their own
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"{path}: expected a .keras file that can be read; train again. "
            f"Received: {type(error).__name__}: {reason}"
        ) from None
    model.compile(jit_compile=False)  # batches of many shapes come in
    return model, folder


def remove(path):
    """Removes the model file and its text."""
    pathlib.Path(path).unlink(missing_ok=True)
    shutil.rmtree(text_folder(path), ignore_errors=True)
