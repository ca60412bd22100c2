"""keras-hub's BART, its encoder and decoder that trains from scratch at any size.

Its layers are BART's, with GELU and learned positions, so its numbers are its own. Training is
`train_on_batch`, both decoders are `generate`, all under XLA.
"""

from functools import partial

import keras
import numpy as np
from keras_hub import models, samplers

from benchmarks import transformer_workload as workload
from benchmarks.timing import Case, Work, main
from benchmarks.translation_workload import (
    BATCH,
    EPSILON,
    LEARNING_RATE,
    START,
    STEPS,
    TARGET,
    VOCABULARY,
    sentences,
)


def cases():
    """Training, and both decoders."""
    yield Case("transformer", "training step", training)
    yield Case("transformer", "greedy", partial(decoding, samplers.GreedySampler))
    beam = partial(samplers.BeamSampler, num_beams=workload.BEAMS)
    yield Case("transformer", workload.BEAM, partial(decoding, beam))


def bart():
    """The model of the workload's sizes."""
    keras.utils.set_random_seed(0)
    backbone = models.BartBackbone(
        vocabulary_size=VOCABULARY,
        num_layers=workload.LAYERS,
        num_heads=workload.HEADS,
        hidden_dim=workload.UNITS,
        intermediate_dim=workload.HIDDEN,
        dropout=0.0,
        max_sequence_length=len(workload.sines()),
    )
    return models.BartSeq2SeqLM(backbone, preprocessor=None)


def _inputs(target):
    source, _ = sentences()
    ids = {"encoder_token_ids": source, "decoder_token_ids": target}
    masks = {name.replace("token_ids", "padding_mask"): np.ones_like(x) for name, x in ids.items()}
    return {**ids, **masks}


def training():
    """`STEPS` steps."""
    model, (_, target) = bart(), sentences()
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[],  # in place of its own choice, the accuracy
        jit_compile=True,
    )
    inputs, labels = _inputs(target[:, :-1]), target[:, 1:]

    def call():
        return [model.train_on_batch(inputs, labels) for _ in range(STEPS)]

    return Work(call, lambda losses: {"losses": np.array(losses)}, items=STEPS)


def decoding(sampler):
    """`generate` from the start token on."""
    model = bart()
    model.compile(sampler=sampler(), jit_compile=True)
    prompt = _inputs(np.full((BATCH, TARGET + 1), START, "int32"))
    prompt["decoder_padding_mask"][:, 1:] = 0

    def call():
        return model.generate(prompt, stop_token_ids=None)

    return Work(call, lambda found: {"tokens": found["decoder_token_ids"][:, 1:]})


if __name__ == "__main__":
    main(cases(), ["keras-hub", "keras", keras.backend.backend()])
