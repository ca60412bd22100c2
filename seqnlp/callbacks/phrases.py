"""Phrases of some sentences, and the vectors that a recurrent translator makes of them."""

import numpy as np
from keras import ops

from seqnlp.text.translation_names import word_numbers

WORDS = (2, 3, 4)  # of a phrase


def source_phrases(rows, names, most):
    """The phrases of some source sentences, each once.

    Args:
        rows: List of lists of source ids, the end of each sentence among them.
        names: `seqnlp.text.TranslationNames`.
        most: Number of phrases at most.

    Returns:
        Dict from the phrase, a string, to its list of ids, with an end.
    """
    found = {}
    for row in rows:
        numbers = np.array(word_numbers([names.source[index] for index in row]))
        for first in range(numbers.max() + 1):
            for number in WORDS:
                inside = (numbers >= first) & (numbers < first + number)
                ids = np.array(row)[inside].tolist()
                (phrase,) = names.source_sentences([ids])
                if first + number <= numbers.max() + 1 and phrase:
                    found.setdefault(phrase, [*ids, row[-1]])
                if len(found) == most:
                    return found
    return found


def phrase_vectors(model, rows):
    """What the decoder of a `RNNSeq2Seq` begins with after each phrase, `(phrases, units)`.

    It is the hidden state of the last layer, the summary of Cho et al.

    Args:
        model: The model.
        rows: List of lists of source ids.

    Reference: https://arxiv.org/abs/1406.1078, section 4.4
    """
    ids = np.zeros((len(rows), max(map(len, rows))), dtype="int32")
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
    state, _, _ = model.encode(ops.convert_to_tensor(ids))
    return ops.convert_to_numpy(state[-1][0])
