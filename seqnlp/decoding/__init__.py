"""Decoding: scores to token ids, with any model that goes step by step."""

from seqnlp.decoding.beam_search import beam_search
from seqnlp.decoding.combine import combine_states, ensemble, shallow_fusion
from seqnlp.decoding.constraints import LexicalConstraints
from seqnlp.decoding.decoded import IMPOSSIBLE, Decoded
from seqnlp.decoding.greedy import greedy
from seqnlp.decoding.rules import (
    Forbidden,
    ForcedPrefix,
    MinimumLength,
    NoRepeatedNgrams,
    Partial,
    RepetitionPenalty,
    Rule,
)
from seqnlp.decoding.sample import sample
from seqnlp.decoding.spans import Spans, best_spans, context_mask
