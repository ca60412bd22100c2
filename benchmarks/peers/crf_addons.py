"""TensorFlow Addons on the CRF's workloads, in graph mode.

`--jit` decodes under XLA; the loss does not compile there ("FakeParam").
"""

import sys
from functools import partial

import tensorflow as tf
from tensorflow_addons.text import crf_decode, crf_log_likelihood

from benchmarks.crf_workloads import results_of, workloads
from benchmarks.timing import Case, Work, main

JIT = "--jit" in sys.argv


def cases():
    """A `Case` for each workload and metric."""
    for workload in workloads():
        if not JIT:
            yield Case(workload.name, "loss gradient", partial(loss_gradient, workload))
        yield Case(workload.name, "viterbi", partial(viterbi, workload))


def loss_gradient(workload):
    """Gradients for potentials and transitions."""
    scores = tf.constant(workload.potentials), tf.constant(workload.transitions)
    tags, lengths = tf.constant(workload.tags), tf.constant(workload.lengths)

    @tf.function
    def function(potentials, transitions):
        with tf.GradientTape() as tape:
            tape.watch([potentials, transitions])
            likelihood, _ = crf_log_likelihood(potentials, tags, lengths, transitions)
            loss = -tf.reduce_mean(likelihood)
        return loss, *tape.gradient(loss, [potentials, transitions])

    return Work(lambda: function(*scores), lambda outputs: results_of(*outputs))


def viterbi(workload):
    """The best tags."""
    scores = tf.constant(workload.potentials), tf.constant(workload.transitions)
    lengths = tf.constant(workload.lengths)

    @tf.function(jit_compile=JIT)
    def function(potentials, transitions):
        return crf_decode(potentials, transitions, lengths)

    return Work(
        lambda: function(*scores),
        lambda outputs: {"scores": workload.path_scores(outputs[0].numpy())},
    )


if __name__ == "__main__":
    main(cases(), ["tensorflow-addons", "tensorflow"])
