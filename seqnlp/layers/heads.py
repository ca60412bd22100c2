"""What ends a tagging model: from the scores of each token to tags, a loss and probabilities."""

import keras
from keras import ops


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
            labels: Int tensor `(batch, time)` of tag ids; what stands at padding is ignored.
            outputs: Dict of `potentials` and `mask`, as a call gives it.
        """
        raise NotImplementedError

    def marginals(self, outputs):
        """Probability of each tag at each token, float32 `(batch, time, tags)`; 0 at padding.

        Args:
            outputs: Dict of `potentials` and `mask`, as a call gives it.
        """
        raise NotImplementedError

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

    Takes and gives what `TaggingHead` says; needs no weights.

    Reference: https://arxiv.org/abs/1603.01360, section 2.2, the alternative to the CRF
    """

    def decode(self, potentials, mask):
        return ops.where(mask, ops.cast(ops.argmax(potentials, axis=-1), "int32"), 0)

    def negative_log_likelihood(self, labels, outputs):
        mask, logits = outputs["mask"], ops.cast(outputs["potentials"], "float32")
        tags = ops.where(mask, ops.cast(labels, "int32"), 0)
        losses = keras.losses.sparse_categorical_crossentropy(tags, logits, from_logits=True)
        return ops.sum(ops.where(mask, losses, 0.0), axis=1)

    def marginals(self, outputs):
        probabilities = ops.softmax(ops.cast(outputs["potentials"], "float32"), axis=-1)
        return ops.where(outputs["mask"][..., None], probabilities, 0.0)
