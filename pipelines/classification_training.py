"""The train stage of `pipelines.classification`."""

import functools

import keras

from pipelines import command_line, encoders, fine_tuning, streams, training
from pipelines.classification_evaluation import forget_evaluation
from seqnlp.metrics import Pearson
from seqnlp.models import BERTClassifier, BERTRegressor
from seqnlp.records import bucket_lengths, classification_batches, read_manifest

REDUCTION = "mean_with_sample_weight"
SHAPES = 6  # lengths of batches, each compiled once


def train(options):
    """Trains on `examples` and leaves the best model of all epochs in `model.keras`."""
    manifest = read_manifest(str(options.output / "examples"), task="classification")
    if streams.needs_tensorflow(manifest):
        command_line.import_tensorflow_quietly()
    forget_evaluation(options.output)
    keras.utils.set_random_seed(options.seed)
    model = make_model(options, manifest)
    regression = manifest.options["task"] == "regression"
    fine_tuning.fit(
        options,
        manifest,
        model,
        functools.partial(batches, options, manifest),
        monitor="val_pearson" if regression else "val_accuracy",
        callbacks=training.tensorboard(options, manifest),
        compiled=judged(regression),
        remembered=("max_train_examples",),
    )


def make_model(options, manifest):
    """A built `BERTClassifier`, or a `BERTRegressor` that begins with the mean of the numbers."""
    encoder = encoders.make_encoder(options, manifest.folder)
    known = manifest.statistics["splits"]["train"]
    if manifest.options["task"] == "regression":
        model = BERTRegressor(encoder, options.dropout)
    else:
        model = BERTClassifier(encoder, len(known["labels"]), options.dropout)
    model.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
    if manifest.options["task"] == "regression":
        model.dense.bias.assign([known["values"]["mean"]])
    return model


def batches(options, manifest, split, **settings):
    """`classification_batches` with what the options say of them."""
    return classification_batches(
        manifest.folder,
        split,
        options.batch_size,
        lengths=bucket_lengths(manifest.statistics, SHAPES, [split]),
        most=options.max_train_examples if split == "train" else None,
        **settings,
    )


def judged(regression):
    """The loss and the metric, as `compile` takes them."""
    if regression:
        loss = keras.losses.MeanSquaredError(reduction=REDUCTION)
        return {"loss": loss, "weighted_metrics": [Pearson()]}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=REDUCTION)
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    return {"loss": loss, "weighted_metrics": [accuracy]}
