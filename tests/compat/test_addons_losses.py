"""`SequenceCrossEntropy` against `tfa.seq2seq.sequence_loss` under each of its flags.

The fixtures hold 9 sentences of lengths from 20 down to 0 and 20 steps, in float64
(`make addons`), once with logits around 1 and once 30 times as large.
"""

import functools
import pathlib

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.losses import SequenceCrossEntropy, token_cross_entropy

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
FILES = {}
for _file in ("sequence_loss", "sequence_loss_large"):
    with np.load(FIXTURES / f"{_file}.npz") as _archive:
        FILES[_file] = dict(_archive)
TIME = 1  # the axis


def divided(total, size):
    """0 where nothing counts, as in Addons."""
    return ops.where(size == 0, 0.0, total / ops.where(size == 0, 1.0, size))


def reduced(losses, weights, sizes, axis=None):
    return divided(ops.sum(losses * weights, axis=axis), ops.sum(sizes, axis=axis))


def counted(weights):
    return ops.cast(weights != 0, "float32")


# What each reduction of Addons is of the losses of tokens `(batch, time)` and their weights.
BY_HAND = {
    "average": lambda x, w: reduced(x, w, w),
    "average_timesteps": lambda x, w: reduced(x, w, w, TIME),
    "average_batch": lambda x, w: reduced(x, w, w, 0),
    "sum": lambda x, w: reduced(x, w, counted(w)),
    "sum_timesteps": lambda x, w: reduced(x, w, counted(w), TIME),
    "sum_batch": lambda x, w: reduced(x, w, counted(w), 0),
    "none": lambda x, w: x * w,
}


def upstream_of(shape, upstream):
    return upstream.ravel()[: np.prod(shape, dtype=int)].reshape(shape)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", ["mask", "weights"])
@pytest.mark.parametrize("name", BY_HAND)
def test_reductions_of_token_losses_by_hand_are_those_of_addons(file, kind, name):
    given = FILES[file]
    targets, weights = (ops.convert_to_tensor(given[key]) for key in ("targets", kind))
    expected = given[f"{name}/{kind}"]

    def loss(logits):
        return BY_HAND[name](token_cross_entropy(targets, logits), weights)

    def total(logits):
        return ops.sum(loss(logits) * upstream_of(expected.shape, given["upstream"]))

    logits = ops.convert_to_tensor(given["logits"])
    np.testing.assert_allclose(loss(logits), expected, rtol=1e-5, atol=1e-5)
    if kind == "weights":
        by = gradients.compiled(gradients.gradient(total))(logits)
        np.testing.assert_allclose(by, given[f"{name}/by_logits"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", ["average", "sum"])
def test_the_mean_of_a_token_is_that_of_addons_with_a_mask(file, name):
    """With weights of 0 and 1 both of its scalars are the same, which is Addons' default too."""
    given = FILES[file]
    labels = ops.convert_to_tensor(np.where(given["mask"] > 0, given["targets"], 0))
    loss = SequenceCrossEntropy()(labels, ops.convert_to_tensor(given["logits"]))
    np.testing.assert_allclose(loss, given[f"{name}/mask"], rtol=1e-5)


@pytest.mark.parametrize("file", FILES)
def test_the_mean_of_a_sentence_is_a_sum_of_addons_by_hand(file):
    given = FILES[file]
    mask = given["mask"] > 0
    labels = ops.convert_to_tensor(np.where(mask, given["targets"], 0))
    ours = SequenceCrossEntropy(normalize="sentences")(labels, given["logits"])
    of_sentences = given["none/mask"].sum(axis=TIME)
    expected = of_sentences.sum() / mask.any(axis=TIME).sum()
    np.testing.assert_allclose(ours, expected, rtol=1e-5)


def test_a_weight_for_each_sentence_is_a_weight_for_all_its_tokens_in_addons():
    """Its mean divides by the weights, as ours does."""
    given = FILES["sequence_loss"]
    of_sentence = np.linspace(0.1, 2, len(given["mask"])).astype("float32")
    labels = ops.convert_to_tensor(np.where(given["mask"] > 0, given["targets"], 0))
    logits = ops.convert_to_tensor(given["logits"])
    weights = ops.convert_to_tensor(given["mask"] * of_sentence[:, None])
    ours = SequenceCrossEntropy()(labels, logits, sample_weight=of_sentence)
    by_hand = functools.partial(BY_HAND["average"], token_cross_entropy(labels, logits))
    np.testing.assert_allclose(ours, by_hand(weights), rtol=1e-5)


@pytest.mark.parametrize("file", FILES)
def test_the_reductions_differ(file):
    given = FILES[file]
    assert abs(given["average/weights"] - given["sum/weights"]) > 0.1 * given["sum/weights"]
    assert given["average_timesteps/mask"].shape != given["average_batch/mask"].shape
    assert (given["average_timesteps/mask"] == 0).any()  # the sentence without tokens
