"""Linear-chain conditional random field: scores, likelihood and marginals.

Arguments of the functions, in all of them:

- `potentials (batch, time, tags)`: score of each tag at each token, in nats, any float dtype.
- `tags (batch, time)`: int tag ids; what stands at padding is ignored.
- `mask (batch, time)`: bool, True at real tokens, or None. Holes and padding on the left are
  skipped: the tokens on both sides of a hole are neighbours.
- `transitions (tags, tags)`: score of going from the row's tag to the column's.
- `start_transitions`, `end_transitions (tags,)`: scores of the first and the last tag, or None.
- `allowed (batch, time, tags)`: bool, the tags that a path may take at each token, or None for
  all of them; what stands at padding is ignored.

Everything is computed in float32. A row without real tokens scores zero. Each tag that is not
allowed, and each transition of `FORBIDDEN`, adds -1e9 to the score of a path and makes it
impossible. A row whose paths are all impossible has a log norm of -1e9, no marginals and no
gradient, and `crf_decode` finds the path that breaks least.

Arguments of a wrong shape are a `ValueError`; so are, where the values can be read (not while a
function is traced), tag ids out of range and real tokens with nothing allowed. Traced, an id out
of range scores -1e9.

Reference: Lafferty, McCallum & Pereira 2001, section 3;
https://arxiv.org/abs/1603.01360, section 2.2
"""

from keras import ops

from seqnlp.layers.crf_forward_backward import FORBIDDEN, posterior
from seqnlp.layers.crf_inputs import check_tags, crf_scores
from seqnlp.layers.masking import first_and_last, lengths_of, real_tokens_first


def crf_sequence_score(
    potentials, tags, mask, transitions, start_transitions=None, end_transitions=None
):
    """Unnormalised log score `(batch,)` of the given tags.

    Raises:
        ValueError: A shape does not fit, or a tag id is out of range; see the module.
    """
    scores = crf_scores(potentials, mask, transitions, start_transitions, end_transitions)
    check_tags(tags, mask, tuple(potentials.shape))
    potentials, mask, transitions, start, end = scores
    num_tags = ops.shape(transitions)[0]
    tags = ops.cast(tags, "int32")
    known = ops.logical_and(tags >= 0, tags < num_tags)
    tags = ops.where(ops.logical_and(mask, known), tags, 0)
    token = ops.take_along_axis(potentials, tags[..., None], axis=-1)[..., 0]
    score = ops.sum(ops.where(known, token, FORBIDDEN) * ops.cast(mask, "float32"), axis=1)

    first, last = first_and_last(mask)
    score = score + ops.sum(ops.where(first, ops.take(start, tags, axis=0), 0.0), axis=1)
    score = score + ops.sum(ops.where(last, ops.take(end, tags, axis=0), 0.0), axis=1)

    tags = real_tokens_first(tags, mask)
    pair = tags[:, :-1] * num_tags + tags[:, 1:]
    step = ops.take(ops.reshape(transitions, (-1,)), pair, axis=0)
    position = ops.arange(ops.shape(pair)[1], dtype="int32")[None]
    real = position < lengths_of(mask)[:, None] - 1
    return score + ops.sum(ops.where(real, step, 0.0), axis=1)


def crf_log_norm(
    potentials, mask, transitions, start_transitions=None, end_transitions=None, allowed=None
):
    """Log of the summed exponentiated scores of all allowed tag sequences, `(batch,)`.

    Its gradient is the forward-backward algorithm's, not that of a loop unrolled in time.

    Raises:
        ValueError: A shape does not fit, or `allowed` leaves a real token no tag; see the module.
    """
    rest = (transitions, start_transitions, end_transitions, allowed)
    potentials, mask, *rest = crf_scores(potentials, mask, *rest)
    return _log_norm(potentials, ops.cast(mask, "float32"), *rest)


@ops.custom_gradient
def _log_norm(potentials, mask, transitions, start, end):
    found = _posterior(potentials, mask > 0, transitions, start, end)

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream  # (batch,)
        row = upstream[:, None]
        return (
            row[..., None] * found.marginals,
            ops.zeros_like(mask),
            ops.einsum("b,bij->ij", upstream, found.transitions),
            ops.sum(row * found.start, axis=0),
            ops.sum(row * found.end, axis=0),
        )

    return found.log_norm, gradient


def _posterior(potentials, mask, *scores):
    """`Posterior` with the rows that have no possible path at `FORBIDDEN` and without counts."""
    found = posterior(potentials, mask, *scores)
    # A probability lost on the way leaves no first tag; in log space the norm says it.
    impossible = ops.logical_or(
        ops.logical_and(ops.any(mask, axis=1), ops.sum(found.start, axis=-1) < 0.5),
        found.log_norm < FORBIDDEN / 2,
    )
    log_norm, *counts = found
    shapes = [(-1, *[1] * (len(count.shape) - 1)) for count in counts]
    return found._replace(
        log_norm=ops.where(impossible, FORBIDDEN, log_norm),
        **{
            name: ops.where(ops.reshape(impossible, shape), 0.0, count)
            for name, shape, count in zip(found._fields[1:], shapes, counts, strict=True)
        },
    )


def crf_log_likelihood(
    potentials, tags, mask, transitions, start_transitions=None, end_transitions=None
):
    """Log probability `(batch,)` of the given tags among all tag sequences.

    Tags that take a forbidden transition have about -1e9.

    Raises:
        ValueError: A shape does not fit, or a tag id is out of range; see the module.
    """
    rest = (mask, transitions, start_transitions, end_transitions)
    return _share(crf_sequence_score(potentials, tags, *rest), crf_log_norm(potentials, *rest))


def _share(score, log_norm):
    """Log probability of paths, `FORBIDDEN` where no path at all is possible."""
    return ops.where(log_norm > FORBIDDEN / 2, score - log_norm, FORBIDDEN)


def crf_partial_log_likelihood(
    potentials, allowed, mask, transitions, start_transitions=None, end_transitions=None
):
    """Log probability `(batch,)` that the tags are within `allowed`.

    The likelihood of partial annotations: a token that was annotated allows its tag alone, one
    that was not allows every tag, a doubtful one some. Rows without a possible path within
    `allowed` have about -1e9.

    Raises:
        ValueError: A shape does not fit, or `allowed` leaves a real token no tag; see the module.

    Reference: Tsuboi et al. 2008, https://aclanthology.org/C08-1113, section 3
    """
    rest = (mask, transitions, start_transitions, end_transitions)
    return _share(crf_log_norm(potentials, *rest, allowed), crf_log_norm(potentials, *rest))


def crf_marginals(
    potentials, mask, transitions, start_transitions=None, end_transitions=None, allowed=None
):
    """Probability of each tag at each token, `(batch, time, tags)`; zeros at padding.

    Raises:
        ValueError: A shape does not fit, or `allowed` leaves a real token no tag; see the module.
    """
    rest = (transitions, start_transitions, end_transitions, allowed)
    return _posterior(*crf_scores(potentials, mask, *rest)).marginals
