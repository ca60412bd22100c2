"""Strings to ids. What works on tensors loads TensorFlow when it is first asked for."""

import importlib

from seqnlp.text.bert_names import BERTNames
from seqnlp.text.masked_lm import Masked, mask_tokens
from seqnlp.text.names import TaggingNames
from seqnlp.text.translation_names import TranslationNames
from seqnlp.text.word_vectors import load_word_vectors

_IN_THE_GRAPH = {
    "BERTText": "bert_text",
    "CharacterTokenizer": "tokenizers",
    "Normalizer": "normalize",
    "QuestionText": "question_text",
    "RegexTokenizer": "tokenizers",
    "SentencePiece": "sentence_piece",
    "TaggingText": "tagging_text",
    "TranslationText": "translation_text",
    "Vocabulary": "vocabulary",
    "WordPiece": "word_piece",
    "WordTokenizer": "tokenizers",
    "valid_utf8": "normalize",
}

__all__ = [
    *_IN_THE_GRAPH,
    "BERTNames",
    "Masked",
    "TaggingNames",
    "TranslationNames",
    "load_word_vectors",
    "mask_tokens",
]


def __getattr__(name):
    if name not in _IN_THE_GRAPH:
        raise AttributeError(f"module 'seqnlp.text' has no attribute {name!r}")
    try:
        import tensorflow
    except ImportError as error:
        raise ImportError(
            f'seqnlp.text.{name} needs tensorflow: pip install "seqnlp[tensorflow]"'
        ) from error
    return getattr(importlib.import_module(f"seqnlp.text.{_IN_THE_GRAPH[name]}"), name)


def __dir__():
    return sorted({*globals(), *__all__})
