"""The tagger's workload: sentences without padding, and the weights that all sides start from."""

import numpy as np

BATCH, TIME, TAGS = 32, 50, 17
VOCABULARY, EMBEDDING, UNITS = 20_000, 100, 200
STEPS = 100  # batches a call
LEARNING_RATE, EPSILON = 1e-3, 1e-7
# Matrix products of one sentence: two directions of four gates, and the scores of the tags.
FORWARD_GFLOP = 2e-9 * TIME * (2 * (EMBEDDING + UNITS) * 4 * UNITS + 2 * UNITS * TAGS)


def sentences():
    """Int32 `word_ids` and `tags`, each `(STEPS * BATCH, TIME)`: a call's batches, all different.

    Word 0 is padding and does not occur.
    """
    random = np.random.default_rng(0)
    size = (STEPS * BATCH, TIME)
    words = random.integers(1, VOCABULARY, size=size).astype("int32")
    return words, random.integers(TAGS, size=size).astype("int32")


EMBEDDING_WEIGHTS = ("embedding",)
LSTM_WEIGHTS = tuple(
    f"{direction} {name}"
    for direction in ("forward", "backward")
    for name in ("kernel", "recurrent_kernel", "bias")
)
DENSE_WEIGHTS = ("dense kernel", "dense bias")
CRF_WEIGHTS = ("transitions", "start", "end")


def weights():
    """Dict of float32 arrays, shaped as Keras does; gates in the order i, f, c, o."""
    random = np.random.default_rng(1)
    lstm = ((EMBEDDING, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,))
    shapes = {
        "embedding": (VOCABULARY, EMBEDDING),
        **dict(zip(LSTM_WEIGHTS, (*lstm, *lstm), strict=True)),
        **dict(zip(DENSE_WEIGHTS, ((2 * UNITS, TAGS), (TAGS,)), strict=True)),
        **dict(zip(CRF_WEIGHTS, ((TAGS, TAGS), (TAGS,), (TAGS,)), strict=True)),
    }
    return {
        name: random.uniform(-0.05, 0.05, size=shape).astype("float32")
        for name, shape in shapes.items()
    }


def path_scores(potentials, tags):
    """Scores `(batch,)` of int `tags (batch, time)` in double precision, by the CRF above."""
    crf = weights()
    tokens = np.take_along_axis(potentials, tags[..., None], axis=2)[..., 0].astype("float64")
    steps = crf["transitions"][tags[:, :-1], tags[:, 1:]].astype("float64")
    ends = crf["start"][tags[:, 0]] + crf["end"][tags[:, -1]]
    return tokens.sum(axis=1) + steps.sum(axis=1) + ends
