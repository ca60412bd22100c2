"""Our layers on one sequence of each length, forward, and with all gradients; under XLA."""

from functools import partial

import keras
import numpy as np
from keras import ops

from benchmarks import complexity_workloads as workload
from benchmarks.compiling import compiled
from benchmarks.timing import Case, Work, main
from seqnlp.gradients import value_and_gradient
from seqnlp.layers import GatedConv, RNNEncoder, SelfAttention


def cases():
    """A `Case` for each kind of layer, length and pass."""
    for kind in workload.KINDS:
        for name in workload.PASSES:
            for length in workload.LENGTHS:
                make = partial(passes, kind.name, name, length)
                yield Case(kind.workload, workload.metric(name, length), make)


def layer_of(name):
    """A layer of a kind, `UNITS` wide."""
    units, heads = workload.UNITS, workload.HEADS
    makes = {
        "self-attention": lambda: SelfAttention(heads),
        "self-attention, window": lambda: SelfAttention(heads, window=workload.WINDOW),
        "LSTM": lambda: RNNEncoder(units, "lstm", bidirectional=False),
        "GRU": lambda: RNNEncoder(units, "gru", bidirectional=False),
        "convolution": lambda: GatedConv(units, workload.KERNEL_SIZE),
    }
    return makes[name]()


def tensors(length):
    """Float32 inputs, and what weighs the outputs in their mean, both `(1, length, UNITS)`."""
    random = np.random.default_rng(0)
    return random.normal(size=(2, 1, length, workload.UNITS)).astype("float32")


def passes(name, which, length):
    """The outputs' weighted mean, and going back too its gradients for inputs and weights."""
    inputs, upstream = tensors(length)
    random, layer = np.random.default_rng(1), layer_of(name)
    layer.build(inputs.shape)
    for variable in layer.trainable_variables:
        variable.assign(random.normal(scale=workload.UNITS**-0.5, size=variable.shape))
    fixed = [variable.value for variable in layer.non_trainable_variables]

    def loss(arguments):
        inputs, trainable = arguments
        outputs, _ = layer.stateless_call(trainable, fixed, inputs, training=True)
        outputs = outputs[0] if isinstance(outputs, tuple | list) else outputs
        return ops.mean(outputs * upstream)

    both = which != workload.PASSES[0]
    function = compiled(value_and_gradient(loss) if both else loss)
    trainable = [ops.convert_to_tensor(variable.value) for variable in layer.trainable_variables]
    arguments = ops.convert_to_tensor(inputs), trainable

    def results(found):
        value, gradient = found if both else (found, None)
        slopes = {} if gradient is None else {"gradient": ops.convert_to_numpy(gradient[0])}
        return {"mean": ops.convert_to_numpy(value), **slopes}

    return Work(lambda: function(arguments), results)


if __name__ == "__main__":
    main(cases(), ["keras", "seqnlp", keras.backend.backend()])
