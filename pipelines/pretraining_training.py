"""The train stage of `pipelines.pretraining`."""

import functools

import keras
import numpy as np

from pipelines import command_line, pretraining_model, replicas, streams, training
from pipelines.pretraining_evaluation import forget_evaluation
from seqnlp.callbacks import TensorBoardPretrainer, Throughput
from seqnlp.models import pretraining_losses
from seqnlp.models.bert import pretraining_flops
from seqnlp.optimizers import LinearDecay
from seqnlp.records import pretraining_batches, read_manifest
from seqnlp.text import BERTNames

# The options that an interrupted run must share with the one that goes on.
REMEMBERED = (
    *pretraining_model.OPTIONS,
    "seed",
    "batch_size",
    "steps",
    "steps_per_epoch",
    "validation_batches",
    "most_predictions",
    "mask_share",
    "whole_words",
    "learning_rate",
    "warmup_steps",
    "weight_decay",
    "clip",
    "accumulate",
    "replicas",
    "jit",
)
MONITOR = "val_masked_lm_accuracy"


def train(options):
    """Trains on `examples` and leaves the best model of all epochs in `model.keras`."""
    manifest = read_manifest(str(options.output / "examples"), task="pretraining")
    if streams.needs_tensorflow(manifest):
        command_line.import_tensorflow_quietly()
    names = BERTNames.load(manifest.folder)
    jit = training.choose_jit(options.jit, True, "batches come in one shape", _no_jit(options))
    keras.utils.set_random_seed(options.seed)
    with replicas.replicated(options.replicas):
        _train(options, manifest, names, jit)


def _no_jit(options):
    """Why XLA must not compile the model, or None where it may."""
    shared = options.replicas > 1 and keras.backend.backend() == "tensorflow"
    return (
        "the strategies of TensorFlow, which share batches, do not go with it" if shared else None
    )


def _train(options, manifest, names, jit):
    model = pretraining_model.make_model(options, names, manifest.options["max_length"])
    model.compile(optimizer(options), jit_compile=jit, **judged())

    forget_evaluation(options.output)
    run = training.Run(options, manifest, model, MONITOR, REMEMBERED)
    steps, epochs = equal_epochs(options.steps, options.steps_per_epoch)
    make = functools.partial(batches, options, manifest, "train", seed=options.seed)
    stream = streams.endless(make, run.first * steps, manifest)
    validation = streams.held_out(
        batches(options, manifest, "eval"), manifest, options.validation_batches
    )
    pictures = functools.partial(_pictures, options, manifest, names)
    callbacks = [_throughput(options, manifest, model), run.best]
    callbacks += [*training.tensorboard(options, manifest, pictures), run.backup]
    run.fit(stream, steps, epochs, callbacks, validation_data=validation)
    run.end()


def batches(options, manifest, split, **settings):
    """`pretraining_batches` with what the options say of them."""
    return pretraining_batches(
        manifest.folder,
        split,
        options.batch_size,
        most_predictions=options.most_predictions,
        mask_share=options.mask_share,
        whole_words=options.whole_words,
        **settings,
    )


def equal_epochs(steps, most):
    """Batches of an epoch, at most `most`, and the number of epochs that come to all steps."""
    epochs = -(-steps // most)
    return -(-steps // epochs), epochs


def judged():
    """The losses and metrics of `BERTPretrainer`, as `compile` takes them."""
    accuracy = {
        name: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
        for name in ("masked_lm", "next_sentence")
    }
    return {"loss": pretraining_losses(), "weighted_metrics": accuracy}


def optimizer(options):
    """AdamW whose rate rises and falls in lines; norms and biases do not decay."""
    warmup = options.steps // 10 if options.warmup_steps is None else options.warmup_steps
    made = keras.optimizers.AdamW(
        LinearDecay(options.learning_rate, warmup, options.steps),
        weight_decay=options.weight_decay,
        epsilon=1e-6,
        global_clipnorm=options.clip or None,
        gradient_accumulation_steps=options.accumulate if options.accumulate > 1 else None,
    )
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def _throughput(options, manifest, model):
    """The callback that says how fast training is."""
    histogram = manifest.statistics["splits"]["train"]["lengths"]["histogram"]
    lengths, counts = map(np.array, zip(*histogram, strict=True))
    length = manifest.options["max_length"]
    return Throughput(
        options.batch_size,
        tokens=float(np.average(lengths, weights=counts)),
        flops=pretraining_flops(model.encoder, length, options.most_predictions),
        peak=options.peak_tflops and 1e12 * options.peak_tflops,
    )


def _pictures(options, manifest, names, logs):
    """The callback that shows guesses and heads in TensorBoard."""
    shown = next(iter(batches(options, manifest, "eval")))
    return TensorBoardPretrainer(logs, shown, names)
