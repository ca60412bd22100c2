"""Caches of a fixed size, written in place or with core ops."""

import keras
import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import portable_caches
from seqnlp.layers.cache import with_token

CACHE = np.random.default_rng(0).normal(size=(2, 4, 3, 5)).astype("float32")
TOKEN = np.random.default_rng(1).normal(size=(2, 1, 3, 5)).astype("float32")


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize("position", [0, 3])
def test_writes_one_place_and_no_other(portable, position):
    def write(cache, token, position):
        if portable:
            with portable_caches():
                return with_token(cache, token, position)
        return with_token(cache, token, position)

    written = ops.convert_to_numpy(gradients.compiled(write)(CACHE, TOKEN, np.int32(position)))
    expected = CACHE.copy()
    expected[:, position] = TOKEN[:, 0]
    np.testing.assert_array_equal(written, expected)


if keras.backend.backend() == "tensorflow":

    def ops_of_a_write():
        import tensorflow as tf

        traced = tf.function(with_token).get_concrete_function(CACHE, TOKEN, tf.constant(1))
        return {operation.type for operation in traced.graph.get_operations()}

    def test_a_portable_cache_needs_no_op_of_xla():
        with portable_caches():
            found = ops_of_a_write()
        assert not [op for op in found if "Xla" in op]

    def test_elsewhere_a_write_is_in_place():
        with portable_caches():
            pass
        assert "XlaDynamicUpdateSlice" in ops_of_a_write()
