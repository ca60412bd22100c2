"""What the functions of a linear-chain CRF are given: checked, and in one form."""

from collections import namedtuple

import numpy as np
from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN

Scores = namedtuple("Scores", "potentials mask transitions start end")
Scores.__doc__ = """The arguments of every function of a CRF, as tensors.

`potentials (batch, time, tags)` float32, 0 at padding and `FORBIDDEN` where a tag is not
allowed; `mask (batch, time)` bool; `transitions (tags, tags)`, `start (tags,)`, `end (tags,)`
float32.
"""


def crf_scores(potentials, mask, transitions, start=None, end=None, allowed=None):
    """`Scores` of what a function was given: ones for a `mask` of None, zeros for boundaries.

    Raises:
        ValueError: A shape does not fit that of `potentials`; or `allowed`, with values that can
            be read, leaves no tag at a real token. Nothing can be read while a function is
            traced: there such a token costs `FORBIDDEN`.
    """
    shape = checked_shape(potentials, "tags")
    check_shape("mask", mask, shape, "batch, time")
    check_shape("transitions", transitions, shape, "tags, tags")
    check_shape("start_transitions", start, shape, "tags")
    check_shape("end_transitions", end, shape, "tags")
    check_allowed("allowed", allowed, mask, shape)

    potentials = ops.cast(potentials, "float32")
    transitions = ops.cast(transitions, "float32")
    start, end = (boundary_scores(boundary, transitions) for boundary in (start, end))
    if allowed is not None:
        potentials = ops.where(ops.cast(allowed, "bool"), potentials, FORBIDDEN)
    if mask is None:
        return Scores(
            potentials, ops.ones_like(potentials[..., 0], dtype="bool"), transitions, start, end
        )
    mask = ops.cast(mask, "bool")
    return Scores(ops.where(mask[..., None], potentials, 0.0), mask, transitions, start, end)


def checked_shape(potentials, width):
    """The shape of the potentials, a tuple.

    Args:
        potentials: Float tensor.
        width: Name of their last axis.

    Raises:
        ValueError: They have another number of axes than three, or no time.
    """
    shape = tuple(potentials.shape)
    if len(shape) != 3 or shape[1] == 0:
        raise ValueError(
            f"`potentials` must have shape (batch, time, {width}), with a time of at least 1. "
            f"Received: potentials.shape={shape}"
        )
    return shape


def boundary_scores(boundary, transitions):
    """What a start or end costs, float32 `(tags,)`: zeros for None."""
    if boundary is None:
        return ops.zeros_like(transitions[0])
    return ops.cast(boundary, "float32")


def check_shape(name, tensor, potentials_shape, axes, **lengths):
    """A `ValueError` unless `tensor` is None or its axes are those of the potentials' names.

    Args:
        name: Name of the argument, for the message.
        tensor: Tensor or None.
        potentials_shape: Shape of the potentials, a tuple.
        axes: Names of its axes in order, such as `"batch, time"`. Lengths that are not known yet
            fit anything.
        **lengths: Those of axes that the potentials lack, by name.
    """
    if tensor is None:
        return
    batch, time, width = potentials_shape
    lengths = {"batch": batch, "time": time, "tags": width, "labels": width, **lengths}
    expected = tuple(lengths[axis] for axis in axes.split(", "))
    shape = tuple(tensor.shape)
    pairs = zip(shape, expected, strict=False)
    if len(shape) != len(expected) or any(None not in pair and len({*pair}) > 1 for pair in pairs):
        comma = "," if len(expected) == 1 else ""
        raise ValueError(
            f"`{name}` must have shape ({axes}{comma}) = {expected}, as `potentials` has shape "
            f"{potentials_shape}. Received: {name}.shape={shape}"
        )


