"""The train stage of `pipelines.tagging`."""

import functools
import itertools

import keras

from pipelines import (
    command_line,
    streams,
    tagging_encoder,
    tagging_fine_tuning,
    tagging_model,
    tagging_streams,
    training,
)
from pipelines.tagging_evaluation import forget_evaluation
from seqnlp.callbacks import TagEvaluation, TensorBoardTagger
from seqnlp.metrics import TokenAccuracy
from seqnlp.records import bucket_lengths, read_manifest, read_sentences, tagging_batches
from seqnlp.text import TaggingNames

SHOWN_SENTENCES = 20  # in TensorBoard's table
# The options that an interrupted run must share with the one that goes on.
REMEMBERED = (
    *tagging_model.OPTIONS,
    "seed",
    "batch_size",
    "epochs",
    "steps_per_epoch",
    "learning_rate",
    "word_dropout",
    "patience",
    "jit",
)


def train(options):
    """Trains on `examples` and leaves the best model of all epochs in `model.keras`."""
    manifest = read_manifest(str(options.output / "examples"))
    if streams.needs_tensorflow(manifest):
        command_line.import_tensorflow_quietly()
    names = TaggingNames.load(manifest.folder)
    encoding = manifest.options["encoding"]
    tagging_encoder.check_examples(options, manifest)
    forget_evaluation(options.output)
    if options.encoder_kind == "bert":
        settings = {
            "callbacks": lambda held_out: _callbacks(options, manifest, names, encoding, held_out),
            "metrics": _metrics(names),
            "monitor": _monitor(encoding, names),
        }
        tagging_fine_tuning.train(options, manifest, names, encoding, settings)
    else:
        _train_on_words(options, manifest, names, encoding)


def _train_on_words(options, manifest, names, encoding):
    why = "recurrent layers are faster without it on a CPU"
    jit = training.choose_jit(options.jit, on_processors=False, why=why)
    keras.utils.set_random_seed(options.seed)
    model = tagging_model.make_model(options, names, encoding)
    steps = -(-manifest.records("train") // options.batch_size)
    steps = min(options.steps_per_epoch or steps, steps)
    model.compile(_optimizer(options, steps), metrics=_metrics(names), jit_compile=jit)

    monitor = _monitor(encoding, names)
    run = training.Run(options, manifest, model, monitor, REMEMBERED, encoding)
    lengths = bucket_lengths(manifest.statistics) if jit else None
    settings = {"lengths": lengths, "characters": options.char_encoder != "none"}
    held_out = list(tagging_batches(manifest.folder, "eval", options.batch_size, **settings))
    callbacks = [*_callbacks(options, manifest, names, encoding, held_out), run.best, run.backup]
    batches = tagging_streams.training_batches(
        options, manifest, len(names.words), steps, run.first, settings
    )
    run.fit(batches, steps, options.epochs, callbacks)
    run.end()


def _optimizer(options, steps):
    schedule = keras.optimizers.schedules.CosineDecay(
        options.learning_rate, steps * options.epochs
    )
    return keras.optimizers.Adam(schedule, clipnorm=5.0)


def _metrics(names):
    metrics = {"tags": [TokenAccuracy()]}
    if names.labels:
        metrics["label"] = [keras.metrics.Accuracy()]
    return metrics


def _monitor(encoding, names):
    """The best epoch is that of the score that `evaluate` judges a model by."""
    if names.labels:
        return "val_joint_score"
    return "val_token_accuracy" if encoding == "none" else "val_f1"


def _callbacks(options, manifest, names, encoding, held_out):
    """Those that make what `_monitor` names, and pictures."""
    scores = TagEvaluation(held_out, names.tags, encoding)
    pictures = functools.partial(_pictures, manifest)
    return [scores, *training.tensorboard(options, manifest, pictures)]


def _pictures(manifest, logs):
    """The callback that shows tagged sentences in TensorBoard."""
    import tensorflow as tf

    from seqnlp.text import TaggingText

    text = TaggingText.load(manifest.folder)
    held_out = read_sentences(manifest.folder, "eval")
    sentences = list(itertools.islice(held_out, SHOWN_SENTENCES))
    inputs = text.inputs(tf.ragged.constant([tokens for tokens, _ in sentences]))
    read = text.words.tokens if text.bert is None else text.bert.names.pieces
    return TensorBoardTagger(logs, text.tags, sentences, inputs, read)
