"""Keras layers: tensors to tensors."""

from seqnlp.layers.bahdanau_attention import BahdanauAttention
from seqnlp.layers.cache import portable_caches
from seqnlp.layers.char_cnn import KIM_LARGE, KIM_SMALL, CharCNN
from seqnlp.layers.char_lstm import CharLSTM
from seqnlp.layers.conv import GatedConv
from seqnlp.layers.crf import CRF
from seqnlp.layers.crf_decode import crf_decode
from seqnlp.layers.crf_entropy import crf_entropy
from seqnlp.layers.crf_k_best import crf_k_best
from seqnlp.layers.crf_likelihood import (
    crf_log_likelihood,
    crf_log_norm,
    crf_marginals,
    crf_partial_log_likelihood,
    crf_sequence_score,
)
from seqnlp.layers.crf_sample import crf_sample
from seqnlp.layers.crf_tag_probabilities import crf_tag_log_probabilities
from seqnlp.layers.final_state import FinalState
from seqnlp.layers.gating import GatedLinearUnit, Highway, gated_linear_unit
from seqnlp.layers.heads import TokenSoftmax
from seqnlp.layers.luong_attention import LuongAttention
from seqnlp.layers.monotonic import hard_monotonic_weights, monotonic_weights
from seqnlp.layers.multi_head_attention import CrossAttention, SelfAttention
from seqnlp.layers.multi_step_attention import MultiStepAttention
from seqnlp.layers.pooling import LastPooling, MaxPooling, MeanPooling
from seqnlp.layers.position import LearnedPositions, SinePositions, sine_positions
from seqnlp.layers.rnn import GRU, LSTM, VanillaRNN
from seqnlp.layers.rnn_decoder import RNNDecoder
from seqnlp.layers.rnn_encoder import RNNEncoder
from seqnlp.layers.semi_markov import (
    semi_markov_crf_decode,
    semi_markov_crf_decode_places,
    semi_markov_crf_log_likelihood,
    semi_markov_crf_log_norm,
    semi_markov_crf_marginals,
    semi_markov_crf_place_marginals,
    semi_markov_crf_sequence_score,
)
from seqnlp.layers.semi_markov_crf import SemiMarkovCRF
from seqnlp.layers.sentence_softmax import SentenceSoftmax
from seqnlp.layers.transformer import TransformerDecoder, TransformerEncoder
from seqnlp.layers.weight_normalization import WeightNormalizedDense
