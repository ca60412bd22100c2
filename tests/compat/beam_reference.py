"""A beam search in NumPy over all tokens, with the penalties of ours and of Addons."""

import numpy as np
from keras import ops

from seqnlp import gradients
from seqnlp.decoding.states import take_rows


class WU:
    """The penalties of Wu et al. for all hypotheses, finished or not; the end id not counted."""

    counts_end = False

    @staticmethod
    def covered(attention, mask, finished):
        return np.where(mask[:, None], np.log(np.clip(attention, 1e-9, 1)), 0).sum(axis=-1)


class ADDONS:
    """The end id counts from the step after it, and coverage does too, for finished ones alone.

    Tokens come in the order that the hypotheses had in the step of the longest one's end, scores
    and lengths in that of the last step.
    """

    counts_end = True

    @staticmethod
    def covered(attention, mask, finished):
        attention = np.where(attention == 0, 1, attention)  # at padding, or by rounding
        return np.where(finished, np.log(np.minimum(attention, 1)).sum(axis=-1), 0)


def reference_search(
    model, start_ids, end, steps, width, length_penalty, coverage_penalty, penalties, mask
):
    """Token ids `(batch, width, steps)`, the end id at their end; scores; lengths with it."""
    batch = len(start_ids)
    rows = np.arange(batch)[:, None]
    run = gradients.compiled(model.step)
    state = take_rows(model.initial_state(), np.repeat(np.arange(batch), width))
    log_probabilities = np.tile(np.where(np.arange(width) == 0, 0.0, -1e9), (batch, 1))
    finished = log_probabilities < 0
    lengths = np.zeros((batch, width), dtype=int)
    attention = np.zeros((batch, width, mask.shape[1]))
    token_ids = np.full((batch, width, steps), end)
    last = np.tile(np.asarray(start_ids)[:, None], (1, width))
    history = []
    for at in range(steps):
        logits, state = run(ops.convert_to_tensor(last.reshape(-1), dtype="int32"), state)
        logits = ops.convert_to_numpy(logits).astype("float64").reshape(batch, width, -1)
        gains = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        is_end = np.arange(logits.shape[-1]) == end
        gains = np.where(finished[..., None], np.where(is_end, 0, -1e9), gains)
        alignment = ops.convert_to_numpy(state["alignment"]).reshape(attention.shape)
        attention = attention + np.where(finished[..., None], 0, alignment)
        total = log_probabilities[..., None] + gains
        counted = lengths[..., None] + (~finished[..., None] & ~is_end)
        scores = total / ((5 + counted) / 6) ** length_penalty
        covered = penalties.covered(attention, mask, finished)
        scores = scores + coverage_penalty * covered[..., None]
        flat = scores.reshape(batch, -1)
        best = np.argsort(-flat, axis=1, kind="stable")[:, :width]
        parents, last = np.divmod(best, logits.shape[-1])
        kept = flat[rows, best]
        ends = finished[rows, parents]
        lengths = lengths[rows, parents] + (~ends & (penalties.counts_end | (last != end)))
        log_probabilities = total.reshape(batch, -1)[rows, best]
        token_ids, attention = token_ids[rows, parents], attention[rows, parents]
        token_ids[:, :, at] = last
        history.append(token_ids)
        finished = ends | (last == end)
        state = take_rows(state, (rows * width + parents).reshape(-1))
        if finished.all():
            break
    if penalties.counts_end:
        longest = np.minimum(lengths.max(axis=1), len(history)) - 1
        token_ids = np.stack(history)[longest, np.arange(batch)]
    return token_ids, kept, lengths + (finished & (not penalties.counts_end))
