"""Training of what stands on an encoder, whatever the task."""

import functools

from pipelines import encoders, streams, training
from seqnlp.optimizers import LayerwiseAdamW, LinearDecay, layer_scales

# The options that an interrupted run must share with the one that goes on.
REMEMBERED = (
    *encoders.OPTIONS,
    "seed",
    "batch_size",
    "epochs",
    "steps_per_epoch",
    "learning_rate",
    "warmup_share",
    "weight_decay",
    "layer_decay",
    "clip",
    "patience",
    "jit",
)


def jit(options):
    """Whether XLA compiles, announced."""
    return training.choose_jit(options.jit, True, "batches come in few shapes")


def optimizer(options, model, steps):
    """AdamW whose rate rises and falls in lines, and with each layer further down.

    Args:
        options: Of the pipeline.
        model: A built model on an `encoder`.
        steps: Batches in all.
    """
    made = LayerwiseAdamW(
        LinearDecay(options.learning_rate, int(options.warmup_share * steps), steps),
        layer_scales(model, options.layer_decay),
        weight_decay=options.weight_decay,
        epsilon=1e-6,
        global_clipnorm=options.clip or None,
    )
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def fit(
    options, manifest, model, batches, monitor, callbacks, compiled, remembered=(), encoding=None
):
    """Trains a model and leaves the best one of all epochs in `model.keras`.

    Args:
        options: Of the pipeline, with those of `encoder_options`.
        manifest: `Manifest` of the examples.
        model: The built model.
        batches: Function of a split and of `seed`, `first_epoch` and `num_epochs` that gives
            batches of `seqnlp.records`.
        monitor: Name of the log that tells the best epoch; greater is better.
        callbacks: Those that make what `monitor` reads, and pictures.
        compiled: Dict of the arguments of `compile` beside the optimizer.
        remembered: Names of the task's own options that decide what is trained.
        encoding: Tag scheme of a tagger, None for another model.
    """
    whole = streams.steps_of(batches("train"))
    steps = min(options.steps_per_epoch or whole, whole)
    model.compile(
        optimizer(options, model, steps * options.epochs), jit_compile=jit(options), **compiled
    )
    run = training.Run(options, manifest, model, monitor, (*REMEMBERED, *remembered), encoding)
    stream = streams.endless(
        functools.partial(batches, "train", seed=options.seed), run.first * steps, manifest
    )
    held_out = streams.held_out(batches("eval"), manifest)
    callbacks = [*callbacks, run.best, run.backup]
    run.fit(stream, steps, options.epochs, callbacks, validation_data=held_out)
    run.end()
