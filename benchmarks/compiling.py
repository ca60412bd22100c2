"""Compiles functions as a side is asked to, and waits for what they give."""

import keras

from seqnlp import gradients


def compiled(function, xla=True):
    """A function that comes back when its outputs are there.

    Args:
        function: Takes and gives tensors or nested structures of them.
        xla: Whether XLA compiles it; on TensorFlow it runs in graph mode otherwise, and JAX
            always compiles.
    """
    if xla or keras.backend.backend() == "jax":
        fast = gradients.compiled(function)
    else:
        import tensorflow as tf

        fast = tf.function(function)

    def call(*arguments):
        outputs = fast(*arguments)
        for output in keras.tree.flatten(outputs):
            if hasattr(output, "block_until_ready"):
                output.block_until_ready()
        return outputs

    return call
