"""pytorch-crf on the CRF's workloads, eager, or with `--compile` under `torch.compile`.

Compiled, time is unrolled: a minute of compiling for 50 steps, and no decoding, which is Python.
"""

import sys
from functools import partial

import numpy as np
import torch
from torchcrf import CRF

from benchmarks.crf_workloads import results_of, workloads
from benchmarks.timing import Case, Work, main

COMPILE = "--compile" in sys.argv


def cases():
    """A `Case` for each workload and metric."""
    torch.set_num_threads(2)
    for workload in workloads():
        yield Case(workload.name, "loss gradient", partial(loss_gradient, workload))
        if not COMPILE:
            yield Case(workload.name, "viterbi", partial(viterbi, workload))


def crf_of(workload):
    """A CRF with the workload's transitions and no scores at the boundaries."""
    crf = CRF(workload.potentials.shape[2], batch_first=True)
    with torch.no_grad():
        crf.transitions.copy_(torch.tensor(workload.transitions))
        crf.start_transitions.zero_()
        crf.end_transitions.zero_()
    return crf


def loss_gradient(workload):
    """Loss and `backward`."""
    crf = crf_of(workload)
    potentials = torch.tensor(workload.potentials, requires_grad=True)
    tags, mask = torch.tensor(workload.tags, dtype=torch.long), torch.tensor(workload.mask)
    forward = torch.compile(crf) if COMPILE else crf

    def call():
        crf.zero_grad()
        potentials.grad = None
        loss = -forward(potentials, tags, mask, reduction="mean")
        loss.backward()
        return loss

    def results(loss):
        return results_of(loss.detach(), potentials.grad, crf.transitions.grad)

    return Work(call, results)


def viterbi(workload):
    """`CRF.decode`, which gives a list of tags a sentence."""
    crf = crf_of(workload)
    potentials, mask = torch.tensor(workload.potentials), torch.tensor(workload.mask)

    def call():
        with torch.inference_mode():
            return crf.decode(potentials, mask)

    def results(rows):
        tags = np.zeros(workload.tags.shape, dtype="int32")
        for row, found in zip(tags, rows, strict=True):
            row[: len(found)] = found
        return {"scores": workload.path_scores(tags)}

    return Work(call, results)


if __name__ == "__main__":
    main(cases(), ["pytorch-crf", "torch"])
