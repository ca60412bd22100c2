"""Our BERT: a step of pretraining. `--jit` trains with XLA."""

import sys

import keras
import numpy as np

from benchmarks import bert_workload as workload
from benchmarks.timing import Case, Work, main
from seqnlp.compat.bert_weights import assign
from seqnlp.models import BERTEncoder, BERTPretrainer, pretraining_losses

INPUTS = ("token_ids", "segment_ids", "positions")
LABELS = ("masked_lm", "next_sentence")


def model():
    """A built `BERTPretrainer` with the workload's weights."""
    encoder = BERTEncoder(
        workload.VOCABULARY,
        workload.UNITS,
        workload.LAYERS,
        workload.HEADS,
        workload.HIDDEN,
        workload.POSITIONS,
        dropout=0.0,
        attention_dropout=0.0,
    )
    made = BERTPretrainer(encoder)
    made.build(dict.fromkeys(INPUTS, (None, None)))
    assign(made, workload.weights(), "the workload")
    return made


def training():
    """`STEPS` steps; the later losses tell whether the earlier steps moved the weights rightly."""
    made, pairs = model(), workload.pairs()
    optimizer = keras.optimizers.Adam(workload.LEARNING_RATE, epsilon=workload.EPSILON)
    made.compile(optimizer, pretraining_losses(), jit_compile="--jit" in sys.argv)
    inputs, labels = ({name: pairs[name] for name in names} for names in (INPUTS, LABELS))
    weights = {name: np.ones(label.shape, "float32") for name, label in labels.items()}

    def call():
        return [made.train_on_batch(inputs, labels, weights)[0] for _ in range(workload.STEPS)]

    return Work(call, lambda losses: {"losses": np.array(losses)}, items=workload.STEPS)


if __name__ == "__main__":
    cases = [Case("BERT", "training step", training)]
    main(cases, ["keras", "seqnlp", keras.backend.backend()])
