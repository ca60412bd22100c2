"""Questions on strings, as a trained model reads them: in windows, batched in few shapes."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqnlp.records import QuestionWindow

LENGTHS = 64  # windows are padded to multiples of it: few shapes to compile


class Asked(NamedTuple):
    """A question whose context is cut into windows; the fields are those of `AskedQuestion`."""

    question: str
    context: str
    windows: list


def in_windows(text, pairs, batch_size):
    """Questions with their windows, and the batches that hold the windows in order.

    Args:
        text: `seqnlp.text.QuestionText`.
        pairs: List of `(question, context)`, `str` or `bytes`.
        batch_size: Windows of a batch.

    Returns:
        List of `Asked`, and list of `(inputs, None, sample_weight)` as `find_answers` takes them.
    """
    questions, contexts = (tf.constant(side, tf.string) for side in zip(*pairs, strict=True))
    made = text.windows(questions, contexts)
    starts, ends, token_ids, segment_ids = (
        np.split(made[name].values.numpy(), made[name].row_splits.numpy()[1:-1])
        for name in ("starts", "ends", "token_ids", "segment_ids")
    )
    asked = [Asked(*pair, []) for pair in pairs]
    first_length = made["first_length"].numpy().tolist()
    for row, *window in zip(made["rows"].numpy(), first_length, starts, ends, strict=True):
        asked[row].windows.append(QuestionWindow(*window))
    batches = []
    for at in range(0, len(token_ids), batch_size):
        sides = [ids[at : at + batch_size] for ids in (token_ids, segment_ids)]
        longest = -(-max(map(len, sides[0])) // LENGTHS) * LENGTHS
        shape = (batch_size, min(longest, text.max_length))  # which a model may not go beyond
        inputs = {
            name: _padded(side, shape)
            for name, side in zip(("token_ids", "segment_ids"), sides, strict=True)
        }
        weight = (np.arange(batch_size) < len(sides[0])).astype("float32")
        batches.append((inputs, None, {"start": weight, "end": weight}))
    return asked, batches


def _padded(rows, shape):
    padded = np.zeros(shape, "int32")
    for at, row in enumerate(rows):
        padded[at, : len(row)] = row
    return padded
