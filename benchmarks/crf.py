"""Our CRF: mean negative log likelihood with its gradients, and Viterbi decoding, under XLA."""

from functools import partial

import keras
from keras import ops

from benchmarks.compiling import compiled
from benchmarks.crf_workloads import results_of, workloads
from benchmarks.timing import Case, Work, main
from seqnlp.gradients import value_and_gradient
from seqnlp.layers import crf_decode, crf_log_likelihood


def cases(given=None):
    """A `Case` for each workload and metric, on the backend in use."""
    for workload in given or workloads():
        yield Case(workload.name, "loss gradient", partial(loss_gradient, workload))
        yield Case(workload.name, "viterbi", partial(viterbi, workload))


def loss_gradient(workload):
    """Gradients for potentials and transitions, as training needs them."""
    tags, mask = _tensors(workload.tags, workload.mask)
    scores = _tensors(workload.potentials, workload.transitions)

    def loss(scores, tags, mask):
        potentials, transitions = scores
        return -ops.mean(crf_log_likelihood(potentials, tags, mask, transitions))

    function = compiled(value_and_gradient(loss))

    def results(outputs):
        value, slopes = outputs
        return results_of(value, *slopes)

    return Work(lambda: function(scores, tags, mask), results)


def viterbi(workload):
    """The best tags."""
    scores = _tensors(workload.potentials, workload.mask, workload.transitions)
    function = compiled(crf_decode)
    return Work(
        lambda: function(*scores),
        lambda outputs: {"scores": workload.path_scores(ops.convert_to_numpy(outputs[0]))},
    )


def _tensors(*arrays):
    return tuple(ops.convert_to_tensor(array) for array in arrays)


if __name__ == "__main__":
    main(cases(), ["keras", "seqnlp", keras.backend.backend()])
