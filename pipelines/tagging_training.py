"""The train stage of `pipelines.tagging`."""

import json
import pathlib
import shutil
import sys

import keras
import numpy as np
import tensorflow as tf

from pipelines import tagging_model, trained_model
from pipelines.tagging_evaluation import forget_evaluation
from seqnlp.callbacks import Backup, KeepBest, TagEvaluation, TensorBoardTagger
from seqnlp.metrics import TokenAccuracy
from seqnlp.records import bucket_lengths, read_manifest, read_sentences, tagging_batches
from seqnlp.text import TaggingText

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
    text = TaggingText.load(manifest.folder)
    forget_evaluation(options.output)
    encoding = manifest.options["encoding"]
    jit, why = _choose_jit(options.jit)
    print(f"backend {keras.backend.backend()}, XLA {'on' if jit else 'off'}: {why}")

    keras.utils.set_random_seed(options.seed)
    model = tagging_model.make_model(options, text, encoding)
    steps = -(-manifest.records("train") // options.batch_size)
    steps = min(options.steps_per_epoch or steps, steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        options.learning_rate, steps * options.epochs
    )
    optimizer = keras.optimizers.Adam(schedule, clipnorm=5.0)
    model.compile(optimizer, metrics=[TokenAccuracy()], jit_compile=jit)

    lengths = bucket_lengths(manifest.statistics) if jit else None
    settings = {"lengths": lengths, "characters": options.char_encoder != "none"}
    held_out = tagging_batches(manifest.folder, "eval", options.batch_size, **settings)
    best = KeepBest(
        options.output / "model.keras",
        "val_token_accuracy" if encoding == "none" else "val_f1",
        options.output / "logs" / "history.json",
        options.patience,
    )
    backup = Backup(options.output / "backup")
    _forget_other_runs(options, manifest)
    trained_model.save_text(best.path, text, encoding)
    first = backup.restore(model)
    if first:
        best.resume(first)
        print(f"going on after epoch {first} of an interrupted run")
    callbacks = [
        TagEvaluation(list(held_out), text.tags, encoding),
        best,
        keras.callbacks.TensorBoard(options.output / "logs", write_graph=False),
        _pictures(options, manifest, text),
        backup,
    ]
    batches = _training_batches(options, manifest, text, steps, first, settings)
    try:
        model.fit(
            batches,
            epochs=options.epochs,
            initial_epoch=first,
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
    shutil.rmtree(options.output / "backup", ignore_errors=True)


def _choose_jit(choice):
    if choice != "auto":
        return choice == "true", "as asked"
    if keras.backend.backend() == "jax":
        return True, "JAX always compiles"
    if tf.config.list_physical_devices("GPU") or tf.config.list_physical_devices("TPU"):
        return True, "an accelerator is there"
    return False, "recurrent layers are faster without it on a CPU"


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


def _training_batches(options, manifest, text, steps, first_epoch, settings):
    """An endless stream whose order depends on the seed alone, from `first_epoch` on."""
    whole = -(-manifest.records("train") // options.batch_size)
    passes, skipped = divmod(first_epoch * steps, whole)
    batches = tagging_batches(
        manifest.folder,
        "train",
        options.batch_size,
        seed=options.seed,
        first_epoch=passes,
        num_epochs=None,
        **settings,
    )
    counts = tf.constant(_word_counts(manifest, text), "float32")
    generator = tf.random.Generator.from_seed(options.seed + first_epoch)

    def forget(inputs, tags, weight):
        words = inputs["word_ids"]
        rate = options.word_dropout / (options.word_dropout + tf.gather(counts, words))
        forgotten = generator.uniform(tf.shape(words)) < rate
        words = tf.where(forgotten & (words != 0), 1, words)
        return {**inputs, "word_ids": words}, tags, weight

    return batches.skip(skipped).map(forget)


def _word_counts(manifest, text):
    """How often each word id occurs in the training split, `(words,)`."""
    counts = np.zeros(len(text.words), dtype="int64")
    for inputs, _, _ in tagging_batches(manifest.folder, "train", 256, characters=False):
        counts += np.bincount(inputs["word_ids"].numpy().ravel(), minlength=len(counts))
    return np.maximum(counts, 1)


def _pictures(options, manifest, text):
    sentences = [
        sentence
        for sentence, _ in zip(
            read_sentences(manifest.folder, "eval"), range(SHOWN_SENTENCES), strict=False
        )
    ]
    inputs = text.inputs(tf.ragged.constant([tokens for tokens, _ in sentences]))
    logs = pathlib.Path(options.output / "logs")
    return TensorBoardTagger(logs, text.tags, sentences, inputs, text.words.tokens)
