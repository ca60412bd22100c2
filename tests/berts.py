"""A BERT without training, for the tests of its export and its client."""

import string

import numpy as np

from seqnlp.models import BERTEncoder, BERTPretrainer
from seqnlp.text import BERTText
from seqnlp.text.bert_names import BERT_SPECIALS

LENGTH = 16
PIECES = [
    *BERT_SPECIALS,
    *string.ascii_lowercase,
    *(f"##{letter}" for letter in string.ascii_lowercase),
    *["the", "dog", "runs", "city", "##ning", "서울", "##에서", ".", "?"],
]
SIZE = len(PIECES)


def small_text(max_length=LENGTH):
    return BERTText(PIECES, lowercase=True, max_length=max_length)


def small_model(positions=LENGTH, size=SIZE):
    """A model with random weights."""
    sizes = {"units": 8, "num_layers": 2, "num_heads": 2, "feed_forward_units": 12}
    model = BERTPretrainer(BERTEncoder(size, **sizes, max_length=positions))
    model.build(dict.fromkeys(("token_ids", "segment_ids", "positions"), (None, None)))
    random = np.random.default_rng(0)
    for weight in model.trainable_variables:
        if "normalization" not in weight.path:
            weight.assign(random.normal(size=weight.shape, scale=0.6))
    return model
