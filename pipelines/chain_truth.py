"""What a tagger's probabilities must be: a chain in float64, to check an export with."""

import numpy as np

from seqnlp.layers import CRF

_FORBIDDEN = -5e8  # what scores less is impossible


class Chain:
    """Scores of one sentence's tags, and what follows from them by NumPy alone.

    Args:
        head: `seqnlp.layers.CRF`, or a head that decides each token on its own.
        potentials: Array `(time, tags)` of the real tokens.
    """

    def __init__(self, head, potentials):
        num_tags = potentials.shape[1]
        zeros = np.zeros((num_tags, num_tags)), np.zeros(num_tags), np.zeros(num_tags)
        scores = head.scores() if isinstance(head, CRF) else zeros
        scores = [np.asarray(score, dtype="float64") for score in scores]
        scores = [np.where(score < _FORBIDDEN, -np.inf, score) for score in scores]
        self.transitions, self.start, self.end = scores
        self.potentials = potentials.astype("float64")

    def log_norm(self, potentials=None):
        """Log of the summed scores of all paths."""
        first, *rest = self.potentials if potentials is None else potentials
        total = self.start + first
        for row in rest:
            total = np.logaddexp.reduce(total[:, None] + self.transitions, axis=0) + row
        return np.logaddexp.reduce(total + self.end)

    def span_probability(self, tags, first, end):
        """That tokens `first` to `end`, exclusive, have these tags: constrained over free norm."""
        constrained = self.potentials.copy()
        for at in range(first, end):
            others = np.arange(len(self.start)) != tags[at]
            constrained[at, others] = -np.inf
        return float(np.exp(self.log_norm(constrained) - self.log_norm()))

    def k_best(self, k):
        """Log probability and tags of the `k` best paths, best first; fewer where there are."""
        best = np.full((len(self.start), k), -np.inf)  # of the paths that end with each tag
        best[:, 0] = self.start + self.potentials[0]
        pointers = []
        for row in self.potentials[1:]:
            paths = (best[:, :, None] + self.transitions[:, None]).reshape(-1, len(row))
            order = np.argsort(-paths, axis=0, kind="stable")[:k]  # (k, tags)
            best = (np.take_along_axis(paths, order, axis=0) + row).T
            pointers.append(order.T.ravel())
        last = (best + self.end[:, None]).ravel()
        order = [path for path in np.argsort(-last, kind="stable")[:k] if last[path] > -np.inf]
        norm = self.log_norm()
        return [(float(last[path] - norm), self._tags(path, pointers, k)) for path in order]

    def _tags(self, path, pointers, k):
        tags = [int(path) // k]
        for pointer in reversed(pointers):
            path = pointer[path]
            tags.append(int(path) // k)
        return tags[::-1]
