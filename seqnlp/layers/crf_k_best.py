"""The `k` best tag sequences of a linear-chain CRF."""

import numpy as np
from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN
from seqnlp.layers.crf_inputs import crf_scores
from seqnlp.layers.crf_likelihood import crf_sequence_score
from seqnlp.layers.masking import lengths_of
from seqnlp.scan import scan

_NO_PATH = -1e30  # worse than any path, forbidden ones included, and still finite


def crf_k_best(
    potentials,
    mask,
    transitions,
    start_transitions=None,
    end_transitions=None,
    k=5,
    allowed=None,
):
    """The `k` best tag sequences by list Viterbi, which is exact.

    Keeps for each tag at each token the `k` best paths that end there; the arguments are those
    of `seqnlp.layers.crf_likelihood`.

    Args:
        k: How many, at least 1 and at most the number of paths, `tags ** time`.

    Returns:
        `tags` int32 `(batch, k, time)`, all different, best first, 0 at padding, and their
        scores `(batch, k)`. A row with fewer possible paths, one of length 0 for instance, which
        has one, has tags 0 and scores -inf behind them.

    Raises:
        ValueError: `k` is out of range, a shape does not fit, or `allowed` leaves a real token no
            tag.

    Reference: Seshadri & Sundberg 1994, List Viterbi decoding algorithms, the parallel one
    """
    rest = (transitions, start_transitions, end_transitions, allowed)
    scores = crf_scores(potentials, mask, *rest)
    _check_k(k, tuple(potentials.shape))
    last, pointers = _k_best_of_each_tag(scores, k)
    found, paths = ops.top_k(last, k)  # (batch, k)

    def backward(path, x):
        pointers, real = x
        real = real[:, None]
        before = ops.take_along_axis(pointers, path, axis=1)
        return ops.where(real, before, path), ops.where(real, path // k, 0)

    steps = pointers, ops.transpose(scores.mask)
    _, tags = scan(backward, ops.cast(paths, "int32"), steps, reverse=True)
    return _best_first(ops.transpose(tags, (1, 2, 0)), found > FORBIDDEN / 2, scores)


def _k_best_of_each_tag(scores, k):
    """Scores of the paths in the end `(batch, tags * k)`, and where each came from.

    A path is numbered `tag * k + rank`; pointers int32 `(time, batch, tags * k)` name the path
    that each one extends.
    """
    num_tags = scores.transitions.shape[0]
    into = ops.repeat(ops.transpose(scores.transitions), k, axis=1)  # (tags, tags * k)
    itself = ops.arange(num_tags * k, dtype="int32")[None]
    only_first = _only_first(k)

    def step(state, x):
        before, started = state  # (batch, tags * k)
        potential, real = x
        arriving, pointers = ops.top_k(before[:, None] + into, k)  # (batch, tags, k)
        first = scores.start[:, None] + only_first
        now = ops.where(started[..., None], arriving, first) + potential[..., None]
        now = now - ops.max(now, axis=(1, 2), keepdims=True)
        now = ops.where(real, ops.reshape(now, ops.shape(before)), before)
        pointers = ops.reshape(ops.cast(pointers, "int32"), ops.shape(before))
        pointers = ops.where(real, pointers, itself)
        return (now, ops.logical_or(started, real)), pointers

    steps = ops.transpose(scores.potentials, (1, 0, 2))
    real = ops.transpose(scores.mask)[..., None]  # (time, batch, 1)
    # Before the first token there is one path: number 0.
    nothing = ops.repeat(ops.zeros_like(steps[0]), k, axis=1) + _only_first(num_tags * k)
    (last, _), pointers = scan(step, (nothing, ops.zeros_like(real[0])), (steps, real))
    empty = lengths_of(scores.mask)[:, None] == 0
    return ops.where(empty, last, last + ops.repeat(scores.end, k)), pointers


def _only_first(size):
    """What leaves the first of `size` paths as it is and rules out the others."""
    return np.where(np.arange(size) == 0, 0.0, _NO_PATH).astype("float32")


def _best_first(tags, found, scores):
    """`tags (batch, k, time)` with their exact scores, sorted; -inf and 0 where none was found.

    The recursion's scores have lost the constants that it took off on the way.
    """
    batch, k, time = ops.shape(tags)
    potentials, mask = (ops.repeat(x, k, axis=0) for x in (scores.potentials, scores.mask))
    flat = ops.reshape(tags, (-1, time))
    exact = crf_sequence_score(potentials, flat, mask, *scores[2:])
    exact = ops.reshape(exact, (batch, k))
    found = ops.logical_and(found, exact > FORBIDDEN / 2)
    exact, order = ops.top_k(ops.where(found, exact, -np.inf), k)
    tags = ops.take_along_axis(tags, order[..., None], axis=1)
    return ops.where((exact > -np.inf)[..., None], tags, 0), exact


def _check_k(k, shape):
    _, time, num_tags = shape
    if k < 1:
        raise ValueError(f"`k` must be at least 1. Received: k={k}")
    # A path too many is there long before the power grows large.
    if time is not None and num_tags**time < k:
        raise ValueError(
            f"`k` must be at most the number of paths, tags ** time = {num_tags} ** {time} = "
            f"{num_tags**time}. Received: k={k}"
        )
