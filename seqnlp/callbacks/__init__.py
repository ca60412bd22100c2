"""Callbacks for `fit`: decoding the validation split, the best model, pictures for TensorBoard."""

from seqnlp.callbacks.keeping import Backup, KeepBest, KeepLast
from seqnlp.callbacks.question_evaluation import (
    FoundAnswer,
    QuestionEvaluation,
    choose_threshold,
    find_answers,
    found_scores,
)
from seqnlp.callbacks.tag_evaluation import TagEvaluation, decode, joint_scores, tag_scores
from seqnlp.callbacks.tensorboard_pretrainer import TensorBoardPretrainer
from seqnlp.callbacks.tensorboard_tagger import TensorBoardTagger
from seqnlp.callbacks.tensorboard_translator import TensorBoardTranslator
from seqnlp.callbacks.throughput import Throughput
from seqnlp.callbacks.translations import TranslationEvaluation, Translations
