"""Training of what stands on an encoder, whatever the task."""

import functools
import shutil

import keras

from pipelines import encoders, streams, trained_model, training
from pipelines.encoder_options import add_training
from seqnlp.callbacks import Backup, KeepBest
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


def add_arguments(group):
    """Adds the options of training to a group of a parser."""
    add_training(group)


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


def fit(options, manifest, model, batches, monitor, callbacks, compiled, remembered=(), text=None):
    """Trains a model and leaves the best one of all epochs in `model.keras`.

    Args:
        options: Of the pipeline, with `add_arguments` and `encoders.add_arguments`.
        manifest: `Manifest` of the examples.
        model: The built model.
        batches: Function of a split and of `seed`, `first_epoch` and `num_epochs` that gives
            batches of `seqnlp.records`.
        monitor: Name of the log that tells the best epoch; greater is better.
        callbacks: Those that make what `monitor` reads, and pictures.
        compiled: Dict of the arguments of `compile` beside the optimizer.
        remembered: Names of the task's own options that decide what is trained.
        text: Function of the path of the model file that saves its text, or None for the files
            of the examples.
    """
    whole = streams.steps_of(batches("train"))
    steps = min(options.steps_per_epoch or whole, whole)
    model.compile(
        optimizer(options, model, steps * options.epochs), jit_compile=jit(options), **compiled
    )
    best = KeepBest(
        options.output / "model.keras",
        monitor,
        options.output / "logs" / "history.json",
        options.patience,
    )
    backup = Backup(options.output / "backup")
    training.forget_other_runs(options, manifest, (*REMEMBERED, *remembered))
    (text or functools.partial(trained_model.save_text, examples=manifest.folder))(best.path)
    first = backup.restore(model, best.finished())
    if first:
        best.resume(first)
        print(f"going on after epoch {first} of an interrupted run")
    stream = streams.endless(
        functools.partial(batches, "train", seed=options.seed), first * steps, manifest
    )
    training.fit(
        model,
        stream,
        steps,
        first,
        options.epochs,
        [*callbacks, best, backup],
        best,
        validation_data=streams.held_out(batches("eval"), manifest),
    )
    shutil.rmtree(options.output / "backup", ignore_errors=True)


def tensorboard(options, manifest):
    """The callback that writes curves for TensorBoard, which needs TensorFlow; or none."""
    logs = options.output / "logs"
    if not streams.needs_tensorflow(manifest):
        print(f"nothing for TensorBoard, which needs TensorFlow; see {logs / 'history.json'}")
        return []
    return [keras.callbacks.TensorBoard(logs, write_graph=False)]
