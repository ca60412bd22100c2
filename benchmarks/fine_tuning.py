"""What pretraining is worth: a pretrained BERT and one of random weights, fine-tuned alike.

python -m benchmarks.fine_tuning --data FOLDER --encoder MODEL.keras --output DIR [--sets NAME ...]

The learning rate of each arm is chosen on the dev split with the first seed, for sets of one seed
it is the same for both; the test split is scored with that rate alone, once a seed.
"""

import argparse
import gzip
import json
import os
import pathlib
import statistics
import subprocess
import sys
from typing import NamedTuple

from benchmarks.figures import rewrite
from benchmarks.heads import verdict
from benchmarks.quality import measure
from benchmarks.readme import cut, results

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "bert.md"
ARMS = {"pretrained": [], "random weights": ["--random_weights"]}
RATES = ("3e-4", "1e-3")
SEEDS = (0, 1, 2)
MOST = ["--max_train_examples", "4000"]
LABELLED = ["--input_format", "tsv"]


class Set(NamedTuple):
    """A data set: its pipeline, its files by option, what describes them, and how it is tuned.

    `parted` files have a label, up to a colon, and a text in a line with a space between them,
    which becomes a tab. What describes files belongs to the prepare stage, the rest to the train
    stage. `encoder` stands before the path of the encoder.
    """

    task: str
    files: dict
    layout: list
    training: list
    seeds: tuple = SEEDS
    rates: tuple = RATES
    parted: bool = False
    encoder: tuple = ("--encoder",)


def _files(folder, *names):
    """Files by option; a split that has none is split off the training files."""
    return {
        split: f"DATA/{folder}/{name}"
        for split, name in zip(("train", "dev", "test"), names, strict=False)
        if name
    }


def _splits(pattern):
    return [pattern.format(split) for split in ("train", "dev", "test")]


_SICK = ["--header", "--columns", "id=0,text=1,text2=2,value=3,label=4"]
_MRPC = ["--header", "--columns", "label=0,first=1,second=2,text=3,text2=4"]
_NSMC = ["--header", "--columns", "id=0,text=1,label=2"]
_BERT = ("--encoder", "bert", "--bert")
_EPOCHS = ["--epochs", "6"]
_WINDOWS = ["--max_length", "128", "--stride", "80", "--max_question_length", "40"]
_ONCE = {"seeds": SEEDS[:1], "rates": RATES[1:]}
SETS = {
    "SST-2": Set(
        "classification",
        _files("sst2", *_splits("{}.txt.gz")),
        [*LABELLED, "--columns", "label=0,text=1"],
        [*MOST, *_EPOCHS],
        parted=True,
    ),
    "SICK, entailment": Set(
        "classification",
        _files("sick", *_splits("{}.txt.gz")),
        [*LABELLED, *_SICK],
        [*MOST, *_EPOCHS],
    ),
    "UD English-EWT": Set(
        "tagging",
        _files("ud_english_ewt", *_splits("en_ewt-ud-{}.conllu.xz")),
        ["--input_format", "conllu", *MOST],
        _EPOCHS,
        encoder=_BERT,
    ),
    "MRPC": Set(
        "classification",
        _files("mrpc", *_splits("{}.tsv.gz")),
        [*LABELLED, *_MRPC],
        [*MOST, *_EPOCHS],
        **_ONCE,
    ),
    "TREC": Set(
        "classification",
        _files("trec", "train.txt", None, "test.txt"),
        [*LABELLED, "--columns", "label=0,text=1"],
        [*MOST, *_EPOCHS],
        **_ONCE,
        parted=True,
    ),
    "WNUT-17": Set(
        "tagging",
        _files("wnut17", *_splits("{}.conll")),
        ["--encoding", "bio", *MOST],
        ["--epochs", "10"],
        **_ONCE,
        encoder=_BERT,
    ),
    "NSMC": Set(
        "classification",
        _files("nsmc", "train_redrawn.txt.xz", None, "ratings_test.txt.xz"),
        [*LABELLED, *_NSMC],
        ["--max_train_examples", "10000", "--epochs", "3"],
        **_ONCE,
    ),
    "XQuAD, English": Set(
        "question_answering",
        _files("qa_xquad", "xquad.en.json.xz"),
        _WINDOWS,
        ["--epochs", "8"],
        seeds=SEEDS[:1],
    ),
    "KorQuAD": Set(
        "question_answering",
        _files("qa_korquad_dev", "KorQuAD_v1.0_dev.json.xz"),
        _WINDOWS,
        ["--scores", "korquad", "--epochs", "2"],
        **_ONCE,
    ),
}
ALSO = {"question_answering": ("exact_match",)}  # told beside the measure


def table(lines):
    """Markdown: the figures of each arm; `lines` are those of results.jsonl."""
    rows = ["| set | weights | rate | test, by seed | mean | standard deviation | wins |"]
    rows.append("|---|---|---|---|---:|---:|---|")
    for name, given in SETS.items():
        found = {arm: _newest(lines, name, arm) for arm in ARMS}
        measured = [lines[0]["measure"] for lines in found.values() if lines][:1]
        for told in (*measured, *(ALSO.get(given.task, ()) if measured else ())):
            rows += _rows(name, given, found, told)
    return "\n".join([*rows, ""])


