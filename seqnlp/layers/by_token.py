"""Layers that treat every token alike, without the axis of time."""

from keras import ops


def by_token(layer, inputs):
    """`layer(inputs)` for a layer of the last axis, as of rows of tokens.

    XLA sums over one axis of all tokens, as the gradients of biases and scales are, several times
    as fast as over two.

    Args:
        layer: Function from `(tokens, units)` to `(tokens, other units)`.
        inputs: Float tensor `(tokens, units)` or `(batch, time, units)`.

    Returns:
        The outputs, with the axes of the inputs.
    """
    if len(inputs.shape) == 2:
        return layer(inputs)
    batch, time, units = ops.shape(inputs)
    outputs = layer(ops.reshape(inputs, (-1, units)))
    return ops.reshape(outputs, (batch, time, outputs.shape[-1]))
