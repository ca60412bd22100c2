"""Gradients of functions, and compiled functions, on every backend."""

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


def vjp(function, *arguments):
    """The results of a function, and what takes gradients back through it.

    Args:
        function: Takes tensors, or nested structures of them, and returns the same.
        arguments: What it is called with; float tensors.

    Returns:
        `(results, pullback)`: `pullback` takes the gradients of a scalar for the results and
        returns a tuple with those for each argument, zeros where nothing depends on it.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.vjp(function, *arguments)
    import tensorflow as tf

    arguments = keras.tree.map_structure(tf.convert_to_tensor, arguments)
    with tf.GradientTape() as tape:
        tape.watch(keras.tree.flatten(arguments))
        results = function(*arguments)

    def pullback(upstream):
        found = tape.gradient(
            keras.tree.flatten(results),
            keras.tree.flatten(arguments),
            output_gradients=keras.tree.flatten(upstream),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return tuple(keras.tree.pack_sequence_as(arguments, found))

    return results, pullback


def compiled(function):
    """`function` of tensors, compiled by XLA."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)
