"""Scores of predictions."""

from seqnlp.metrics.alignment import (
    alignment_error_rate,
    alignment_links,
    attention_entropy,
    parse_links,
)
from seqnlp.metrics.answers import AnswerCounting, answer_scores, best_threshold, with_threshold
from seqnlp.metrics.correlation import Pearson
from seqnlp.metrics.perplexity import Perplexity
from seqnlp.metrics.span_scores import span_scores
from seqnlp.metrics.text_scores import class_scores, number_scores
from seqnlp.metrics.token_accuracy import TokenAccuracy
from seqnlp.metrics.translation_scores import CorpusScore, bleu, chrf
