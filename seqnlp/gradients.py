"""The gradient of a function, and a compiled function, on every backend."""

import keras


def gradient(function):
    """A function that gives the gradient of scalar `function` for its first argument.

    The gradient has the shape and dtype of that argument, a float tensor or array.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function)
    import tensorflow as tf

    def gradient_of(argument, *others):
        argument = tf.convert_to_tensor(argument)
        with tf.GradientTape() as tape:
            tape.watch(argument)
            value = function(argument, *others)
        return tape.gradient(value, argument)

    return gradient_of


def compiled(function):
    """`function` of tensors, compiled by XLA."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)
