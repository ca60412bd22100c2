"""What ends a tagging model: from the scores of each token to tags, a loss and probabilities."""

import keras
from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN
from seqnlp.layers.crf_inputs import check_allowed, check_tags

SMALLEST = 1e-37  # of the probabilities that have a logarithm in float32


def is_partial(labels):
    """Whether labels are bool `(batch, time, tags)`, the tags that each token may have."""
    return len(labels.shape) == 3


def certain_tags(labels):
    """Int labels as they are; of partial ones the tag that is allowed alone, -1 elsewhere."""
    if not is_partial(labels):
        return ops.cast(labels, "int32")
    allowed = ops.cast(labels, "int32")
    certain = ops.sum(allowed, axis=-1) == 1
    return ops.where(certain, ops.cast(ops.argmax(allowed, axis=-1), "int32"), -1)


class TaggingHead(keras.layers.Layer):
    """Parent of the layers that end a tagging model: `CRF`, `TokenSoftmax`.

    Models ask a head for four things. A child gives `decode`, `negative_log_likelihood` and
    `marginals`, and `units` where it is not the number of tags. Always in float32.

    Args:
        num_tags: Number of tags.

    Call arguments:
        potentials: Float tensor `(batch, time, units)`.
        mask: Bool tensor `(batch, time)`, True at real tokens.

    Returns:
        Dict of `tags` int32 `(batch, time)`, the best ones, 0 at padding; `potentials` float32
        as given; `mask` bool `(batch, time)`.

    Raises:
        ValueError: `num_tags` is too small, or the potentials are not `units` wide.
    """

    minimum = 1  # number of tags

    def __init__(self, num_tags, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if num_tags < self.minimum:
            raise ValueError(
                f"`num_tags` must be at least {self.minimum}. Received: num_tags={num_tags}"
            )
        self.num_tags = num_tags
        self.supports_masking = True

    @property
    def units(self):
        """Width of the potentials."""
        return self.num_tags

    def decode(self, potentials, mask):
        """The best tags, int32 `(batch, time)`, 0 at padding."""
        raise NotImplementedError

    def negative_log_likelihood(self, labels, outputs):
        """Loss of each sentence, float32 `(batch,)`, in nats, summed over its tokens.

        Args:
            labels: Int tensor `(batch, time)` of tag ids; what stands at padding is ignored. A
                head may also take partial labels, bool `(batch, time, tags)`, True at each tag
                that a token may have: then the probability of all tag sequences within them.
            outputs: Dict of `potentials` and `mask`, as a call gives it.

        Raises:
            ValueError: The labels have a wrong shape or, where they can be read, no meaning at a
                real token.
        """
        raise NotImplementedError

    def marginals(self, outputs):
        """Probability of each tag at each token, float32 `(batch, time, tags)`; 0 at padding.

        Args:
            outputs: Dict of `potentials` and `mask`, as a call gives it.
        """
        raise NotImplementedError

    def tag_log_probabilities(self, outputs):
        """Log probability of each of the best tags: alone, and after the one before it.

        The log probability that a span has its tags is `alone` of its first token plus `after`
        of the others. Here both are the marginal one, which is exact where each token is decided
        on its own.

        Args:
            outputs: Dict of `tags`, `potentials` and `mask`, as a call gives it.

        Returns:
            `alone`, `after`, float32 `(batch, time)`; 0 at padding.
        """
        tags = outputs["tags"][..., None]
        probability = ops.take_along_axis(self.marginals(outputs), tags, axis=-1)[..., 0]
        alone = ops.where(outputs["mask"], ops.log(ops.maximum(probability, SMALLEST)), 0.0)
        return alone, alone

    def build(self, potentials_shape, mask_shape=None):
        if potentials_shape[-1] != self.units:
            raise ValueError(
                f"`potentials` must have {self.units} scores a token, as the head has `units`. "
                f"Received: potentials.shape={tuple(potentials_shape)}"
            )

    def call(self, potentials, mask=None):
        if mask is None:
            mask = ops.ones_like(potentials[..., 0], dtype="bool")
        mask = ops.cast(mask, "bool")
        return {"tags": self.decode(potentials, mask), "potentials": potentials, "mask": mask}

    def compute_mask(self, potentials, mask=None):
        return {"tags": mask, "potentials": mask, "mask": None}

    def get_config(self):
        return {**super().get_config(), "num_tags": self.num_tags}


@keras.saving.register_keras_serializable(package="seqnlp")
class TokenSoftmax(TaggingHead):
    """Decides each token on its own: the softmax of its potentials.

    Takes and gives what `TaggingHead` says, partial labels too; needs no weights.

    Reference: https://arxiv.org/abs/1603.01360, section 2.2, the alternative to the CRF
    """

    def decode(self, potentials, mask):
        return ops.where(mask, ops.cast(ops.argmax(potentials, axis=-1), "int32"), 0)

    def negative_log_likelihood(self, labels, outputs):
        mask, logits = outputs["mask"], ops.cast(outputs["potentials"], "float32")
        if is_partial(labels):
            check_allowed("labels", labels, mask, tuple(logits.shape))
            within = ops.where(ops.cast(labels, "bool"), logits, FORBIDDEN)
            losses = ops.logsumexp(logits, axis=-1) - ops.logsumexp(within, axis=-1)
        else:
            check_tags(labels, mask, tuple(logits.shape), "labels")
            tags = ops.where(mask, ops.cast(labels, "int32"), 0)
            losses = label_losses(tags, logits)
        return ops.sum(ops.where(mask, losses, 0.0), axis=1)

    def marginals(self, outputs):
        probabilities = ops.softmax(ops.cast(outputs["potentials"], "float32"), axis=-1)
        return ops.where(outputs["mask"][..., None], probabilities, 0.0)


def label_losses(labels, logits):
    """Cross entropy of int labels under a softmax; 1e9 for an id that is no label."""
    known = ops.logical_and(labels >= 0, labels < ops.shape(logits)[-1])
    labels = ops.where(known, labels, 0)
    losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return ops.where(known, losses, -FORBIDDEN)
