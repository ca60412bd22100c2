"""Tagging heads: the softmax by hand, and a CRF without transitions, which is the same."""

import re

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import CRF, TokenSoftmax
from seqnlp.layers.heads import certain_tags, label_losses

RANDOM = np.random.default_rng(0)
TAGS = RANDOM.integers(4, size=(4, 5))
POTENTIALS = RANDOM.normal(size=(4, 5, 4)).astype("float32") * 3
MASK = np.arange(5) < np.array([5, 1, 3, 0])[:, None]
PROBABILITIES = np.exp(POTENTIALS.astype("float64"))
PROBABILITIES /= PROBABILITIES.sum(axis=-1, keepdims=True)
PARTIAL = RANDOM.random(size=(4, 5, 4)) < 0.5
PARTIAL[..., 2] |= ~PARTIAL.any(axis=-1)  # something is allowed everywhere


def log_of_best():
    """Log probability of the most probable tag of each token."""
    return np.where(MASK, np.log(PROBABILITIES.max(axis=-1)), 0)


EXPECTED = {
    "tags": np.where(MASK, POTENTIALS.argmax(axis=-1), 0),
    "marginals": np.where(MASK[..., None], PROBABILITIES, 0),
    "losses": np.where(
        MASK, -np.log(np.take_along_axis(PROBABILITIES, TAGS[..., None], axis=-1)[..., 0]), 0
    ).sum(axis=1),
    "partial losses": np.where(MASK, -np.log((PROBABILITIES * PARTIAL).sum(axis=-1)), 0).sum(1),
    "alone": log_of_best(),
    "after": log_of_best(),
}


@pytest.fixture(scope="module", params=[TokenSoftmax, CRF])
def answer(request):
    """What a head says whose transitions, if it has any, are all zero."""
    head = request.param(4)
    head.build(POTENTIALS.shape)
    head.set_weights([np.zeros(weight.shape) for weight in head.weights])

    def ask(potentials, labels, mask):
        outputs = head(potentials, mask=mask)
        losses = head.negative_log_likelihood(labels, outputs)
        found = {**outputs, "losses": losses, "marginals": head.marginals(outputs)}
        found["partial losses"] = head.negative_log_likelihood(PARTIAL, outputs)
        found["alone"], found["after"] = head.tag_log_probabilities(outputs)
        return found

    found = gradients.compiled(ask)(POTENTIALS, np.where(MASK, TAGS, -1), MASK)
    return {name: ops.convert_to_numpy(tensor) for name, tensor in found.items()}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_token_is_decided_on_its_own(name, answer):
    np.testing.assert_allclose(answer[name], EXPECTED[name], rtol=1e-4, atol=1e-6)


def test_potentials_and_mask_are_passed_on(answer):
    np.testing.assert_array_equal(answer["potentials"], POTENTIALS)
    np.testing.assert_array_equal(answer["mask"], MASK)


def test_metrics_see_the_tags_that_partial_labels_leave_no_choice_of():
    labels = np.array([[[1, 0, 0], [0, 0, 1], [0, 1, 1], [0, 0, 0], [1, 1, 1]]], dtype=bool)
    assert ops.convert_to_numpy(certain_tags(labels)).tolist() == [[0, 2, -1, -1, -1]]
    assert ops.convert_to_numpy(certain_tags(TAGS)).tolist() == TAGS.tolist()


def test_without_a_mask_every_token_is_real():
    outputs = TokenSoftmax(4)(POTENTIALS)
    assert ops.convert_to_numpy(outputs["mask"]).all()


@pytest.mark.parametrize(("head", "minimum"), [(TokenSoftmax, 1), (CRF, 2)])
def test_refuses_too_few_tags(head, minimum):
    message = f"`num_tags` must be at least {minimum}. Received: num_tags={minimum - 1}"
    with pytest.raises(ValueError, match=message):
        head(minimum - 1)


@pytest.mark.parametrize("head", [TokenSoftmax, CRF])
def test_refuses_potentials_of_another_width(head):
    with pytest.raises(ValueError, match=r"`potentials` must have 3 scores .*shape=\(4, 5, 4\)"):
        head(3).build(POTENTIALS.shape)


def test_token_softmax_names_an_id_that_is_no_tag():
    outputs = {"potentials": POTENTIALS, "mask": MASK}
    message = "`labels` must be ids from 0 to 3 at real tokens. Received: labels[2, 1]=7"
    tags = TAGS.copy()
    tags[2, 1], tags[1, 3] = 7, -1  # the second is padding
    with pytest.raises(ValueError, match=re.escape(message)):
        TokenSoftmax(4).negative_log_likelihood(tags, outputs)


def test_an_id_that_is_no_label_costs_much_where_it_cannot_be_named():
    labels, logits = np.array([1, 7, -1]), np.zeros((3, 2), dtype="float32")
    losses = ops.convert_to_numpy(gradients.compiled(label_losses)(labels, logits))
    np.testing.assert_allclose(losses, [np.log(2), 1e9, 1e9], rtol=1e-6)
