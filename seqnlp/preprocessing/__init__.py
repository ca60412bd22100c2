try:
    import apache_beam
except ImportError as error:
    raise ImportError(
        'seqnlp.preprocessing needs apache-beam: pip install "seqnlp[beam]"'
    ) from error

from seqnlp.preprocessing.classification import PrepareClassification, prepare_classification
from seqnlp.preprocessing.documents import Document, DocumentReader, ReadDocuments
from seqnlp.preprocessing.labelled_texts import (
    LabelledText,
    LabelledTextReader,
    ReadLabelledTexts,
)
from seqnlp.preprocessing.pairs import Pair, PairReader, ReadPairs
from seqnlp.preprocessing.pretraining import PreparePretraining, prepare_pretraining
from seqnlp.preprocessing.readers import ReadSentences, Sentence, SentenceReader
from seqnlp.preprocessing.rejects import Reject
from seqnlp.preprocessing.running import PrepareError
from seqnlp.preprocessing.split import SplitSentences
from seqnlp.preprocessing.subwords import learn_sentence_piece, learn_word_piece
from seqnlp.preprocessing.tagging import PrepareTagging, prepare_tagging
from seqnlp.preprocessing.translation import PrepareTranslation, prepare_translation
from seqnlp.preprocessing.vocabulary import CountValues

__all__ = [
    "CountValues",
    "Document",
    "DocumentReader",
    "LabelledText",
    "LabelledTextReader",
    "Pair",
    "PairReader",
    "PrepareClassification",
    "PrepareError",
    "PreparePretraining",
    "PrepareTagging",
    "PrepareTranslation",
    "ReadDocuments",
    "ReadLabelledTexts",
    "ReadPairs",
    "ReadSentences",
    "Reject",
    "Sentence",
    "SentenceReader",
    "SplitSentences",
    "learn_sentence_piece",
    "learn_word_piece",
    "prepare_classification",
    "prepare_pretraining",
    "prepare_tagging",
    "prepare_translation",
]
