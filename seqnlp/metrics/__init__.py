"""Scores of predictions."""

from seqnlp.metrics.perplexity import Perplexity
from seqnlp.metrics.span_scores import span_scores
from seqnlp.metrics.token_accuracy import TokenAccuracy
