"""Keras models: token ids to scores. Importing it registers every class for `.keras` files."""

import seqnlp.losses
import seqnlp.metrics
from seqnlp.models.conv_seq2seq import GEHRING_WMT16, ConvSeq2Seq
from seqnlp.models.crf_model import CRFModel
from seqnlp.models.tagger import Tagger