def check_tags(tags, mask, potentials_shape, name="tags"):
    """A `ValueError` unless `tags` fit the potentials, in shape and where they can be read."""
    check_shape(name, tags, potentials_shape, "batch, time")
    ids, num_tags = readable(tags), potentials_shape[-1]
    if ids is None or num_tags is None:
        return
    at = _first_real((ids < 0) | (ids >= num_tags), mask)
    if at is not None:
        raise ValueError(
            f"`{name}` must be ids from 0 to {num_tags - 1} at real tokens. "
            f"Received: {name}[{at[0]}, {at[1]}]={ids[at]}"
        )


def check_allowed(name, allowed, mask, potentials_shape):
    """A `ValueError` unless `allowed` fits the potentials and leaves a tag at real tokens."""
    check_shape(name, allowed, potentials_shape, "batch, time, tags")
    values = None if allowed is None else readable(allowed)
    if values is None:
        return
    values = values.astype(bool)
    at = _first_real(~values.any(axis=-1), mask)
    if at is not None:
        raise ValueError(
            f"`{name}` must leave at least one tag at every real token. "
            f"Received: {name}[{at[0]}, {at[1]}]={values[at].tolist()}"
        )


def check_labels(labels, mask, potentials_shape, allowed_transitions):
    """A `ValueError` unless a CRF can give the labels, int or partial, a probability.

    Args:
        labels: Int `(batch, time)`, or bool `(batch, time, tags)`.
        mask: Bool `(batch, time)`.
        potentials_shape: Shape of the potentials, a tuple.
        allowed_transitions: As `seqnlp.layers.CRF` takes it, or None.
    """
    partial = len(labels.shape) == 3
    if partial:
        check_allowed("labels", labels, mask, potentials_shape)
    else:
        check_tags(labels, mask, potentials_shape, "labels")
    labels, mask = readable(labels), readable(mask)
    if labels is None or mask is None or allowed_transitions is None:
        return
    allowed = labels.astype(bool)
    if not partial:
        allowed = np.arange(potentials_shape[-1]) == labels[..., None]
    found = _dead_end(allowed, mask.astype(bool), np.array(allowed_transitions))
    if found:
        row, time, reason = found
        value = labels[row, time].tolist()
        raise ValueError(
            "`labels` must keep to `allowed_transitions`. "
            f"Received: labels[{row}, {time}]={value}, which {reason}"
        )


def _dead_end(allowed, mask, transitions):
    """`(row, time, reason)` of the first row that no path leads through, or None."""
    batch, time, num_tags = allowed.shape
    reached = np.zeros((batch, num_tags), dtype=bool)
    last, stuck = np.full(batch, -1), np.full(batch, -1)
    for at in range(time):
        arriving = np.where(
            last[:, None] < 0, transitions[-1, :-1], reached @ transitions[:-1, :-1]
        )
        arriving &= allowed[:, at]
        stuck[mask[:, at] & (stuck < 0) & ~arriving.any(axis=1)] = at
        reached[mask[:, at]] = arriving[mask[:, at]]
        last[mask[:, at]] = at
    ends = (reached & transitions[:-1, -1]).any(axis=1)
    for row in np.flatnonzero((stuck >= 0) | (~ends & (last >= 0))).tolist():
        if stuck[row] < 0:
            return row, int(last[row]), "may not come last"
        first = not mask[row, : stuck[row]].any()
        reason = "may not come first" if first else "may not follow what comes before it"
        return row, int(stuck[row]), reason
    return None


def _first_real(wrong, mask):
    """`(batch, time)` index of the first wrong token among the real ones, or None."""
    if mask is not None:
        real = readable(mask)
        if real is None:
            return None
        wrong = wrong & real.astype(bool)
    found = np.argwhere(wrong)
    return tuple(found[0].tolist()) if len(found) else None


def readable(tensor):
    """The values of a tensor as a NumPy array, or None while a function is traced."""
    try:
        return np.asarray(tensor)
    except (NotImplementedError, TypeError, ValueError):  # TensorFlow's, JAX's and Keras' answer
        return None
