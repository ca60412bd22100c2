"""`pipelines.tagging prepare` beside a loop in plain Python: processor time, and peak memory.

`--corpus DIR` is the folder of the corpus, which `--write` writes there: the sample grammar's
requests under many seeds, in files of 5 MB. `--by pipeline|loop` says who prepares it. Each call
is a process of its own, whose processor seconds count its start and what it started.
"""

import argparse
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from benchmarks.timing import Case, Work, main
from seqnlp.records import SPLITS, read_manifest, tagging_batches
from seqnlp.samples import travel
from seqnlp.text import TaggingNames

FILE_BYTES = 5_000_000
FILES = 16
TIMED = 4  # files of the 20 MB that both sides prepare
MEASURED = (1, 4, 16)  # files whose peak memory is measured


def write(folder, files=FILES, size=FILE_BYTES):
    """Writes the corpus; files that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, path in enumerate(_files(folder, files)):
        if path.exists():
            continue
        partial, seeds = path.with_suffix(".partial"), itertools.count(1000 * index)
        with partial.open("w", encoding="utf-8") as file:
            while file.tell() < size:
                file.writelines(map(_conll, travel("train", next(seeds))))
        os.truncate(partial, partial.read_bytes().rfind(b"\n\n", 0, size) + 2)
        partial.replace(path)


def _conll(request):
    pairs = zip(request.tokens, request.tags, strict=True)
    return "".join(f"{token}\t{tag}\n" for token, tag in pairs) + "\n"


def _files(folder, number):
    return [folder / f"{index:02d}.conll" for index in range(number)]


def pipeline(files, output_format="tfrecord"):
    """Runs the prepare stage; returns what `_run` does, with the counts of what it wrote."""
    with tempfile.TemporaryDirectory() as output:
        arguments = ["prepare", "--output", output, f"--output_format={output_format}"]
        usage = run_measured("pipelines.tagging", *arguments, "--encoding=bio", "--train", *files)
        return usage | {"counts": _counts(os.path.join(output, "examples"))}


def loop(files):
    """Runs the plain loop, in the same way."""
    with tempfile.TemporaryDirectory() as output:
        usage = run_measured("benchmarks.prepare_loop", output, *files)
        return usage | {"counts": json.loads(usage["printed"].splitlines()[-1])}


def run_measured(module, *arguments):
    """Processor seconds, peak memory in MB and printed text of a process."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{module} ended with exit status {process.returncode}")
        printed.seek(0)
        seconds = usage.ru_utime + usage.ru_stime
        kilobyte = 1 if sys.platform == "darwin" else 1024
        memory = usage.ru_maxrss * kilobyte / 1e6
        return {"seconds": seconds, "megabytes": memory, "printed": printed.read()}


def _counts(folder):
    """What the loop prints of its own examples: sentences, sums of word ids, sizes."""
    manifest, names = read_manifest(folder), TaggingNames.load(folder)
    sums = {}
    for split in SPLITS:
        batches = tagging_batches(folder, split, 1024, characters=False)
        sums[split] = sum(int(np.sum(inputs["word_ids"], dtype="int64")) for inputs, *_ in batches)
    return {
        "sentences": {split: manifest.records(split) for split in SPLITS},
        "word_ids": sums,
        "sizes": [len(names.words), len(names.characters), len(names.tags)],
    }


def _results(done):
    """Arrays by which the sides are compared."""
    counts = done["counts"]
    lists = {name: [counts[name][split] for split in SPLITS] for name in ("sentences", "word_ids")}
    return {name: np.array(values) for name, values in {**counts, **lists}.items()}


def cases(folder, by):
    """The cases of a side."""
    files = _files(folder, TIMED)
    name = f"prepare {TIMED * FILE_BYTES // 10**6} MB"

    def work(call, figure, unit):
        return lambda: Work(call, _results, unit=unit, long=True, figure=lambda done: done[figure])

    if by == "loop":
        yield Case(name, "processor time", work(lambda: loop(files), "seconds", "s"))
        return
    yield Case(name, "processor time", work(lambda: pipeline(files), "seconds", "s"))
    parquet = work(lambda: pipeline(files, "parquet"), "seconds", "s")
    yield Case(name, "processor time, Parquet", parquet)
    for number in MEASURED:
        some = _files(folder, number)
        make = work(lambda some=some: pipeline(some), "megabytes", "MB")
        yield Case("prepare's memory", f"peak at {number * FILE_BYTES // 10**6} MB", make)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--by", default="pipeline", choices=("pipeline", "loop"))
    options, _ = parser.parse_known_args()
    if options.write:
        write(options.corpus)
    else:
        main(cases(options.corpus, options.by), ("tensorflow", "apache-beam"))
