try:
    import tensorflow
except ImportError as error:
    raise ImportError('seqnlp.text needs tensorflow: pip install "seqnlp[tensorflow]"') from error

from seqnlp.text.normalize import Normalizer, valid_utf8
from seqnlp.text.tagging_text import TaggingText
from seqnlp.text.tokenizers import CharacterTokenizer, RegexTokenizer, WordTokenizer
from seqnlp.text.vocabulary import Vocabulary
from seqnlp.text.word_vectors import load_word_vectors

__all__ = [
    "CharacterTokenizer",
    "Normalizer",
    "RegexTokenizer",
    "TaggingText",
    "Vocabulary",
    "WordTokenizer",
    "load_word_vectors",
    "valid_utf8",
]
