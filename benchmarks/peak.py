"""The fastest float32 matrix product of this machine: what a fraction of the peak is taken of."""

import sys

import keras
import numpy as np
from keras import ops

from benchmarks.compiling import compiled
from benchmarks.timing import Case, Work, main

SIZE = 1024


def product():
    """Billions of operations a second, under XLA or, with TensorFlow, in graph mode."""
    first, second = np.random.default_rng(0).normal(size=(2, SIZE, SIZE)).astype("float32")
    first, second = ops.convert_to_tensor(first), ops.convert_to_tensor(second)
    function = compiled(ops.matmul, "--jit" in sys.argv)

    def results(result):
        return {"product": ops.convert_to_numpy(result)}

    return Work(lambda: function(first, second), results, items=2e-9 * SIZE**3, unit="GFLOP/s")


if __name__ == "__main__":
    main([Case("gemm(1024)", "product", product)], [keras.backend.backend()])
