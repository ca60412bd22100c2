"""Workloads of a bidirectional LSTM layer, forward and backward."""

from typing import NamedTuple

import numpy as np

SHAPES = ((32, 50, 100, 200), (960, 12, 25, 50))  # (batch, time, features, units): words, spelling


class Workload(NamedTuple):
    """Random inputs, weights as Keras shapes them, and a weight of every output in the loss."""

    name: str
    inputs: np.ndarray  # (batch, time, features)
    upstream: np.ndarray  # (batch, time, 2 * units)
    weights: tuple  # kernel, recurrent kernel and bias of each direction

    @property
    def forward_gflop(self):
        """Matrix products of a call."""
        batch, time, features = self.inputs.shape
        units = self.upstream.shape[-1] // 2
        return 2e-9 * batch * time * 2 * (features + units) * 4 * units


def workload(batch, time, features, units):
    """The `Workload` of a shape, all float32."""
    random = np.random.default_rng(0)

    def normal(*shape, scale=1.0):
        return random.normal(scale=scale, size=shape).astype("float32")

    shapes = ((features, 4 * units), (units, 4 * units), (4 * units,))
    return Workload(
        f"BiLSTM({batch},{time},{features}) to 2 x {units}",
        normal(batch, time, features),
        normal(batch, time, 2 * units),
        tuple(normal(*shape, scale=0.05) for shape in (*shapes, *shapes)),
    )


def workloads():
    """Yields the `Workload` of every shape."""
    for shape in SHAPES:
        yield workload(*shape)
