"""What the score of a hypothesis is, given its log probability."""

from typing import Any, NamedTuple

from keras import ops

_UNSEEN = 1e-9  # share of attention below which a source token counts as this much covered


class Penalties(NamedTuple):
    """The length and the coverage penalty of Wu et al.

        score = log P / ((5 + n) / 6) ** length + coverage * sum_s log(min(attention[s], 1))

    with n tokens, the end id not counted, and attention[s] what all n of them and the end id have
    paid to source token s.

    Attributes:
        length: At least 0.
        coverage: At least 0.
        source_mask: bool `(batch, source)`, True at real tokens; None where all are.

    Reference: Wu et al. 2016, Google's neural machine translation system, section 7
    """

    length: float
    coverage: float
    source_mask: Any

    def score(self, log_probabilities, lengths, attention):
        """All `(batch, beams, candidates)`, and attention `(batch, beams, source)`."""
        scores = log_probabilities
        if self.length:
            scores = scores / self._divisor(lengths)
        if self.coverage:
            covered = ops.log(ops.clip(attention, _UNSEEN, 1.0))
            if self.source_mask is not None:
                covered = ops.where(self.source_mask[:, None], covered, 0.0)
            scores = scores + self.coverage * ops.sum(covered, axis=-1, keepdims=True)
        return scores

    def bound(self, log_probabilities, max_length):
        """The highest score that unfinished hypotheses may still come to."""
        return log_probabilities / self._divisor(max_length)

    def _divisor(self, lengths):
        return ops.power((5.0 + ops.cast(lengths, "float32")) / 6.0, self.length)
