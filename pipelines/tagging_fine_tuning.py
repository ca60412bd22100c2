"""The train stage of `pipelines.tagging` with `--encoder bert`."""

import functools
import os

import keras

from pipelines import encoders, fine_tuning, tagging_model
from seqnlp.models import BERTTagger
from seqnlp.records import tagging_batches
from seqnlp.text.bert_names import BERT_FOLDER

# The task's own options that an interrupted run must share with the one that goes on.
REMEMBERED = (*tagging_model.HEAD_OPTIONS, "max_pieces")


def train(options, manifest, names, encoding, settings):
    """Fine-tunes a BERT on `examples` and leaves the best model of all epochs in `model.keras`.

    Args:
        options: Of the pipeline.
        manifest: `Manifest` of the examples.
        names: `TaggingNames`.
        encoding: Tag scheme of the examples.
        settings: Dict of what does not depend on the encoder: `callbacks`, a function of the
            held-out batches, `metrics` and `monitor`.
    """
    keras.utils.set_random_seed(options.seed)
    model = make_model(options, names, encoding)
    batches = functools.partial(tagging_batches, manifest.folder, batch_size=options.batch_size)
    fine_tuning.fit(
        options,
        manifest,
        model,
        batches,
        settings["monitor"],
        settings["callbacks"](list(batches("eval"))),
        {"metrics": settings["metrics"]},
        REMEMBERED,
        encoding,
    )


def make_model(options, names, encoding):
    """A built `BERTTagger` on the encoder that the options ask for; `names` is `TaggingNames`."""
    tagging_model.check(options)
    folder = os.path.join(options.output, "examples", BERT_FOLDER)
    encoder = encoders.make_encoder(options, folder, "--max_pieces")
    heads = tagging_model.heads(options, names, encoding)
    model = BERTTagger(encoder, **heads, dropout=options.dropout)
    pieces, words = (None, None, None), (None, None)
    model.build({"token_ids": pieces, "segment_ids": pieces, "word_positions": words})
    tagging_model.describe(model, names)
    return model
