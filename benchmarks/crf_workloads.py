"""The CRF's workloads, the same for every library."""

import numpy as np

SHAPES = ((32, 50, 9), (32, 128, 17), (64, 256, 50))  # (batch, time, tags)


def workloads():
    """Yields `(name, potentials, tags, mask, transitions)`; lengths lie in [time / 2, time]."""
    for batch, time, num_tags in SHAPES:
        random = np.random.default_rng(0)
        potentials = random.normal(size=(batch, time, num_tags)).astype("float32")
        transitions = random.normal(scale=0.1, size=(num_tags, num_tags)).astype("float32")
        tags = random.integers(num_tags, size=(batch, time)).astype("int32")
        lengths = random.integers(time // 2, time + 1, size=batch)
        lengths[0] = time
        mask = np.arange(time) < lengths[:, None]
        yield f"crf({batch},{time},{num_tags})", potentials, tags, mask, transitions
