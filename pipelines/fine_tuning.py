"""Training of what stands on an encoder, whatever the task."""

import functools
import shutil

import keras

from pipelines import encoders, streams, trained_model, training
from pipelines.command_line import (
    above_zero,
    at_least_one,
    at_least_zero,
    share,
    share_below_one,
)
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
    group.add_argument("--batch_size", type=at_least_one, default=32, help="examples")
    group.add_argument("--epochs", type=at_least_one, default=4, help="at most")
    group.add_argument("--steps_per_epoch", type=at_least_one, help="for shorter epochs")
    group.add_argument(
        "--learning_rate", type=above_zero, default=3e-4, help="the largest; 3e-5 for base"
    )
    group.add_argument(
        "--warmup_share",
        type=share_below_one,
        default=0.1,
        help="of the steps: the rate rises so long, then falls to 0 in a line",
    )
    group.add_argument("--weight_decay", type=at_least_zero, default=0.01, help="of AdamW")
    group.add_argument(
        "--layer_decay", type=share, default=1.0, help="factor of a layer's rate to the one above"
    )
    group.add_argument(
        "--clip", type=at_least_zero, default=1.0, help="largest norm of the gradient; 0: any"
    )
    group.add_argument("--patience", type=at_least_one, help="epochs to wait for a better one")
    group.add_argument("--jit", default="auto", choices=("auto", "true", "false"), help="XLA")


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
