"""An epoch of `pipelines.tagging train` on prepared examples, with the README's options for EWT.

`--output DIR` is the pipeline's. `--write` writes there what the peer trains on, `sentences.npz`,
and the weights that both start from, `weights.npz`.
"""

import argparse
import pathlib

import keras
import numpy as np

from benchmarks.timing import Case, Work, main
from pipelines import tagging, tagging_encoder, tagging_model, tagging_streams
from seqnlp.records import read_manifest, tagging_batches
from seqnlp.text import TaggingNames

OPTIONS = (
    "--char_encoder=lstm",
    "--char_encoder_units=100",
    "--num_layers=2",
    "--dropout=0.33",
)
CHECKED = 10  # batches of the dev split whose loss is compared
EPOCHS = 12  # of the learning rate's schedule


class Run:
    """What the train stage has at hand: options, examples and model."""

    def __init__(self, output):
        parser = tagging.arguments()
        self.options = parser.parse_args(["train", "--output", str(output), *OPTIONS])
        tagging_encoder.settle(self.options, parser)
        self.manifest = read_manifest(str(output / "examples"))
        self.names = TaggingNames.load(self.manifest.folder)
        keras.utils.set_random_seed(0)
        encoding = self.manifest.options["encoding"]
        self.model = tagging_model.make_model(self.options, self.names, encoding)
        self.steps = -(-self.manifest.records("train") // self.options.batch_size)

    def layers(self):
        """Name -> layer, of all that have weights."""
        model = self.model
        return {
            "words": model.word_embedding,
            "characters": model.char_encoder.embedding,
            "spelling": model.char_encoder.encoder,
            "encoder": model.encoder,
            "dense": model.potentials,
            "crf": model.head,
        }

    def batches(self, split, **settings):
        """Batches in the order of the files."""
        size = self.options.batch_size
        return tagging_batches(self.manifest.folder, split, size, **settings)


def write(output):
    """Writes `sentences.npz` and `weights.npz`."""
    run = Run(output)
    arrays = {}
    for split in ("train", "eval"):
        rows = [
            tuple(np.asarray(x) for x in (inputs["word_ids"], inputs["char_ids"], tags))
            for inputs, tags, _ in run.batches(split)
        ]
        arrays |= _flat(split, rows)
    counts = np.bincount(arrays["train words"], minlength=len(run.names.words))
    rates = tagging_streams.forget_rates(counts, run.options.word_dropout)
    np.savez(output / "sentences.npz", forget_rates=rates, **arrays)
    weights = {
        f"{name} {index}": weight
        for name, layer in run.layers().items()
        for index, weight in enumerate(layer.get_weights())
    }
    np.savez(output / "weights.npz", **weights)


def _flat(split, batches):
    """Padded batches -> flat arrays of real words, characters and tags, with their lengths."""
    sentences, words, characters, word_lengths, tags = [], [], [], [], []
    for word_ids, char_ids, tag_ids in batches:
        real = word_ids != 0
        sentences.append(real.sum(axis=1))
        words.append(word_ids[real])
        tags.append(tag_ids[real])
        spelled = char_ids[real]
        word_lengths.append((spelled != 0).sum(axis=1))
        characters.append(spelled[spelled != 0])
    parts = {
        "lengths": sentences,
        "words": words,
        "tags": tags,
        "word_lengths": word_lengths,
        "characters": characters,
    }
    return {f"{split} {name}": np.concatenate(arrays) for name, arrays in parts.items()}


def epoch(output):
    """One epoch a call, after the loss on the dev split has been taken from the first weights."""
    run = Run(output)
    with np.load(output / "weights.npz") as weights:
        for name, layer in run.layers().items():
            layer.set_weights([weights[f"{name} {n}"] for n in range(len(layer.weights))])
    options = run.options
    schedule = keras.optimizers.schedules.CosineDecay(options.learning_rate, EPOCHS * run.steps)
    run.model.compile(keras.optimizers.Adam(schedule, clipnorm=5.0), jit_compile=False)
    held_out = run.batches("eval").take(CHECKED)
    loss = run.model.evaluate(held_out, verbose=0)
    stream = tagging_streams.training_batches(
        options, run.manifest, len(run.names.words), run.steps, 0, {"lengths": None}
    )

    def call():
        run.model.fit(stream, steps_per_epoch=run.steps, shuffle=False, verbose=0)

    return Work(call, lambda _: {"loss": np.array(loss)}, unit="s", long=True)


def cases(output):
    """The epoch alone."""
    yield Case("tagging epoch", "epoch", lambda: epoch(output))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--write", action="store_true")
    options, _ = parser.parse_known_args()
    if options.write:
        write(options.output)
    else:
        main(cases(options.output), ["keras", "seqnlp", keras.backend.backend()])
