"""The best tag sequence of a linear-chain CRF."""

from keras import ops

from seqnlp.layers.crf_inputs import crf_scores
from seqnlp.layers.crf_likelihood import crf_sequence_score
from seqnlp.layers.crf_messages import before_each, forward_messages
from seqnlp.scan import scan


def crf_decode(
    potentials, mask, transitions, start_transitions=None, end_transitions=None, allowed=None
):
    """The best tag sequence by the Viterbi algorithm.

    Keeps the best score of each tag at each token and no back-pointers: on the way back one
    column of scores is computed again, `tags` sums instead of `tags ** 2`. The arguments are
    those of `seqnlp.layers.crf_likelihood`.

    Returns:
        `tags` int32 `(batch, time)`, 0 at padding, and their scores `(batch,)`.

    Raises:
        ValueError: A shape does not fit, or `allowed` leaves a real token no tag; see there.
    """
    rest = (transitions, start_transitions, end_transitions, allowed)
    scores = crf_scores(potentials, mask, *rest)
    best = forward_messages(scores, ops.max)  # (time, batch, tags)
    into = ops.transpose(scores.transitions)

    def backward(tag, x):
        before, real = x
        previous = _argmax(before + ops.take(into, tag, axis=0))
        return ops.where(real, previous, tag), ops.where(real, tag, 0)

    last = _argmax(best[-1] + scores.end)
    steps = before_each(best), ops.transpose(scores.mask)
    _, tags = scan(backward, last, steps, reverse=True)
    tags = ops.transpose(tags)
    potentials, *rest = scores
    return tags, crf_sequence_score(potentials, tags, *rest)


def _argmax(scores):
    return ops.cast(ops.argmax(scores, axis=-1), "int32")
