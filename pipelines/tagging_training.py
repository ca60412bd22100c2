"""The train stage of `pipelines.tagging`."""

import itertools
import json
import shutil
import sys

import keras

from pipelines import command_line, tagging_model, tagging_streams, trained_model
from pipelines.tagging_evaluation import forget_evaluation
from seqnlp.callbacks import Backup, KeepBest, TagEvaluation, TensorBoardTagger
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


def train_tagger(options):
    """Trains on `examples` and leaves the best model of all epochs in `model.keras`."""
    manifest = read_manifest(str(options.output / "examples"))
    if tagging_streams.needs_tensorflow(manifest):
        command_line.import_tensorflow_quietly()
    names = TaggingNames.load(manifest.folder)
    encoding = manifest.options["encoding"]
    forget_evaluation(options.output)
    jit = _choose_jit(options.jit)
    keras.utils.set_random_seed(options.seed)
    model = tagging_model.make_model(options, names, encoding)
    steps = -(-manifest.records("train") // options.batch_size)
    steps = min(options.steps_per_epoch or steps, steps)
    model.compile(_optimizer(options, steps), metrics=_metrics(names), jit_compile=jit)

    best = _keep_best(options, encoding, names)
    backup = Backup(options.output / "backup")
    _forget_other_runs(options, manifest)
    trained_model.save_text(best.path, manifest.folder, encoding)
    first = backup.restore(model)
    if first:
        best.resume(first)
        print(f"going on after epoch {first} of an interrupted run")
    lengths = bucket_lengths(manifest.statistics) if jit else None
    settings = {"lengths": lengths, "characters": options.char_encoder != "none"}
    held_out = list(tagging_batches(manifest.folder, "eval", options.batch_size, **settings))
    scores = TagEvaluation(held_out, names.tags, encoding)
    callbacks = [scores, best, *_tensorboard(options, manifest), backup]
    batches = tagging_streams.training_batches(
        options, manifest, len(names.words), steps, first, settings
    )
    _fit(model, batches, steps, first, options.epochs, callbacks, best)
    shutil.rmtree(options.output / "backup", ignore_errors=True)


def _choose_jit(choice):
    jit, why = choice == "true", "as asked"
    if choice == "auto" and keras.backend.backend() == "jax":
        jit, why = True, "JAX always compiles"
    elif choice == "auto":
        import tensorflow as tf

        devices = {device.device_type for device in tf.config.list_physical_devices()}
        jit = bool(devices & {"GPU", "TPU"})
        why = "an accelerator is there"
        if not jit:
            why = "recurrent layers are faster without it on a CPU"
    print(f"backend {keras.backend.backend()}, XLA {'on' if jit else 'off'}: {why}")
    return jit


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


def _keep_best(options, encoding, names):
    """The best epoch is that of the score that `evaluate` judges a model by."""
    monitor = "val_token_accuracy" if encoding == "none" else "val_f1"
    return KeepBest(
        options.output / "model.keras",
        "val_joint_score" if names.labels else monitor,
        options.output / "logs" / "history.json",
        options.patience,
    )


def _fit(model, batches, steps, first_epoch, epochs, callbacks, best):
    try:
        model.fit(
            batches,
            epochs=epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=steps,
            callbacks=callbacks,
            shuffle=False,  # the stream is shuffled
            verbose=1 if sys.stdout.isatty() else 2,
        )
    except KeyboardInterrupt:
        print(f"\nstopped after {len(best.epochs)} epochs; the train stage goes on from there")
        raise
    finally:
        if best.best_epoch is not None:
            value = best.epochs[best.best_epoch][best.monitor]
            print(f"best epoch {best.best_epoch + 1}: {best.monitor} {value:.4f} -> {best.path}")


def _forget_other_runs(options, manifest):
    """Keeps the backup of an interrupted run of the same options on the same examples."""
    backup, logs = options.output / "backup", options.output / "logs"
    settings = {name: getattr(options, name) for name in REMEMBERED}
    settings["examples"] = manifest.content
    noted = backup / "options.json"
    try:
        same = json.loads(noted.read_text()) == settings and (logs / "history.json").exists()
    except (OSError, ValueError):
        same = False
    if same:
        return
    if any(backup.glob("epoch-*[0-9].weights.h5")):
        print("other options or examples than the interrupted run's: starting anew")
    trained_model.remove(options.output / "model.keras")
    for folder in (backup, logs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    noted.write_text(json.dumps(settings))


def _tensorboard(options, manifest):
    """The callbacks that write for TensorBoard, which needs TensorFlow."""
    logs = options.output / "logs"
    if not tagging_streams.needs_tensorflow(manifest):
        print(f"nothing for TensorBoard, which needs TensorFlow; see {logs / 'history.json'}")
        return []
    import tensorflow as tf

    from seqnlp.text import TaggingText

    text = TaggingText.load(manifest.folder)
    held_out = read_sentences(manifest.folder, "eval")
    sentences = list(itertools.islice(held_out, SHOWN_SENTENCES))
    inputs = text.inputs(tf.ragged.constant([tokens for tokens, _ in sentences]))
    pictures = TensorBoardTagger(logs, text.tags, sentences, inputs, text.words.tokens)
    return [keras.callbacks.TensorBoard(logs, write_graph=False), pictures]
