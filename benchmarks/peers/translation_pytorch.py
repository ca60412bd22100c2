"""Training and decoding of both workloads from sequence to sequence, in PyTorch."""

import torch

from benchmarks import translation_workload as workload
from benchmarks.timing import Work


def sentences():
    """Int64 `source (batch, source)` and `target (batch, TARGET + 1)`."""
    return [torch.tensor(array, dtype=torch.long) for array in workload.sentences()]


def training(model, forward):
    """`STEPS` steps of `forward(source, target)`, which gives the loss of the model."""
    source, target = sentences()
    settings = {"eps": workload.EPSILON, "fused": True}
    optimizer = torch.optim.Adam(model.parameters(), workload.LEARNING_RATE, **settings)

    def call():
        losses = []
        for _ in range(workload.STEPS):
            optimizer.zero_grad()
            loss = forward(source, target)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses)

    return Work(call, lambda losses: {"losses": losses.numpy()}, items=workload.STEPS)
