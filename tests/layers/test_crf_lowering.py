"""The functions of the CRF where shapes are unknown, and for machines that are not at hand."""

import keras
import numpy as np
import pytest

from seqnlp.layers import (
    crf_decode,
    crf_entropy,
    crf_k_best,
    crf_log_norm,
    crf_marginals,
    crf_partial_log_likelihood,
    crf_sample,
    crf_tag_log_probabilities,
)
from tests.layers.crf_enumeration import ALLOWED_CASES, MASK, numpy

CASE = ALLOWED_CASES["allowed"]
POTENTIALS, SCORES, ALLOWED = CASE.potentials, CASE.scores, CASE.allowed
GIVEN = np.array([CASE.tags(row, CASE.possible(row)[0][1]) for row in range(len(MASK))])


def with_allowed(function, **options):
    return lambda potentials, mask, tags, allowed: function(
        potentials, mask, *SCORES, allowed=allowed, **options
    )


FUNCTIONS = {
    "log norm": with_allowed(crf_log_norm),
    "marginals": with_allowed(crf_marginals),
    "decode": with_allowed(crf_decode),
    "k best": with_allowed(crf_k_best, k=3),
    "sample": with_allowed(crf_sample, num_samples=2, seed=0),
    "entropy": with_allowed(crf_entropy),
    "partial": lambda potentials, mask, tags, allowed: crf_partial_log_likelihood(
        potentials, allowed, mask, *SCORES
    ),
    "tag probabilities": lambda potentials, mask, tags, allowed: crf_tag_log_probabilities(
        potentials, tags, mask, *SCORES
    ),
}

if keras.backend.backend() == "jax":

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_lowers_for_processors_gpus_and_tpus(name):
        import jax

        exported = jax.export.export(jax.jit(FUNCTIONS[name]), platforms=["cpu", "cuda", "tpu"])(
            POTENTIALS, MASK, GIVEN, ALLOWED
        )
        assert exported.platforms == ("cpu", "cuda", "tpu")

else:

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_batch_and_time_need_not_be_known(name):
        import tensorflow as tf

        arrays = POTENTIALS, MASK, GIVEN, ALLOWED
        known = tf.function(FUNCTIONS[name])(*arrays)
        specs = [tf.TensorSpec([None, None, *x.shape[2:]], x.dtype) for x in arrays]
        unknown = tf.function(FUNCTIONS[name], input_signature=specs)(*arrays)
        for a, b in zip(tf.nest.flatten(unknown), tf.nest.flatten(known), strict=True):
            np.testing.assert_allclose(numpy(a), numpy(b), atol=1e-5)
