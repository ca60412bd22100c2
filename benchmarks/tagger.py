"""Our BiLSTM-CRF tagger: training as `fit` runs it, and `predict`, which decodes.

`--jit` compiles with XLA.
"""

import sys

import keras
import numpy as np

from benchmarks import tagger_workload as workload
from benchmarks.timing import Case, Work, main
from seqnlp.layers import CRF, RNNEncoder
from seqnlp.models import CRFModel

JIT = "--jit" in sys.argv


def cases():
    """Training and inference, on the backend in use."""
    yield Case("tagger", "training step", training)
    yield Case("tagger", "inference", inference)


def tagger():
    """A compiled model with the workload's weights."""
    words = keras.Input((None,), dtype="int32")
    embedding = keras.layers.Embedding(workload.VOCABULARY, workload.EMBEDDING)
    encoder = RNNEncoder(workload.UNITS)
    dense, crf = keras.layers.Dense(workload.TAGS), CRF(workload.TAGS)
    mask = keras.ops.not_equal(words, 0)
    states, _ = encoder(embedding(words), mask=mask)
    model = CRFModel(words, crf(dense(states), mask=mask))
    optimizer = keras.optimizers.Adam(workload.LEARNING_RATE, epsilon=workload.EPSILON)
    model.compile(optimizer, jit_compile=JIT)
    weights = workload.weights()
    for layer, names in {
        embedding: workload.EMBEDDING_WEIGHTS,
        encoder: workload.LSTM_WEIGHTS,
        dense: workload.DENSE_WEIGHTS,
        crf: workload.CRF_WEIGHTS,
    }.items():
        layer.set_weights([weights[name] for name in names])
    return model


def training():
    """An epoch of `STEPS` batches; the mean loss of the first one tells all steps apart."""
    model = tagger()
    words, tags = workload.sentences()

    def call():
        history = model.fit(words, tags, workload.BATCH, shuffle=False, verbose=0)
        return history.history["loss"][0]

    return Work(call, lambda loss: {"loss": np.array(loss)}, items=workload.STEPS)


def inference():
    """Sentences a second."""
    model = tagger()
    words, _ = workload.sentences()

    def call():
        return model.predict(words, workload.BATCH, verbose=0)

    def results(outputs):
        scores = workload.path_scores(outputs["potentials"], outputs["tags"])
        return {"potentials": outputs["potentials"], "scores": scores}

    return Work(call, results, items=len(words), unit="sentences/s")


if __name__ == "__main__":
    main(cases(), ["keras", "seqnlp", keras.backend.backend()])
