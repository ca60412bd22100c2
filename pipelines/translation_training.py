"""The train stage of `pipelines.translation`."""

import functools
import itertools
import json
import pathlib

import keras

from pipelines import command_line, streams, training, translation_model
from pipelines.translation_evaluation import forget_evaluation
from seqnlp.callbacks import (
    KeepLast,
    TensorBoardTranslator,
    TranslationEvaluation,
    Translations,
)
from seqnlp.losses import SequenceCrossEntropy
from seqnlp.metrics import Perplexity
from seqnlp.optimizers import InverseSquareRoot, average_weights
from seqnlp.records import (
    bucket_lengths,
    read_manifest,
    read_pairs,
    translation_batches,
)
from seqnlp.text import TranslationNames

# The options that an interrupted run must share with the one that goes on.
REMEMBERED = (
    *translation_model.OPTIONS,
    "seed",
    "batch_tokens",
    "epochs",
    "steps_per_epoch",
    "learning_rate",
    "warmup_steps",
    "label_smoothing",
    "ema",
    "average",
    "patience",
    "jit",
    "tokenize",
)
EVALUATED = 64  # sentences translated at a time
# Lengths that batches are padded to: each is a shape to compile.
LENGTHS, EVALUATION_LENGTHS = 6, 2
SHOWN_SENTENCES = 20  # in TensorBoard's table
MONITOR = "val_bleu"


def train(options):
    """Trains on `examples` and leaves the best model of all epochs in `model.keras`."""
    manifest = read_manifest(str(options.output / "examples"), task="translation")
    if streams.needs_tensorflow(manifest):
        command_line.import_tensorflow_quietly()
    names = TranslationNames.load(manifest.folder)
    forget_evaluation(options.output)
    jit = training.choose_jit(options.jit, True, "batches come in few shapes")
    keras.utils.set_random_seed(options.seed)
    model = translation_model.make_model(options, names)
    model.compile(
        _optimizer(options),
        SequenceCrossEntropy(options.label_smoothing),
        metrics=[Perplexity()],
        jit_compile=jit,
    )

    run = training.Run(options, manifest, model, MONITOR, REMEMBERED)
    last = KeepLast(options.output / "backup" / "last", options.average)
    scores = _evaluation(options, manifest, names)
    batches, steps = training_batches(options, manifest, run.first)
    averaged = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if options.ema else []
    pictures = functools.partial(_pictures, manifest, names, model)
    callbacks = [run.backup, *averaged, scores, last, run.best]
    callbacks += training.tensorboard(options, manifest, pictures)
    held_out = _held_out(options, manifest)
    run.fit(batches, steps, options.epochs, callbacks, validation_data=held_out)
    if options.average > 1:
        _average(model, last, scores, run.best)
    run.end()


def _held_out(options, manifest):
    """The eval split as `fit` takes it."""
    lengths = _evaluation_lengths(manifest)
    batches = translation_batches(manifest.folder, "eval", options.batch_tokens, lengths=lengths)
    return streams.held_out(batches, manifest)


def _optimizer(options):
    return keras.optimizers.Adam(
        InverseSquareRoot(options.learning_rate, options.warmup_steps),
        beta_2=0.98,
        epsilon=1e-9,
        clipnorm=1.0,
        use_ema=options.ema > 0,
        ema_momentum=options.ema or 0.99,
    )


def training_batches(options, manifest, first_epoch):
    """An endless stream from `first_epoch` of `fit` on, and the batches of such an epoch.

    Its order depends on the seed alone.
    """
    make = functools.partial(
        translation_batches,
        manifest.folder,
        "train",
        batch_tokens=options.batch_tokens,
        seed=options.seed,
        lengths=bucket_lengths(manifest.statistics, LENGTHS, ["train"]),
    )
    whole = streams.steps_of(make())
    steps = min(options.steps_per_epoch or whole, whole)
    return streams.endless(make, first_epoch * steps, manifest), steps


def _evaluation(options, manifest, names):
    """The callback that translates the eval split."""
    lengths = _evaluation_lengths(manifest)
    batches = translation_batches(manifest.folder, "eval", batch_size=EVALUATED, lengths=lengths)
    references = [target for _, target in read_pairs(manifest.folder, "eval")]
    return TranslationEvaluation(
        list(batches), references, names.target_sentences, options.tokenize
    )


def _evaluation_lengths(manifest):
    return bucket_lengths(manifest.statistics, EVALUATION_LENGTHS, ["eval"])


def _average(model, last, scores, best):
    """Saves the mean of the last epochs' weights where it beats the best of all epochs."""
    number = len(last.paths())
    model.set_weights(average_weights(last.checkpoints()))
    found = scores.scores()[MONITOR]
    rival = best.epochs[best.best_epoch][MONITOR]
    print(f"mean of the last {number} epochs: {MONITOR} {found:.4f}, best epoch {rival:.4f}")
    noted = {"epochs": number, MONITOR: found, "kept": found > rival}
    pathlib.Path(best.history).with_name("mean.json").write_text(json.dumps(noted))
    if found > rival:
        best.save()
        print(f"the mean is kept -> {best.path}")


def _pictures(manifest, names, model, logs):
    """The callback that shows translations in TensorBoard."""
    pairs = list(itertools.islice(read_pairs(manifest.folder, "eval"), SHOWN_SENTENCES))
    lengths = _evaluation_lengths(manifest)
    batches = translation_batches(
        manifest.folder, "eval", batch_size=len(pairs), lengths=lengths[-1:]
    )
    return TensorBoardTranslator(logs, pairs, next(iter(batches)), names, Translations(model))
