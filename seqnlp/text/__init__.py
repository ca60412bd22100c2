from seqnlp.text.normalize import Normalizer, valid_utf8
from seqnlp.text.tagging_text import TaggingText
from seqnlp.text.tokenizers import CharacterTokenizer, RegexTokenizer, WordTokenizer
from seqnlp.text.vocabulary import Vocabulary

__all__ = [
    "CharacterTokenizer",
    "Normalizer",
    "RegexTokenizer",
    "TaggingText",
    "Vocabulary",
    "WordTokenizer",
    "valid_utf8",
]
