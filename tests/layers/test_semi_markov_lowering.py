"""The semi-Markov CRF where shapes are unknown, and for machines that are not at hand."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import (
    semi_markov_crf_decode,
    semi_markov_crf_log_likelihood,
    semi_markov_crf_log_norm,
    semi_markov_crf_marginals,
    semi_markov_crf_place_marginals,
)

RANDOM = np.random.default_rng(0)
POTENTIALS = RANDOM.normal(size=(3, 5, 2)).astype("float32")
MASK = np.array([[1, 1, 0, 1, 1], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]], dtype=bool)
LABELS = RANDOM.integers(2, size=(3, 5)).astype("int32")
BEGINS = RANDOM.random((3, 5)) < 0.5
SCORES = [RANDOM.normal(size=s).astype("float32") for s in ((2, 2), (2, 3), (2,), (2,))]


def of_unlabelled(function):
    return lambda potentials, mask, labels, begins: function(potentials, mask, *SCORES)


def likelihood(potentials, mask, labels, begins):
    return semi_markov_crf_log_likelihood(potentials, labels, begins, mask, *SCORES)


FUNCTIONS = {
    "log norm": of_unlabelled(semi_markov_crf_log_norm),
    "marginals": of_unlabelled(semi_markov_crf_marginals),
    "place marginals": of_unlabelled(semi_markov_crf_place_marginals),
    "decode": of_unlabelled(semi_markov_crf_decode),
    "likelihood": likelihood,
    "gradient": gradients.gradient(lambda *arguments: ops.sum(likelihood(*arguments))),
}
ARRAYS = POTENTIALS, MASK, LABELS, BEGINS

if keras.backend.backend() == "jax":

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_lowers_for_processors_gpus_and_tpus(name):
        import jax

        export = jax.export.export(jax.jit(FUNCTIONS[name]), platforms=["cpu", "cuda", "tpu"])
        assert export(*ARRAYS).platforms == ("cpu", "cuda", "tpu")

else:

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_batch_and_time_need_not_be_known(name):
        import tensorflow as tf

        known = tf.function(FUNCTIONS[name])(*ARRAYS)
        specs = [tf.TensorSpec([None, None, *x.shape[2:]], x.dtype) for x in ARRAYS]
        unknown = tf.function(FUNCTIONS[name], input_signature=specs)(*ARRAYS)
        for a, b in zip(tf.nest.flatten(unknown), tf.nest.flatten(known), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
