"""From plain text to the examples that BERT is pretrained on: megabytes a second, and peak memory.

`--corpus DIR` is the folder of the corpus, which `--write` writes there: documents of the sample
grammar under many seeds, a sentence a line, and a vocabulary. Each call is a process of its own,
which says how long preparing took without its start.
"""

import argparse
import functools
import json
import pathlib
import tempfile
import time

import numpy as np

from benchmarks import pretraining_data_workload as workload
from benchmarks.prepare import run_measured
from benchmarks.timing import Case, Work, main


def write(folder):
    """Writes the corpus; files that are there already stay."""
    from seqnlp.preprocessing.subwords import learn_word_piece
    from seqnlp.samples import documents
    from seqnlp.text.bert_names import BERT_SPECIALS, VOCABULARY_FILE

    folder.mkdir(parents=True, exist_ok=True)
    seed = 0
    for path in workload.files(folder, workload.FILES):
        if path.exists():
            continue
        partial = path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            while file.tell() < workload.FILE_BYTES:
                lines = ["\n".join(document) for document in documents("en", "train", seed)]
                file.write("\n\n".join([*lines, ""]) + "\n")
                seed += 1
        partial.replace(path)
    vocabulary = folder / VOCABULARY_FILE
    if not vocabulary.exists():
        counts = {}
        for word in workload.files(folder, 1)[0].read_text(encoding="utf-8").split():
            counts[word] = counts.get(word, 0) + 1
        pieces = learn_word_piece(counts, workload.PIECES, True, specials=BERT_SPECIALS)
        vocabulary.write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")


def prepare(folder, number):
    """Prepares the first files and prints the seconds and how many pairs there are."""
    import tensorflow_text  # noqa: F401 - its start is none of the work

    from seqnlp.preprocessing import prepare_pretraining
    from seqnlp.text.bert_names import VOCABULARY_FILE

    with tempfile.TemporaryDirectory() as output:
        started = time.perf_counter()
        manifest = prepare_pretraining(
            output,
            [str(path) for path in workload.files(folder, number)],
            language=None,
            vocabulary=str(folder / VOCABULARY_FILE),
            lowercase=True,
            max_length=workload.LENGTH,
            dupe_factor=1,
            most_predictions=workload.PREDICTIONS,
        )
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "pairs": manifest.records("train")}))


def measured(module, folder, number, *arguments):
    """What a process that prepares some files says, its peak memory beside it."""
    usage = run_measured(module, "--corpus", folder, "--files", number, *arguments)
    return {**usage, **json.loads(usage["printed"].splitlines()[-1])}


def cases(module, folder, memory, *arguments):
    """The cases of a side, whose module prepares in a process of its own."""
    size = sum(path.stat().st_size for path in workload.files(folder, workload.TIMED)) / 1e6

    def work(number, figure, unit):
        return Work(
            lambda: measured(module, folder, number, *arguments),
            lambda done: {"pairs": np.array([float(done["pairs"] > 0)])},
            unit=unit,
            long=True,
            figure=figure,
        )

    yield Case(
        "BERT data",
        "examples from text",
        lambda: work(workload.TIMED, lambda done: size / done["seconds"], "MB/s"),
    )
    for number in memory:
        name = f"peak at {number * workload.FILE_BYTES // 10**6} MB"
        make = functools.partial(work, number, lambda done: done["megabytes"], "MB")
        yield Case("BERT data's memory", name, make)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--files", type=int)
    options, _ = parser.parse_known_args()
    if options.write:
        write(options.corpus)
    elif options.files:
        prepare(options.corpus, options.files)
    else:
        own = cases("benchmarks.pretraining_data", options.corpus, workload.MEASURED)
        main(own, ("tensorflow-text", "apache-beam"))
