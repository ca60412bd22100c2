"""The linear-chain conditional random field as the head of a tagging model."""

import keras
import numpy as np
from keras import ops

from seqnlp.layers.crf_decode import crf_decode
from seqnlp.layers.crf_forward_backward import FORBIDDEN
from seqnlp.layers.crf_inputs import check_labels, crf_scores
from seqnlp.layers.crf_k_best import crf_k_best
from seqnlp.layers.crf_likelihood import (
    crf_log_likelihood,
    crf_marginals,
    crf_partial_log_likelihood,
)
from seqnlp.layers.crf_tag_probabilities import crf_tag_log_probabilities, path_log_probabilities
from seqnlp.layers.heads import TaggingHead, is_partial


@keras.saving.register_keras_serializable(package="seqnlp")
class CRF(TaggingHead):
    """Linear-chain conditional random field on top of a network's scores.

    Learns how likely one tag follows another and decodes the best tag sequence. Train it with
    `seqnlp.models.CRFModel` or as the head of a `Tagger`: the loss is the negative log
    likelihood. Always in float32.

    Args:
        num_tags: Number of tags.
        allowed_transitions: Which tag may follow which, in training and in decoding: bool
            array `(tags + 1, tags + 1)` from row to column. The last row holds the tags that
            may come first, the last column those that may come last. None allows everything.
            `seqnlp.tag_schemes.allowed_transitions` makes it from tag names.
        use_boundaries: Whether to learn scores of the first and the last tag.

    Call arguments:
        potentials: Float tensor `(batch, time, tags)`.
        mask: Bool tensor `(batch, time)`, True at real tokens; holes are skipped.

    Returns:
        Dict of `tags` int32 `(batch, time)`, the best ones; `potentials` float32 as given;
        `mask` bool `(batch, time)`.

    Raises:
        ValueError: `num_tags` is below 2, `allowed_transitions` has another shape, or the
            potentials are not `num_tags` wide.

    Reference: https://arxiv.org/abs/1603.01360, section 2.2
    """

    minimum = 2

    def __init__(self, num_tags, allowed_transitions=None, use_boundaries=True, **kwargs):
        super().__init__(num_tags, **kwargs)
        self.use_boundaries = use_boundaries
        self.allowed_transitions = None
        if allowed_transitions is not None:
            allowed = np.asarray(allowed_transitions, dtype=bool)
            if allowed.shape != (num_tags + 1, num_tags + 1):
                raise ValueError(
                    "`allowed_transitions` must have shape (num_tags + 1, num_tags + 1) = "
                    f"{(num_tags + 1, num_tags + 1)}. "
                    f"Received: allowed_transitions.shape={allowed.shape}"
                )
            self.allowed_transitions = allowed.tolist()

    def build(self, potentials_shape, mask_shape=None):
        super().build(potentials_shape, mask_shape)
        self.transitions = self.add_weight(
            name="transitions",
            shape=(self.num_tags, self.num_tags),
            initializer="glorot_uniform",
        )
        if self.use_boundaries:
            boundary = {"shape": (self.num_tags,), "initializer": "zeros"}
            self.start_transitions = self.add_weight(name="start_transitions", **boundary)
            self.end_transitions = self.add_weight(name="end_transitions", **boundary)

    def decode(self, potentials, mask):
        return crf_decode(potentials, mask, *self.scores())[0]

    def negative_log_likelihood(self, labels, outputs):
        """Loss of each sentence, float32 `(batch,)`, in nats, summed over its tokens.

        Labels that the CRF cannot give a probability, because nothing is allowed at a token or
        `allowed_transitions` forbids every path, are a `ValueError` where their values can be
        read; in compiled training they cost about 1e9 and have a finite gradient.
        """
        potentials, mask = outputs["potentials"], outputs["mask"]
        check_labels(labels, mask, tuple(potentials.shape), self.allowed_transitions)
        log_likelihood = crf_partial_log_likelihood if is_partial(labels) else crf_log_likelihood
        return -log_likelihood(potentials, labels, mask, *self.scores())

    def marginals(self, outputs):
        return crf_marginals(outputs["potentials"], outputs["mask"], *self.scores())

    def tag_log_probabilities(self, outputs):
        names = "potentials", "tags", "mask"
        return crf_tag_log_probabilities(*(outputs[name] for name in names), *self.scores())

    def k_best(self, outputs, k):
        """The `k` best tag sequences, as `crf_k_best` gives them, with log probabilities.

        Args:
            outputs: Dict of `potentials` and `mask`, as a call gives it.
            k: How many.

        Returns:
            `tags` int32 `(batch, k, time)`, log probabilities `(batch, k)`; -inf behind the
            possible ones of a row.

        Raises:
            ValueError: As `crf_k_best`.
        """
        rest = (outputs["potentials"], outputs["mask"], *self.scores())
        tags, scores = crf_k_best(*rest, k=k)
        # Summed over the tokens they are finer in float32 than score less log norm.
        _, after = path_log_probabilities(crf_scores(*rest), tags)
        return tags, ops.where(scores > -np.inf, ops.sum(after, axis=-1), -np.inf)

    def scores(self):
        """`(transitions, start_transitions, end_transitions)` with the forbidden ones closed."""
        transitions = ops.convert_to_tensor(self.transitions)
        start = end = ops.zeros((self.num_tags,), dtype="float32")
        if self.use_boundaries:
            start = ops.convert_to_tensor(self.start_transitions)
            end = ops.convert_to_tensor(self.end_transitions)
        if self.allowed_transitions is None:
            return transitions, start, end
        allowed = np.array(self.allowed_transitions)
        return (
            ops.where(allowed[:-1, :-1], transitions, FORBIDDEN),
            ops.where(allowed[-1, :-1], start, FORBIDDEN),
            ops.where(allowed[:-1, -1], end, FORBIDDEN),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "allowed_transitions": self.allowed_transitions,
            "use_boundaries": self.use_boundaries,
        }
