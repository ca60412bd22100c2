import numpy as np
import pytest
from keras import ops

from seqnlp.metrics import Perplexity

LABELS = np.array([[2, 1, 0], [1, 0, 0]])
LOGITS = np.random.default_rng(0).normal(size=(2, 3, 3)).astype("float32")


def test_it_is_the_exponential_of_the_mean_of_real_tokens_over_all_batches():
    log_p = LOGITS - np.logaddexp.reduce(LOGITS, axis=-1, keepdims=True)
    losses = [-log_p[0, 0, 2], -log_p[0, 1, 1], -log_p[1, 0, 1]]
    metric = Perplexity()
    for row in range(2):
        metric.update_state(LABELS[row : row + 1], LOGITS[row : row + 1])
    result = float(ops.convert_to_numpy(metric.result()))
    assert result == pytest.approx(np.exp(np.mean(losses)), rel=1e-5)


def test_a_sentence_counts_by_its_weight():
    metric = Perplexity()
    metric.update_state(LABELS, LOGITS, sample_weight=np.array([0.0, 1.0]))
    log_p = LOGITS[1, 0] - np.logaddexp.reduce(LOGITS[1, 0])
    assert float(ops.convert_to_numpy(metric.result())) == pytest.approx(np.exp(-log_p[1]))


def test_a_token_may_count_by_a_weight_of_its_own():
    metric, weight = Perplexity(), np.array([[3.0, 1.0, 5.0], [2.0, 7.0, 7.0]], dtype="float32")
    metric.update_state(LABELS, LOGITS, sample_weight=weight)
    log_p = LOGITS - np.logaddexp.reduce(LOGITS, axis=-1, keepdims=True)
    loss = -(3 * log_p[0, 0, 2] + log_p[0, 1, 1] + 2 * log_p[1, 0, 1]) / 6
    assert float(ops.convert_to_numpy(metric.result())) == pytest.approx(np.exp(loss))


def test_a_column_of_weights_is_one_a_sentence():
    found = []
    for weight in (np.array([1.0, 3.0]), np.array([[1.0], [3.0]])):
        metric = Perplexity()
        metric.update_state(LABELS, LOGITS, sample_weight=weight)
        found.append(float(ops.convert_to_numpy(metric.result())))
    assert found[0] == pytest.approx(found[1])
