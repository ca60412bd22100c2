"""The fastest float32 matrix product of this machine: what a fraction of the peak is taken of."""

import sys

import keras
import numpy as np
from keras import ops

from benchmarks.timing import Case, Work, main
from seqnlp.gradients import compiled

SIZE = 1024


def product():
    """Billions of operations a second, under XLA or, with TensorFlow, in graph mode."""
    first, second = np.random.default_rng(0).normal(size=(2, SIZE, SIZE)).astype("float32")
    first, second = ops.convert_to_tensor(first), ops.convert_to_tensor(second)
    if "--jit" in sys.argv or keras.backend.backend() == "jax":
        function = compiled(ops.matmul)
    else:
        import tensorflow as tf

        function = tf.function(ops.matmul)

    def call():
        result = function(first, second)
        return result.block_until_ready() if hasattr(result, "block_until_ready") else result

    def results(result):
        return {"product": ops.convert_to_numpy(result)}

    return Work(call, results, items=2e-9 * SIZE**3, unit="GFLOP/s")


if __name__ == "__main__":
    main([Case("gemm(1024)", "product", product)], [keras.backend.backend()])