def _rows(name, given, found, measured):
    """A row an arm: the figures of a measure."""
    tests = {arm: [line["test"][measured] for line in found[arm]] for arm in ARMS}
    for arm in filter(found.get, ARMS):
        spread = cut(statistics.stdev(tests[arm])) if len(tests[arm]) > 1 else "-"
        won = ""
        if arm != "pretrained" and len(given.seeds) > 1:
            won = verdict(tests["pretrained"], tests[arm])
        shown = ", ".join(cut(test) for test in tests[arm])
        mean = cut(statistics.mean(tests[arm]))
        cells = (f"{name}, {measured.replace('_', ' ')}", arm, found[arm][0]["rate"])
        yield "| " + " | ".join((*cells, shown, mean, spread, won)) + " |"


def _newest(lines, name, arm):
    """The newest line of each seed."""
    key = f"BERT, {name}", arm
    by_seed = {line["seed"]: line for line in lines if (line["name"], line.get("arm")) == key}
    return [by_seed[seed] for seed in sorted(by_seed)]


class Runs:
    """The runs of a set below `output/NAME`, whose examples are prepared once.

    Args:
        name: One of `SETS`.
        options: Of this program.
    """

    def __init__(self, name, options):
        self.name, self.set = name, SETS[name]
        self.options = options
        self.home = options.output / name.replace(", ", "-").replace(" ", "_")

    def prepare(self):
        """Prepares the examples where they are not there yet."""
        if (self.home / "examples" / "manifest.json").exists():
            return
        self.home.mkdir(parents=True, exist_ok=True)
        self._stage("prepare", self.home, [*self._files(), *self._encoder()])

    def measure(self, arm):
        """Chooses the rate of an arm, then scores the test split with each seed."""
        first = self.set.seeds[0]
        rate = max(self.set.rates, key=lambda rate: self._trained(arm, rate, first))
        for seed in self.set.seeds:
            if seed in [line["seed"] for line in _newest(results(), self.name, arm)]:
                continue
            self._trained(arm, rate, seed)
            own = self._own(arm, rate, seed)
            given = ["--output", str(self._folder(arm, rate, seed)), *own]
            shown = ["--output", "DIR", *self._files(), *own]
            shown[shown.index(str(self.options.encoder))] = "PRETRAINED/model.keras"
            named = {"name": f"BERT, {self.name}", "arm": arm, "rate": rate}
            measure(self.set.task, given, shown, ["evaluate"], **named)

    def _trained(self, arm, rate, seed):
        """The best figure of the dev split of a run, which is trained if need be."""
        folder = self._folder(arm, rate, seed)
        if not (folder / "done").exists():
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "examples").exists():
                os.symlink((self.home / "examples").absolute(), folder / "examples")
            self._stage("train", folder, self._own(arm, rate, seed))
            (folder / "done").touch()
        history = json.loads((folder / "logs" / "history.json").read_text())
        measured = ("accuracy", "f1", "token_accuracy")
        name = next(name for name in measured if f"val_{name}" in history[0])
        return max(epoch[f"val_{name}"] for epoch in history)

    def _folder(self, arm, rate, seed):
        return self.home / f"{arm.replace(' ', '_')}-{rate}-{seed}"

    def _own(self, arm, rate, seed):
        own = [*self.set.training, *self._encoder(), *ARMS[arm]]
        # So short a training is over before compiling has paid.
        return [*own, "--jit", "false", "--learning_rate", rate, "--seed", str(seed)]

    def _files(self):
        given = (word for split, path in self.set.files.items() for word in (f"--{split}", path))
        return [*given, *self.set.layout]

    def _encoder(self):
        return [*self.set.encoder, str(self.options.encoder)]

    def _stage(self, stage, folder, given):
        command = [sys.executable, "-m", f"pipelines.{self.set.task}", stage]
        given = [self._here(word) for word in given]
        subprocess.run([*command, "--output", str(folder), *given], check=True)

    def _here(self, word):
        """A word of the command with the reader's folder in it, and tabs in parted files."""
        if not word.startswith("DATA/"):
            return word
        path = pathlib.Path(word.replace("DATA", self.options.data, 1))
        return str(_with_tabs(path, self.home) if self.set.parted else path)


def _with_tabs(path, folder):
    """A copy of a file with its labels, up to a colon, and its texts parted by tabs."""
    copy = folder / f"{path.name.partition('.')[0]}.tsv"
    read = gzip.open if path.suffix == ".gz" else open
    with read(path, "rt", encoding="utf-8", errors="surrogateescape") as file:
        parts = [line.partition(" ") for line in file]
    lines = [f"{label.partition(':')[0]}\t{text}" for label, _, text in parts]
    copy.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
    return copy


def main(argv):
    """Measures what is not in results.jsonl yet, then rewrites docs/bert.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fine_tuning")
    parser.add_argument("--data", help="folder that the commands call DATA")
    parser.add_argument("--encoder", type=pathlib.Path, help="pretrained model.keras")
    parser.add_argument("--output", type=pathlib.Path, help="folder of the runs")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=[])
    options = parser.parse_args(argv)
    for name in options.sets:
        runs = Runs(name, options)
        runs.prepare()
        for arm in ARMS:
            runs.measure(arm)
    rewrite(PAGE, "benchmarks/fine_tuning.py", table(results()))


if __name__ == "__main__":
    main(sys.argv[1:])
