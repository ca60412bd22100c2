"""The gradient of a function, and a compiled function, on every backend."""

import keras


def gradient(function):
    """A function that gives the gradient of scalar `function` for its first argument.

    The gradient has the structure, shapes and dtypes of that argument: a float tensor or array,
    or a nested structure of them.
    """
    both = value_and_gradient(function)
    return lambda argument, *others: both(argument, *others)[1]


def value_and_gradient(function):
    """As `gradient`, but gives `(value, gradient)`."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.value_and_grad(function)
    import tensorflow as tf

    def value_and_gradient_of(argument, *others):
        argument = keras.tree.map_structure(tf.convert_to_tensor, argument)
        with tf.GradientTape() as tape:
            tape.watch(argument)
            value = function(argument, *others)
        return value, tape.gradient(value, argument)

    return value_and_gradient_of


def compiled(function):
    """`function` of tensors, compiled by XLA."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)
