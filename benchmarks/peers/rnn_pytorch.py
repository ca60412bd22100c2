"""PyTorch's bidirectional LSTM layer, which is oneDNN's: forward, and all gradients."""

from functools import partial

import torch

from benchmarks.peers.pytorch_weights import lstm
from benchmarks.rnn_workloads import workloads
from benchmarks.timing import Case, Work, main


def cases():
    """A `Case` for each workload."""
    torch.set_num_threads(2)
    for workload in workloads():
        yield Case(workload.name, "forward and backward", partial(gradients, workload))


def gradients(workload):
    """Gradients for the inputs and all weights."""
    layer = lstm(*workload.weights)
    inputs = torch.tensor(workload.inputs, requires_grad=True)
    upstream = torch.tensor(workload.upstream)

    def call():
        layer.zero_grad()
        inputs.grad = None
        loss = (layer(inputs)[0] * upstream).mean()
        loss.backward()
        return loss

    def results(loss):
        names = [
            f"{name}_l0{suffix}"
            for suffix in ("", "_reverse")
            for name in ("weight_ih", "weight_hh", "bias_ih")
        ]
        weights = [getattr(layer, name).grad.numpy().T for name in names]
        found = {f"weight {index}": weight for index, weight in enumerate(weights)}
        return {"loss": loss.detach().numpy(), "inputs": inputs.grad.numpy(), **found}

    return Work(call, results)


if __name__ == "__main__":
    main(cases(), ["torch"])
