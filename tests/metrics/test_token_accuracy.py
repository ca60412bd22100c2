import keras
import numpy as np
import pytest

from seqnlp.metrics import TokenAccuracy

TRUE = np.array([[1, 2, -1], [0, -1, -1], [3, 3, 3]])
PREDICTED = np.array([[1, 0, -1], [0, 0, 0], [3, 3, 0]])


def accuracy(*updates):
    metric = TokenAccuracy()
    for arguments in updates:
        metric.update_state(*arguments)
    return float(metric.result())


def test_is_the_share_of_right_tokens_and_leaves_negative_labels_out():
    assert accuracy((TRUE, PREDICTED)) == pytest.approx(4 / 6)


def test_adds_batches_by_their_tokens():
    assert accuracy((TRUE[:1], PREDICTED[:1]), (TRUE[1:], PREDICTED[1:])) == pytest.approx(4 / 6)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_weighs_sentences(shape):
    weight = np.reshape([2.0, 0.0, 1.0], shape)
    assert accuracy((TRUE, PREDICTED, weight)) == pytest.approx((2 * 1 + 2) / (2 * 2 + 3))


def test_weighs_tokens():
    weight = np.array([[0, 1, 1], [1, 1, 1], [1, 1, 0]])
    assert accuracy((TRUE, PREDICTED, weight)) == pytest.approx(3 / 4)


def test_without_tokens_is_zero():
    assert accuracy((np.full((2, 2), -1), np.zeros((2, 2)))) == 0


def test_is_found_again_from_its_config():
    metric = TokenAccuracy(name="right")
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert isinstance(again, TokenAccuracy)
    assert again.name == "right"
