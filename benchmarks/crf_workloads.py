"""The CRF's workloads, the same for every library."""

from typing import NamedTuple

import numpy as np

SHAPES = ((32, 50, 9), (32, 128, 17), (64, 256, 50))  # (batch, time, tags)


class Workload(NamedTuple):
    """Random scores and tags; lengths lie in [time / 2, time], the first is `time`."""

    name: str
    potentials: np.ndarray  # float32 (batch, time, tags)
    tags: np.ndarray  # int32 (batch, time)
    lengths: np.ndarray  # int32 (batch,)
    transitions: np.ndarray  # float32 (tags, tags)

    @property
    def mask(self):
        """Bool `(batch, time)`, True at real tokens."""
        return np.arange(self.potentials.shape[1]) < self.lengths[:, None]

    def path_scores(self, tags):
        """Scores `(batch,)` of int `tags (batch, time)` in double precision.

        Decoders are compared by them, as two paths may score the same within float32.
        """
        mask, tags = self.mask, np.where(self.mask, tags, 0)
        tokens = np.take_along_axis(self.potentials, tags[..., None], axis=2)[..., 0]
        steps = self.transitions[tags[:, :-1], tags[:, 1:]]
        tokens, steps = tokens.astype("float64"), steps.astype("float64")
        return (tokens * mask).sum(axis=1) + (steps * mask[:, 1:]).sum(axis=1)


def workload(batch, time, num_tags):
    """The `Workload` of a shape."""
    random = np.random.default_rng(0)
    potentials = random.normal(size=(batch, time, num_tags)).astype("float32")
    transitions = random.normal(scale=0.1, size=(num_tags, num_tags)).astype("float32")
    tags = random.integers(num_tags, size=(batch, time)).astype("int32")
    lengths = random.integers(time // 2, time + 1, size=batch).astype("int32")
    lengths[0] = time
    name = f"crf({batch},{time},{num_tags})"
    return Workload(name, potentials, tags, lengths, transitions)


def workloads():
    """Yields the `Workload` of every shape."""
    for shape in SHAPES:
        yield workload(*shape)


def results_of(loss, potentials_gradient, transitions_gradient):
    """What a library's loss and gradients are compared by."""
    return {
        "loss": np.asarray(loss),
        "potentials_gradient": np.asarray(potentials_gradient),
        "transitions_gradient": np.asarray(transitions_gradient),
    }
