"""The semi-Markov CRF as the head of a tagging model."""

import keras
import numpy as np
from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN
from seqnlp.layers.crf_inputs import check_shape, check_tags, readable
from seqnlp.layers.heads import SMALLEST, TaggingHead
from seqnlp.layers.semi_markov import (
    semi_markov_crf_decode_places,
    semi_markov_crf_log_likelihood,
    semi_markov_crf_marginals,
    semi_markov_crf_place_marginals,
)
from seqnlp.layers.semi_markov_recursion import PLACES
from seqnlp.scan import scan


@keras.saving.register_keras_serializable(package="seqnlp")
class SemiMarkovCRF(TaggingHead):
    """Semi-Markov conditional random field on top of a network's scores: tags as whole segments.

    Scores spans where `CRF` scores tags: a label for all tokens of a segment, which label follows
    which, and how long segments of a label are. Takes and gives tags like any other head; a tag
    scheme says how segments are written as tags, and what no tag can write is never decoded.

        head = SemiMarkovCRF(tag_schemes.segment_tags(tags, "bio"), max_length=8)

    In training, a segment longer than `max_length` is a `ValueError` where tags can be read;
    while a function is traced they cannot, and such a segment is learned in pieces: as several,
    each but the last of `max_length` tokens, all of its label. A sentence whose pieces no tags
    can write (under `iob1` without `B-x`, say) has a loss of 0 and teaches nothing.

    Args:
        segment_tags: Which tag a token has by its label and place: int array `(labels, 6)` of tag
            ids, or -1 where there is no such tag. Columns: single, first, inside, last token of
            a segment, and single and first one behind a segment of the same label.
            `seqnlp.tag_schemes.segment_tags` makes it from tag names.
        max_length: Number of tokens of the longest segment.
        use_boundaries: Whether to learn scores of the first and the last label.

    Call arguments:
        potentials: Float tensor `(batch, time, labels)`.
        mask: Bool tensor `(batch, time)`, True at real tokens; holes are skipped.

    Returns:
        As `TaggingHead` says.

    Raises:
        ValueError: `segment_tags` is no such table, `max_length` is below 1, or the potentials are
            not as wide as there are labels.

    Reference: Sarawagi & Cohen 2004, "Semi-Markov conditional random fields for information
    extraction", section 2
    """

    def __init__(self, segment_tags, max_length=10, use_boundaries=True, **kwargs):
        table = _checked(np.asarray(segment_tags))
        if max_length < 1:
            raise ValueError(f"`max_length` must be at least 1. Received: max_length={max_length}")
        super().__init__(int(table.max()) + 1, **kwargs)
        self.segment_tags = table.tolist()
        self.max_length = max_length
        self.use_boundaries = use_boundaries

    @property
    def units(self):
        return len(self.segment_tags)

    def build(self, potentials_shape, mask_shape=None):
        super().build(potentials_shape)
        labels = len(self.segment_tags)
        self.transitions = self.add_weight(
            name="transitions", shape=(labels, labels), initializer="glorot_uniform"
        )
        self.length_scores = self.add_weight(
            name="length_scores", shape=(labels, self.max_length), initializer="zeros"
        )
        if self.use_boundaries:
            boundary = {"shape": (labels,), "initializer": "zeros"}
            self.start_transitions = self.add_weight(name="start_transitions", **boundary)
            self.end_transitions = self.add_weight(name="end_transitions", **boundary)

    def decode(self, potentials, mask):
        labels, places = semi_markov_crf_decode_places(potentials, mask, *self.segment_scores())
        tags = ops.convert_to_tensor(np.maximum(self.segment_tags, 0).ravel(), dtype="int32")
        tags = ops.take(tags, labels * len(PLACES) + places, axis=0)
        return ops.where(mask, tags, 0)

    def negative_log_likelihood(self, labels, outputs):
        """Loss of each sentence, float32 `(batch,)`, in nats, summed over its tokens.

        Tag ids out of range are a `ValueError` where they can be read; in compiled training
        they cost 1e9. Partial labels are refused.
        """
        potentials, mask = outputs["potentials"], outputs["mask"]
        check_shape("labels", labels, tuple(potentials.shape), "batch, time")
        check_tags(labels, mask, (*potentials.shape[:2], self.num_tags), "labels")
        known = ops.logical_and(labels >= 0, labels < self.num_tags)
        known = ops.all(ops.logical_or(known, ops.logical_not(mask)), axis=1)
        segments = self.segments(labels, mask)
        self._check_lengths(*segments, mask)
        likelihood = semi_markov_crf_log_likelihood(
            potentials, *segments, mask, *self.segment_scores()
        )
        loss = ops.where(likelihood > FORBIDDEN / 2, -likelihood, 0.0)
        return ops.where(known, loss, -FORBIDDEN)

    def segments(self, tags, mask):
        """Int `labels` and bool `begins`, `(batch, time)`, as the functions take them."""
        table = np.array(self.segment_tags)
        rows, columns = np.nonzero(table >= 0)
        label, begins = np.zeros(self.num_tags, "int32"), np.ones(self.num_tags, "bool")
        label[table[rows, columns]] = rows
        goes_on = np.isin(columns, [PLACES.index("inside"), PLACES.index("last")])
        begins[table[rows, columns][goes_on]] = False
        tags = ops.clip(ops.where(mask, ops.cast(tags, "int32"), 0), 0, self.num_tags - 1)
        return ops.take(label, tags, axis=0), ops.take(begins, tags, axis=0)

    def _check_lengths(self, labels, begins, mask):
        labels, begins, mask = readable(labels), readable(begins), readable(mask)
        if labels is None or mask is None:
            return
        for row in range(len(labels)):
            real = np.flatnonzero(mask[row])
            new = begins[row, real] | (np.diff(labels[row, real], prepend=-1) != 0)
            starts = np.flatnonzero(new)
            lengths = np.diff(starts, append=len(real))
            for start, length in zip(starts, lengths, strict=True):
                if length > self.max_length:
                    raise ValueError(
                        f"`labels` must have segments of at most {self.max_length} tokens, as "
                        f"the head's `max_length` says. Received: labels[{row}] with a segment of "
                        f"{length} tokens from token {real[start]} on"
                    )

    def marginals(self, outputs):
        places = semi_markov_crf_place_marginals(
            outputs["potentials"], outputs["mask"], *self.segment_scores()
        )
        table = np.array(self.segment_tags).T  # (6, labels)
        one_hot = (table[..., None] == np.arange(self.num_tags)).astype("float32")
        return ops.tensordot(places, one_hot, axes=2)  # (batch, time, tags)

    def tag_log_probabilities(self, outputs):
        """Log probability of each of the best segments, at its first token; 0 at the others.

        The sum over the tokens of a span is thus the log probability of just this span.

        Args:
            outputs: Dict of `tags`, `potentials` and `mask`, as a call gives it.

        Returns:
            The same float32 `(batch, time)` twice: what a tag adds at the beginning of a span and
            behind another one of it. Without a meaning where no tags can write a sentence.
        """
        mask = outputs["mask"]
        labels, begins = self.segments(outputs["tags"], mask)
        begins, lengths = _extents(labels, begins, mask)
        fits = ops.logical_and(begins, lengths <= self.max_length)
        index = ops.where(fits, (lengths - 1) * self.units + labels, 0)
        shape = (*ops.shape(labels), self.max_length * self.units)
        segments = ops.reshape(self.segment_marginals(outputs), shape)
        found = ops.take_along_axis(segments, index[..., None], axis=-1)[..., 0]
        found = ops.where(fits, found, 0.0)
        logs = ops.where(begins, ops.log(ops.maximum(found, SMALLEST)), 0.0)
        return logs, logs

    def segment_marginals(self, outputs):
        """Probability of each segment, `(batch, time, max_length, labels)`.

        By its first token, its length less one and its label; zeros at padding.
        """
        potentials, mask = outputs["potentials"], outputs["mask"]
        return semi_markov_crf_marginals(potentials, mask, *self.segment_scores())[1]

    def segment_scores(self):
        """`(transitions, length_scores, start_transitions, end_transitions)`.

        What no tag can write is closed.
        """
        start = end = ops.zeros((self.units,), dtype="float32")
        if self.use_boundaries:
            start = ops.convert_to_tensor(self.start_transitions)
            end = ops.convert_to_tensor(self.end_transitions)
        single, first, inside, last, single_again, first_again = np.array(self.segment_tags).T >= 0
        fresh = np.broadcast_to(single | first, (self.units, self.units))
        follows = np.where(np.eye(self.units, dtype=bool), single_again | first_again, fresh)
        two = (first | first_again) & last
        lengths = np.stack([single | single_again, two] + [two & inside] * self.max_length, axis=1)
        transitions = ops.convert_to_tensor(self.transitions)
        length_scores = ops.convert_to_tensor(self.length_scores)
        return (
            ops.where(follows, transitions, FORBIDDEN),
            ops.where(lengths[:, : self.max_length], length_scores, FORBIDDEN),
            ops.where(single | first, start, FORBIDDEN),
            end,
        )

    def get_config(self):
        config = super().get_config()
        del config["num_tags"]  # the table says it
        return {
            **config,
            "segment_tags": self.segment_tags,
            "max_length": self.max_length,
            "use_boundaries": self.use_boundaries,
        }


