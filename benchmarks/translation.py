"""Our models from sequence to sequence: training by `train_on_batch`, and decoding."""

import keras
import numpy as np
from keras import ops

from benchmarks import translation_workload as workload
from benchmarks.compiling import compiled
from benchmarks.timing import Work
from seqnlp.decoding import beam_search, greedy
from seqnlp.losses import SequenceCrossEntropy


def training(model, xla):
    """`STEPS` steps; the later losses tell whether the earlier steps moved the weights rightly."""
    optimizer = keras.optimizers.Adam(workload.LEARNING_RATE, epsilon=workload.EPSILON)
    model.compile(optimizer, SequenceCrossEntropy(), jit_compile=xla)
    source, target = workload.sentences()
    inputs = {"source_ids": source, "target_ids": target[:, :-1]}
    labels = target[:, 1:]

    def call():
        return [model.train_on_batch(inputs, labels) for _ in range(workload.STEPS)]

    return Work(call, lambda losses: {"losses": np.array(losses)}, items=workload.STEPS)


def decoding(model, beam_width=1):
    """The best translation of each sentence, `TARGET` steps in all; 1 is greedy."""

    def run(values, source):
        with keras.StatelessScope(list(zip(model.variables, values, strict=True))):
            start = ops.full((workload.BATCH,), workload.START, dtype="int32")
            state = model.initial_state(source, workload.TARGET)
            search = model.step, state, start, workload.END, workload.TARGET
            if beam_width == 1:
                return greedy(*search)
            return beam_search(*search, beam_width=beam_width)

    function = compiled(run)
    values = [ops.convert_to_tensor(variable.value) for variable in model.variables]
    source = ops.convert_to_tensor(workload.sentences()[0])

    def results(decoded):
        token_ids, scores = map(ops.convert_to_numpy, (decoded.token_ids, decoded.scores))
        if beam_width > 1:
            token_ids, scores = token_ids[:, 0], scores[:, 0]
        return workload.best(token_ids, scores)

    return Work(lambda: function(values, source), results)
