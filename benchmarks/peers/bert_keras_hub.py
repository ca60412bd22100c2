"""keras-hub's BERT: a step of masked language modelling; it has no head of the next sentence."""

import keras
import numpy as np
from keras_hub import models

from benchmarks import bert_workload as workload
from benchmarks.timing import Case, Work, main


def training():
    """`STEPS` steps."""
    keras.utils.set_random_seed(0)
    backbone = models.BertBackbone(
        vocabulary_size=workload.VOCABULARY,
        num_layers=workload.LAYERS,
        num_heads=workload.HEADS,
        hidden_dim=workload.UNITS,
        intermediate_dim=workload.HIDDEN,
        dropout=0.0,
        max_sequence_length=workload.POSITIONS,
        num_segments=2,
    )
    model = models.BertMaskedLM(backbone, preprocessor=None)
    model.compile(
        optimizer=keras.optimizers.Adam(workload.LEARNING_RATE, epsilon=workload.EPSILON),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[],  # in place of its own choice, the accuracy
        jit_compile=True,
    )
    pairs = workload.pairs()
    inputs = {
        "token_ids": pairs["token_ids"],
        "segment_ids": pairs["segment_ids"],
        "padding_mask": np.ones_like(pairs["token_ids"]),
        "mask_positions": pairs["positions"],
    }

    def call():
        return [model.train_on_batch(inputs, pairs["masked_lm"]) for _ in range(workload.STEPS)]

    return Work(call, lambda losses: {"losses": np.array(losses)}, items=workload.STEPS)


if __name__ == "__main__":
    cases = [Case("BERT", "training step", training)]
    main(cases, ["keras-hub", "keras", keras.backend.backend()])
