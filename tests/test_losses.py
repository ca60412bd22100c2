"""Sequence losses by hand; what padding, empty rows and replicas may not change."""

import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import CRF, TokenSoftmax
from seqnlp.losses import SequenceCrossEntropy, mean_sequence_loss

LOSSES = np.array([6.0, 1.0, 4.0], dtype="float32")  # sums over 3, 1 and 2 tokens
MASK = np.array([[1, 1, 1], [0, 1, 0], [1, 0, 1]], dtype=bool)

RANDOM = np.random.default_rng(0)
TAGS = RANDOM.integers(4, size=(3, 5))
POTENTIALS = RANDOM.normal(size=(3, 5, 4)).astype("float32")
REAL = np.arange(5) < np.array([5, 1, 3])[:, None]
HEADS = {"crf": CRF(4), "softmax": TokenSoftmax(4)}
for _head in HEADS.values():
    _head.build(POTENTIALS.shape)
    _head.set_weights([RANDOM.normal(size=weight.shape) for weight in _head.weights])


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def loss_and_gradient(kind, potentials, tags, mask, sample_weight=None):
    def loss(potentials):
        outputs = {"potentials": potentials, "mask": mask}
        losses = HEADS[kind].negative_log_likelihood(tags, outputs)
        return mean_sequence_loss(losses, mask, sample_weight)

    found = gradients.compiled(lambda x: (loss(x), gradients.gradient(loss)(x)))(potentials)
    return [numpy(tensor) for tensor in found]


def test_mean_of_a_token_divides_by_the_tokens():
    assert numpy(mean_sequence_loss(LOSSES, MASK)) == pytest.approx(11 / 6)


def test_mean_of_a_sentence_divides_by_the_sentences():
    actual = mean_sequence_loss(LOSSES, MASK, normalize="sentences")
    assert numpy(actual) == pytest.approx(11 / 3)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_sample_weights_weigh_sentences(shape):
    weight = np.reshape([1.0, 2.0, 0.5], shape)
    tokens = mean_sequence_loss(LOSSES, MASK, weight)
    sentences = mean_sequence_loss(LOSSES, MASK, weight, normalize="sentences")
    assert numpy(tokens) == pytest.approx((6 + 2 * 1 + 0.5 * 4) / (3 + 2 * 1 + 0.5 * 2))
    assert numpy(sentences) == pytest.approx((6 + 2 * 1 + 0.5 * 4) / 3.5)


@pytest.mark.parametrize("normalize", ["tokens", "sentences"])
def test_sentences_without_tokens_do_not_count(normalize):
    losses, mask = np.append(LOSSES, 9.0), np.append(MASK, [[False] * 3], axis=0)
    expected = mean_sequence_loss(LOSSES, MASK, normalize=normalize)
    actual = mean_sequence_loss(losses.astype("float32"), mask, normalize=normalize)
    assert numpy(actual) == numpy(expected)


def test_a_batch_without_weight_has_loss_zero():
    assert numpy(mean_sequence_loss(LOSSES, MASK, np.zeros(3))) == 0
    assert numpy(mean_sequence_loss(LOSSES, np.zeros_like(MASK))) == 0


@pytest.mark.parametrize("kind", HEADS)
def test_rows_of_weight_zero_change_neither_loss_nor_gradient(kind):
    weight = np.array([1.0, 1.0, 0.0], dtype="float32")
    loss, gradient = loss_and_gradient(kind, POTENTIALS, TAGS, REAL, weight)
    expected, without = loss_and_gradient(kind, POTENTIALS[:2], TAGS[:2], REAL[:2])
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient[:2], without, atol=1e-7)
    assert not gradient[2].any()


@pytest.mark.parametrize("kind", HEADS)
def test_padding_changes_neither_loss_nor_gradient(kind):
    expected, without = loss_and_gradient(kind, POTENTIALS, TAGS, REAL)
    spoilt = np.pad(POTENTIALS, [(0, 0), (0, 2), (0, 0)], constant_values=50.0)
    tags = np.pad(TAGS, [(0, 0), (0, 2)], constant_values=-1)
    mask = np.pad(REAL, [(0, 0), (0, 2)])
    loss, gradient = loss_and_gradient(kind, spoilt, tags, mask)
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient[:, :5], without, atol=1e-7)
    assert not gradient[~mask].any()


