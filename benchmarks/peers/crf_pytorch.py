"""pytorch-crf on the CRF's workloads, eager: `torch.compile` takes minutes a shape."""

import torch
from torchcrf import CRF

from benchmarks.crf_workloads import workloads
from benchmarks.timing import time_calls


def main():
    """Times every workload."""
    torch.set_num_threads(2)
    for name, potentials, tags, mask, transitions in workloads():
        crf = CRF(potentials.shape[2], batch_first=True)
        crf.transitions.data = torch.tensor(transitions)
        potentials = torch.tensor(potentials, requires_grad=True)
        tags, mask = torch.tensor(tags, dtype=torch.long), torch.tensor(mask)

        def loss_gradient(crf=crf, potentials=potentials, tags=tags, mask=mask):
            crf.zero_grad()
            potentials.grad = None
            (-crf(potentials, tags, mask, reduction="mean")).backward()

        def decode(crf=crf, potentials=potentials, mask=mask):
            with torch.inference_mode():
                return crf.decode(potentials, mask)

        time_calls(name, "pytorch-crf", "loss gradient", loss_gradient)
        time_calls(name, "pytorch-crf", "viterbi", decode)


if __name__ == "__main__":
    main()
