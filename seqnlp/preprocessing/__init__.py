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
from seqnlp.preprocessing.question_answering import (
    PrepareQuestionAnswering,
    prepare_question_answering,
)
from seqnlp.preprocessing.readers import ReadSentences, Sentence, SentenceReader
from seqnlp.preprocessing.rejects import Reject
from seqnlp.preprocessing.running import PrepareError
from seqnlp.preprocessing.split import SplitSentences
from seqnlp.preprocessing.squad import Question, ReadQuestions, SquadReader
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
    "PrepareQuestionAnswering",
    "PrepareTagging",
    "PrepareTranslation",
    "Question",
    "ReadDocuments",
    "ReadLabelledTexts",
    "ReadPairs",
    "ReadQuestions",
    "ReadSentences",
    "Reject",
    "Sentence",
    "SentenceReader",
    "SplitSentences",
    "SquadReader",
    "learn_sentence_piece",
    "learn_word_piece",
    "prepare_classification",
    "prepare_pretraining",
    "prepare_question_answering",
    "prepare_tagging",
    "prepare_translation",
]
