"""A loop over time that can be trained and compiled by XLA on every backend."""

import keras
from keras import tree


def scan(function, initial, inputs, reverse=False):
    """Carries a state over the leading axis of `inputs`, with `jax.lax.scan`'s meaning.

        state = initial
        for each x of inputs: state, y = function(state, x)
        returns state, stacked ys

    `keras.ops.scan` cannot be trained under XLA on the TensorFlow backend, which wants loops of
    a known number of steps; this one is a `tf.while_loop` with `maximum_iterations` there and
    `jax.lax.scan` on JAX.

    Args:
        function: Takes `(state, x)` and returns `(state, y)`. The returned state has the
            structure, shapes and dtypes of `initial`.
        initial: Tensor or nested structure of tensors.
        inputs: Tensor or nested structure of tensors, each `(time, ...)` with `time` at least 1.
        reverse: Whether to go from the last step to the first; `ys` keep the order of `inputs`.

    Returns:
        `(state, ys)`; each tensor of `ys` is `(time, ...)`.

    Raises:
        ValueError: `inputs` holds no tensor.
        RuntimeError: Keras runs on another backend than TensorFlow and JAX.
    """
    if not tree.flatten(inputs):
        raise ValueError(f"`inputs` must hold at least one tensor. Received: inputs={inputs}")
    if keras.backend.backend() == "jax":
        import jax

        return jax.lax.scan(function, initial, inputs, reverse=reverse)
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_scan(function, initial, inputs, reverse)
    raise RuntimeError(
        f"seqnlp runs on the tensorflow and jax backends, not on {keras.backend.backend()!r}"
    )


def _tensorflow_scan(function, initial, inputs, reverse):
    import tensorflow as tf

    initial = tree.map_structure(tf.convert_to_tensor, initial)
    inputs = tree.map_structure(tf.convert_to_tensor, inputs)
    if tf.executing_eagerly():
        return _eager_scan(function, initial, inputs, reverse, tf)
    flat_inputs = tree.flatten(inputs)
    time = flat_inputs[0].shape[0]
    if time is None:
        time = tf.shape(flat_inputs[0])[0]

    def array(dtype, shape):
        return tf.TensorArray(dtype, size=time, element_shape=shape)

    sources = [array(x.dtype, x.shape[1:]).unstack(x) for x in flat_inputs]
    y_specs = _output_specs(function, initial, inputs, tf)
    targets = [array(spec.dtype, spec.shape) for spec in tree.flatten(y_specs)]

    def body(step, state, targets):
        at = time - 1 - step if reverse else step
        x = tree.pack_sequence_as(inputs, [source.read(at) for source in sources])
        new_state, y = function(state, x)
        new_state = tree.map_structure(_with_static_shape, new_state, state)
        written = [t.write(at, value) for t, value in zip(targets, tree.flatten(y), strict=True)]
        return step + 1, new_state, written

    _, state, targets = tf.while_loop(
        lambda step, *_: step < time,
        body,
        (tf.constant(0), initial, targets),
        maximum_iterations=time,
        parallel_iterations=1,  # steps wait for each other; keeping several open only costs
    )
    return state, tree.pack_sequence_as(y_specs, [target.stack() for target in targets])


def _eager_scan(function, initial, inputs, reverse, tf):
    time = tree.flatten(inputs)[0].shape[0]
    state, ys = initial, [None] * time
    for at in reversed(range(time)) if reverse else range(time):
        state, ys[at] = function(state, tree.map_structure(lambda x, at=at: x[at], inputs))
    return state, tree.map_structure(lambda *steps: tf.stack(steps), *ys)


def _output_specs(function, initial, inputs, tf):
    """Shapes and dtypes of one step's `y`, from tracing the step without running it."""

    def y_of(state, x):
        return function(state, x)[1]

    state_specs = tree.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), initial)
    x_specs = tree.map_structure(lambda t: tf.TensorSpec(t.shape[1:], t.dtype), inputs)
    return (
        tf.function(y_of, autograph=False)
        .get_concrete_function(state_specs, x_specs)
        .structured_outputs
    )


def _with_static_shape(tensor, like):
    """Keeps what is known of the state's shape: a loop may not forget it between two steps."""
    tensor.set_shape(like.shape)
    return tensor