def _extents(labels, begins, mask):
    """Which real tokens begin a segment, and how many tokens are left of it, `(batch, time)`."""

    def forward(previous, x):
        label, begins, real = x
        begun = ops.logical_and(real, ops.logical_or(begins, label != previous))
        return ops.where(real, label, previous), begun

    def backward(behind, x):
        begun, real = x
        left = behind + ops.cast(real, "int32")
        return ops.where(begun, 0, left), left

    labels, begins, real = (ops.transpose(rows) for rows in (labels, begins, mask))
    none = ops.zeros_like(labels[0])
    _, begun = scan(forward, none - 1, (labels, begins, real))
    _, left = scan(backward, none, (begun, real), reverse=True)
    return ops.transpose(begun), ops.transpose(left)


def _checked(table):
    """The table of tags if each tag has one label, else a `ValueError`."""
    if table.ndim != 2 or table.shape[1] != len(PLACES) or not len(table):
        raise ValueError(
            f"`segment_tags` must have shape (labels, {len(PLACES)}). "
            f"Received: segment_tags.shape={table.shape}"
        )
    tags = sorted(tag for row in table.tolist() for tag in {*row} - {-1})
    if not tags or tags != list(range(len(tags))):
        raise ValueError(
            "`segment_tags` must hold each tag id from 0 on in one row alone, and -1. "
            f"Received: segment_tags={table.tolist()}"
        )
    for row in table.tolist():
        otherwise, again = row[:2], row[4:]
        differ = [tag < 0 for tag in otherwise] != [tag < 0 for tag in again]
        if differ and max(otherwise) >= 0 and max(again) >= 0:
            raise ValueError(
                "`segment_tags` must write single and first tokens of a label behind all labels "
                f"or behind others alone. Received: segment_tags with the row {row}"
            )
    return table
