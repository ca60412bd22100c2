"""Lets the sides of a comparison take turns until each has enough undisturbed runs."""

import statistics
from typing import NamedTuple

from benchmarks.timing import DISTURBED


class Figure(NamedTuple):
    """The runs of a side: what is kept of them, and the largest share that others took."""

    median: float
    min: float
    max: float
    runs: int
    others: float

    @property
    def disturbed(self):
        """Whether others took too much to let the figure stand without a mark."""
        return self.others > DISTURBED


def alternate(sides, runs, tries):
    """Runs the sides one after the other, round after round.

    A side whose run was disturbed gets another one, up to `tries` in all; of its runs the least
    disturbed are kept.

    Args:
        sides: Dict from name to a function that runs once and returns `(figure, share)`, the
            share of the processors that others took.
        runs: Undisturbed runs that each side needs.
        tries: Most runs of a side.

    Returns:
        Dict from name to `Figure`.
    """
    done = {name: [] for name in sides}
    for _ in range(tries):
        for name, run in sides.items():
            if sum(share <= DISTURBED for _, share in done[name]) < runs:
                done[name].append(run())
    return {name: _figure(pairs, runs) for name, pairs in done.items()}


def _figure(pairs, runs):
    kept = sorted(pairs, key=lambda pair: pair[1])[:runs]
    values = [value for value, _ in kept]
    others = max(share for _, share in kept)
    return Figure(statistics.median(values), min(values), max(values), len(kept), others)
