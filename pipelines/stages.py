"""The stages of a task, each announced with what it reads and writes."""

import importlib
import json

from pipelines.command_line import stage


def of_task(task, prepare):
    """The stages by name, as `command_line.run_stages` takes them.

    All but the first are functions of the options in modules named after the task, which are
    imported when they are needed: `train` of `pipelines.<task>_training`, `evaluate` of
    `<task>_evaluation`, `export` and `check` of `<task>_serving`.

    Args:
        task: Name of the pipeline.
        prepare: Function of the options and Beam's options, which announces itself.
    """

    def module(part):
        return importlib.import_module(f"pipelines.{task}_{part}")

    def train(options, _):
        made = f"{options.output / 'model.keras'}, {options.output / 'logs'}"
        with stage("train", options.output / "examples", made):
            module("training").train(options)

    def evaluate(options, _):
        with stage("evaluate", options.output / "model.keras", options.output / "evaluation.json"):
            module("evaluation").evaluate(options)

    def export(options, _):
        folder = options.output / "serving" / options.name
        with stage("export", options.output / "model.keras", folder):
            print(f"wrote {module('serving').export(options)}")

    def check(options, _):
        with stage("check", options.output / "serving" / options.name, "standard output"):
            report = module("serving").check(options)
            print(json.dumps(report, indent=1, ensure_ascii=False))

    return {
        "prepare": prepare,
        "train": train,
        "evaluate": evaluate,
        "export": export,
        "check": check,
    }