def test_refuses_an_unknown_normalization():
    with pytest.raises(ValueError, match="`normalize` must be .* Received: normalize='batch'"):
        mean_sequence_loss(LOSSES, MASK, normalize="batch")


if keras.backend.backend() == "tensorflow":
    REPLICAS = """
    import sys
    import numpy as np
    import tensorflow as tf

    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
    import contextlib
    import keras
    from seqnlp.layers import CRF
    from seqnlp.models import CRFModel

    words = np.random.default_rng(0).integers(1, 9, size=(8, 5))
    weight = np.array([1, 1, 0, 2, 1, 1, 0, 2], dtype="float32")

    def train(scope):
        keras.utils.set_random_seed(1)
        with scope:
            ids = keras.Input((5,), dtype="int32")
            vectors = keras.layers.Embedding(9, 4, embeddings_regularizer="l2")(ids)
            model = CRFModel(ids, CRF(3)(keras.layers.Dense(3)(vectors)))
            model.compile(keras.optimizers.SGD(0.5), jit_compile=False)
        history = model.fit(words, words % 3, 8, epochs=3, sample_weight=weight, shuffle=False,
                            verbose=0)
        return history.history["loss"], model.get_weights()

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    one, two = train(contextlib.nullcontext()), train(strategy.scope())
    np.testing.assert_allclose(one[0], two[0], rtol=1e-5)
    for a, b in zip(one[1], two[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert one[0][-1] < one[0][0]
    print("equal")
    """

    @pytest.mark.slow
    def test_two_replicas_train_as_one():
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(REPLICAS)],
            capture_output=True,
            text=True,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        )
        assert done.stdout.strip() == "equal", done.stderr[-3000:]


LABELS = np.array([[3, 1, 2], [2, 0, 0], [0, 0, 0]], dtype="int32")
LOGITS = RANDOM.normal(size=(3, 3, 4)).astype("float32") * 3


def smoothed(smoothing):
    """The cross entropy of each token with its smoothed label, by the definition."""
    log_p = LOGITS - np.logaddexp.reduce(LOGITS, axis=-1, keepdims=True)
    expected = (1 - smoothing) * np.eye(4)[LABELS] + smoothing / 4
    return -(expected * log_p).sum(axis=-1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("normalize", ["tokens", "sentences"])
def test_sequence_cross_entropy_is_the_mean_of_tokens_or_of_sentences(smoothing, normalize):
    losses, weight = smoothed(smoothing) * (LABELS != 0), np.array([0.5, 2.0, 1.0])
    if normalize == "tokens":
        expected = (losses.sum(1) * weight).sum() / ((LABELS != 0).sum(1) * weight).sum()
    else:
        expected = (losses.sum(1) * weight)[:2].sum() / weight[:2].sum()
    loss = SequenceCrossEntropy(smoothing, normalize)
    actual = loss(LABELS, ops.convert_to_tensor(LOGITS), weight.astype("float32"))
    assert float(ops.convert_to_numpy(actual)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_gradient_of_sequence_cross_entropy_is_that_of_differences(smoothing):
    loss = SequenceCrossEntropy(smoothing)
    found = gradients.compiled(gradients.gradient(lambda logits: loss(LABELS, logits)))(LOGITS)
    for place in np.ndindex(3, 3, 4):
        step = np.zeros_like(LOGITS)
        step[place] = 1e-2
        ends = [float(ops.convert_to_numpy(loss(LABELS, LOGITS + s))) for s in (step, -step)]
        slope = float(ops.convert_to_numpy(found)[place])
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-2, abs=2e-3)


def test_sequence_cross_entropy_survives_a_config():
    loss = SequenceCrossEntropy(0.2, "sentences")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_smoothing": 1.0}, r"`label_smoothing` must be in \[0, 1\). Received: label_smoo"),
        ({"normalize": "x"}, "`normalize` must be one of .* Received: normalize='x'"),
        ({"reduction": "sum"}, "`reduction` must be 'sum_over_.* Received: reduction='sum'"),
        ({"reduction": None}, "`reduction` must be 'sum_over_.* Received: reduction=None"),
    ],
)
def test_sequence_cross_entropy_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        SequenceCrossEntropy(**arguments)
