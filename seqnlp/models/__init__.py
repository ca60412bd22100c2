"""Keras models: token ids to scores. Importing it registers every class for `.keras` files."""

import seqnlp.losses
import seqnlp.metrics
from seqnlp.models.bert import (
    BERT_BASE,
    BERT_LARGE,
    BERT_MEDIUM,
    BERT_MINI,
    BERT_SMALL,
    BERT_TINY,
    BERTEncoder,
    BERTPretrainer,
    MaskedLMHead,
    NextSentenceHead,
    pretraining_losses,
)
from seqnlp.models.bert_heads import (
    BERTClassifier,
    BERTRegressor,
    BERTSpanExtractor,
    span_losses,
)
from seqnlp.models.bert_tagger import BERTTagger
from seqnlp.models.conv_seq2seq import GEHRING_WMT16, ConvSeq2Seq
from seqnlp.models.crf_model import CRFModel
from seqnlp.models.gpt import GPT, GPT1, GPT2_MEDIUM, GPT2_SMALL
from seqnlp.models.rnn_seq2seq import RNNSeq2Seq
from seqnlp.models.tagger import Tagger
from seqnlp.models.transformer_seq2seq import (
    TRANSFORMER_BASE,
    TRANSFORMER_BIG,
    TransformerSeq2Seq,
)
