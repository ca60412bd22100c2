"""Our bidirectional LSTM layer, or with `--keras` Keras' own: forward, and all gradients.

`--jit` compiles with XLA; JAX always does.
"""

import sys
from functools import partial

import keras
from keras import ops

from benchmarks.compiling import compiled
from benchmarks.rnn_workloads import workloads
from benchmarks.timing import Case, Work, main
from seqnlp.gradients import value_and_gradient
from seqnlp.layers import RNNEncoder

JIT, IMPLEMENTATION = "--jit" in sys.argv, "keras" if "--keras" in sys.argv else "seqnlp"


def cases():
    """A `Case` for each workload."""
    for workload in workloads():
        yield Case(workload.name, "forward and backward", partial(gradients, workload))


def gradients(workload):
    """Gradients for the inputs and all weights."""
    layer = RNNEncoder(workload.upstream.shape[-1] // 2, implementation=IMPLEMENTATION)
    layer.build(workload.inputs.shape)
    layer.set_weights(workload.weights)
    upstream = ops.convert_to_tensor(workload.upstream)
    fixed = [variable.value for variable in layer.non_trainable_variables]

    def loss(arguments):
        inputs, trainable = arguments
        (outputs, _), _ = layer.stateless_call(trainable, fixed, inputs, training=True)
        return ops.mean(outputs * upstream)

    function = compiled(value_and_gradient(loss), JIT)
    trainable = [variable.value for variable in layer.trainable_variables]
    arguments = ops.convert_to_tensor(workload.inputs), trainable

    def results(outputs):
        value, (inputs, weights) = outputs
        found = {"loss": value, "inputs": inputs}
        found |= {f"weight {index}": weight for index, weight in enumerate(weights)}
        return {name: ops.convert_to_numpy(tensor) for name, tensor in found.items()}

    return Work(lambda: function(arguments), results)


if __name__ == "__main__":
    main(cases(), ["keras", "seqnlp", keras.backend.backend()])
