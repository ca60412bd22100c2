"""Runs a pipeline and appends its test figures to benchmarks/results.jsonl.

python -m benchmarks.quality tagging NAME --data FOLDER -- --output DIR --train FOLDER/...
"""

import argparse
import datetime
import json
import pathlib
import shlex
import subprocess
import sys

import keras

from benchmarks.provenance import commit
from benchmarks.readme import RESULTS
from pipelines.command_line import SECONDS_FILE, STAGES

TASKS = ("classification", "pretraining", "question_answering", "tagging", "translation")
KEPT = ("also", "attention_entropy", "alignment_error_rate")  # of evaluation.json


def measure(task, given, shown, stages=None, **fields):
    """Runs the stages, each in a process of its own, so that their wall time is a user's.

    Args:
        task: Name of the pipeline.
        given: Options of `pipelines.TASK run`, a list of `str`.
        shown: The command as the figure's line has it: shlex.join of these words.
        stages: Names of the stages to run, where others ran before; None runs all.
        **fields: Of the figure's line, beside those measured.
    """
    output = pathlib.Path(given[given.index("--output") + 1])
    module, before = f"pipelines.{task}", commit()
    for stage in STAGES if stages is None else stages:
        subprocess.run([sys.executable, "-m", module, stage, *given], check=True)
    seconds = sum(json.loads((output / SECONDS_FILE).read_text()).values())
    report = json.loads((output / "evaluation.json").read_text())
    history = json.loads((output / "logs" / "history.json").read_text())
    line = {
        **fields,
        "measure": report["measure"],
        "test": report["scores"]["model"],
        "baseline": baseline(report["scores"]),
        **_further(report),
        "dev": max(epoch[f"val_{report['measure']}"] for epoch in [*history, *_mean(output)]),
        "epochs": len(history),
        "seconds": round(seconds, 1),
        "seed": int(given[given.index("--seed") + 1]) if "--seed" in given else 0,
        "command": shlex.join(["python", "-m", module, "run", *shown]),
        "commit": before,
        "date": datetime.date.today().isoformat(),
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend()},
    }
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line, indent=1))


def _mean(output):
    """Scores of the mean of the last epochs, a list of one where that became the model."""
    path = output / "logs" / "mean.json"
    found = json.loads(path.read_text()) if path.exists() else {"kept": False}
    return [found] if found["kept"] else []


def _further(report):
    """What else the report says, without paths of this machine."""
    found = {name: report[name] for name in KEPT if name in report}
    if "also" in found:
        found["also"] = {k: x for k, x in found["also"].items() if k != "files"}
    return found


def baseline(scores):
    """The scores of the rival that needs no training, which stands after the model's."""
    return next(given for name, given in scores.items() if name != "model")


def main(argv):
    """Measures one figure."""
    own, given = (argv[: argv.index("--")], argv[argv.index("--") + 1 :])
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality")
    parser.add_argument("task", choices=TASKS, help="name of the pipeline")
    parser.add_argument("name", help="of the figure")
    parser.add_argument("--data", default="", help="folder that the command calls DATA")
    parser.add_argument("--stages", nargs="+", choices=STAGES, help="where others ran before")
    options = parser.parse_args(own)
    names = {given[given.index("--output") + 1]: "DIR", options.data: "DATA"}
    shown = list(given)
    for folder in filter(None, names):
        shown = [word.replace(folder, names[folder]) for word in shown]
    measure(options.task, given, shown, options.stages, name=options.name)


if __name__ == "__main__":
    main(sys.argv[1:])
