"""Ids of word pieces from text, in megabytes a second. `--corpus DIR` is that of BERT's data."""

import argparse
import pathlib

import numpy as np
import tensorflow as tf

from benchmarks import pretraining_data_workload as workload
from benchmarks.timing import Case, Work, main

LINES = 1000  # of a call


def vocabulary(folder):
    """The pieces, a list of `str`."""
    return (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()


def cases(folder, make):
    """The case of a side; `make()` gives its function from strings to ragged ids."""

    def work():
        (path,) = workload.files(folder, 1)
        lines = path.read_text(encoding="utf-8").split("\n")
        batches = [
            tf.constant(lines[start : start + LINES]) for start in range(0, len(lines), LINES)
        ]
        tokenize = tf.function(make(), input_signature=[tf.TensorSpec([None], tf.string)])

        def results(found):
            ids = np.concatenate([ragged.values.numpy() for ragged in found])
            return {"ids": ids, "lengths": np.array([len(ragged.values) for ragged in found])}

        megabytes = path.stat().st_size / 1e6
        return Work(lambda: list(map(tokenize, batches)), results, megabytes, "MB/s")

    return [Case("WordPiece", "ids from text", work)]


def corpus():
    """The folder that the command names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    return parser.parse_known_args()[0].corpus


def ours():
    """The function of `BERTText`, which takes any bytes."""
    from seqnlp.text import BERTText

    return BERTText(vocabulary(corpus()), lowercase=True).tokenize


if __name__ == "__main__":
    main(cases(corpus(), ours), ("tensorflow-text",))
