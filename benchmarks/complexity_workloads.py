"""Layers whose time is measured against the length of a sequence."""

from typing import NamedTuple

UNITS, HEADS, WINDOW, KERNEL_SIZE = 256, 4, 32, 3
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)
PASSES = ("forward", "forward and backward")


class Kind(NamedTuple):
    """A kind of layer: `cost` is that of table 1 of Vaswani et al., `exponent` that of n in it."""

    name: str
    cost: str
    exponent: int

    @property
    def workload(self):
        """Name of its comparison."""
        return f"length, {self.name}"


KINDS = (
    Kind("self-attention", "O(n² d)", 2),
    Kind("self-attention, window", "O(r n d)", 1),
    Kind("LSTM", "O(n d²)", 1),
    Kind("GRU", "O(n d²)", 1),
    Kind("convolution", "O(k n d²)", 1),
)


def metric(name, length):
    """Name of a pass over a sequence of some length."""
    return f"{name}, {length}"
