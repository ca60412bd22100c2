"""BERT: its published sizes, and that it learns what it is pretrained on."""

import keras
import numpy as np
import pytest

from seqnlp.models import (
    BERT_BASE,
    BERT_LARGE,
    BERT_TINY,
    BERTEncoder,
    BERTPretrainer,
    pretraining_losses,
)
from seqnlp.models.bert import pretraining_flops

SHAPES = {"token_ids": (None, None), "segment_ids": (None, None)}


@pytest.mark.parametrize(
    ("sizes", "weights"),
    [(BERT_TINY, 4_385_920), (BERT_BASE, 109_482_240), (BERT_LARGE, 335_141_888)],
)
def test_sizes_are_those_that_were_published(sizes, weights):
    """The numbers of the published English models without case, of 30522 tokens."""
    units, hidden, depth = sizes["units"], sizes["feed_forward_units"], sizes["num_layers"]
    embedded = (30522 + 512 + 2 + 2) * units
    layer = 4 * units * (units + 1) + 2 * units * hidden + hidden + units + 4 * units
    assert embedded + depth * layer + units * (units + 1) == weights
    if units < 1024:
        encoder = BERTEncoder(30522, **sizes)
        encoder.build(SHAPES)
        assert encoder.count_params() == weights


def test_the_floating_point_operations_of_a_layer_are_those_counted_by_hand():
    """Of 3 ids in 4 units with 5 hidden ones, 2 of them asked for among 7 pieces."""
    sizes = {"units": 4, "num_layers": 1, "num_heads": 2, "feed_forward_units": 5}
    projections = 3 * 4 * (4 * 4)  # of queries, keys, values and outputs
    attention = 3 * 3 * 4 + 3 * 3 * 4  # scores, and means of values
    feed_forward = 3 * (4 * 5 + 5 * 4)
    pooler = 4 * 4
    hidden = 2 * (4 * 4 + 4 * 7)
    forward = 2 * (projections + attention + feed_forward + pooler + hidden)
    encoder = BERTEncoder(7, **sizes)
    assert pretraining_flops(encoder, 3, 2) == 3 * forward
    deeper = BERTEncoder(7, **{**sizes, "num_layers": 3})
    layer = 3 * 2 * (projections + attention + feed_forward)
    assert pretraining_flops(deeper, 3, 2) == 3 * forward + 2 * layer


def test_layers_from_below_hold_every_weight_but_the_poolers():
    sizes = {"units": 4, "num_layers": 2, "num_heads": 2, "feed_forward_units": 5}
    encoder = BERTEncoder(7, **sizes, max_length=6)
    encoder.build(SHAPES)
    groups = encoder.layers_from_below()
    assert groups[1:] == [[layer] for layer in encoder.layers_above.layers]
    found = [w.path for layers in groups for layer in layers for w in layer.weights]
    pooler = {weight.path for weight in encoder.pooler.weights}
    kept = {w.path for w in encoder.weights if "seed" not in w.path}
    assert sorted([*found, *pooler]) == sorted(kept)


def test_it_learns_what_is_hidden_and_which_spans_follow():
    """Each token follows from its neighbour, and the second span from the first token of all."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    kinds = random.integers(0, 2, size=(256, 2))
    token_ids = 5 + 2 * random.integers(0, 4, size=(256, 9)) + np.repeat(kinds, [5, 4], axis=1)
    token_ids[:, [2, 6]] = token_ids[:, [1, 7]]
    token_ids[:, 0] = 2
    positions = np.tile([2, 6], (256, 1))
    labels = {
        "masked_lm": np.take_along_axis(token_ids, positions, axis=1),
        "next_sentence": (kinds[:, 0] != kinds[:, 1]).astype("int32"),
    }
    np.put_along_axis(token_ids, positions, 4, axis=1)
    segment_ids = np.tile(np.arange(9) > 4, (256, 1))
    inputs = {"token_ids": token_ids, "segment_ids": segment_ids, "positions": positions}
    inputs = {name: ids.astype("int32") for name, ids in inputs.items()}
    sizes = {"units": 16, "num_layers": 2, "num_heads": 2, "feed_forward_units": 32}
    model = BERTPretrainer(BERTEncoder(13, **sizes, max_length=9, dropout=0.0))
    accuracy = {name: ["accuracy"] for name in labels}
    model.compile(keras.optimizers.Adam(0.005), pretraining_losses(), metrics=accuracy)
    model.fit(inputs, labels, epochs=100, batch_size=64, verbose=0)
    found = model.evaluate(inputs, labels, return_dict=True, verbose=0)
    assert found["masked_lm_accuracy"] > 0.95
    assert found["next_sentence_accuracy"] > 0.95


def test_only_encoders_are_pretrained():
    with pytest.raises(ValueError, match="`encoder` must be a seqnlp.models.BERTEncoder. Rec"):
        BERTPretrainer(keras.layers.Dense(2))


def test_an_input_beyond_the_positions_is_refused():
    encoder = BERTEncoder(9, **{**BERT_TINY, "num_layers": 1}, max_length=3)
    inputs = {name: np.ones((1, 4), "int32") for name in SHAPES}
    with pytest.raises(ValueError, match="at most `max_length`=3 tokens. Received: inputs with 4"):
        encoder(inputs)
