"""The train stage of `pipelines.question_answering`."""

import functools

import keras

from pipelines import command_line, encoders, fine_tuning, streams, training
from pipelines.question_answering_evaluation import forget_evaluation
from seqnlp.callbacks import QuestionEvaluation
from seqnlp.models import BERTSpanExtractor, span_losses
from seqnlp.records import question_batches, read_manifest, read_questions

MONITOR = "val_f1"
REMEMBERED = ("scores", "max_answer_length")  # beside those of `fine_tuning`


def train(options):
    """Trains on `examples` and leaves the best model of all epochs in `model.keras`."""
    manifest = read_manifest(str(options.output / "examples"), task="question_answering")
    if streams.needs_tensorflow(manifest):
        command_line.import_tensorflow_quietly()
    forget_evaluation(options.output)
    keras.utils.set_random_seed(options.seed)
    model = make_model(options, manifest.folder)
    batches = functools.partial(_batches, options, manifest)
    held_out = QuestionEvaluation(
        list(batches("eval")),
        list(read_questions(manifest.folder, "eval")),
        options.scores,
        options.max_answer_length,
    )
    fine_tuning.fit(
        options,
        manifest,
        model,
        batches,
        MONITOR,
        [held_out, *training.tensorboard(options, manifest)],
        {"loss": span_losses(), "loss_weights": {"start": 0.5, "end": 0.5}},
        REMEMBERED,
    )


def make_model(options, folder):
    """A built `BERTSpanExtractor` for the examples in a folder."""
    encoder = encoders.make_encoder(options, folder)
    model = BERTSpanExtractor(encoder, options.dropout, dtype=encoder.dtype_policy)
    model.build(dict.fromkeys(("token_ids", "segment_ids"), (None, None)))
    return model


def _batches(options, manifest, split, **settings):
    return question_batches(manifest.folder, split, options.batch_size, **settings)
