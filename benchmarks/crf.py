"""Our CRF: mean negative log likelihood with its gradients, and Viterbi decoding, under XLA."""

import keras
from keras import ops

from benchmarks.crf_workloads import workloads
from benchmarks.timing import time_calls
from seqnlp.gradients import compiled, gradient
from seqnlp.layers import crf_decode, crf_log_likelihood


def main():
    """Times every workload on the backend in use."""
    for name, potentials, tags, mask, transitions in workloads():
        time = potentials.shape[1]

        def loss(both, tags=tags, mask=mask, time=time):
            potentials, transitions = both[:, :time], both[0, time:]
            return -ops.mean(crf_log_likelihood(potentials, tags, mask, transitions))

        # One tensor of both, so that one gradient is that of potentials and transitions.
        repeated = ops.broadcast_to(transitions, (len(potentials), *transitions.shape))
        both = ops.concatenate([potentials, repeated], axis=1)
        loss_gradient = compiled(gradient(loss))
        who = f"seqnlp, {keras.backend.backend()}"
        time_calls(name, who, "loss gradient", loss_gradient, both)
        decode = compiled(lambda *scores: crf_decode(*scores)[0])
        arguments = [ops.convert_to_tensor(x) for x in (potentials, mask, transitions)]
        time_calls(name, who, "viterbi", decode, *arguments)


if __name__ == "__main__":
    main()
