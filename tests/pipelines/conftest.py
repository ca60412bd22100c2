import contextlib
import gc
import importlib
import io
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

TINY = ["--units=8", "--word_units=8", "--epochs=2", "--batch_size=16", "--learning_rate=0.02"]


@pytest.fixture(scope="session")
def command():
    """Runs the real command in a process of its own; returns what subprocess returns."""

    def run(*arguments, task="tagging", **settings):
        return subprocess.run(
            [sys.executable, "-m", f"pipelines.{task}", *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            **{
                "timeout": 1500,
                "env": {**os.environ, "KERAS_BACKEND": "tensorflow"},
                **settings,
            },
        )

    return run


@pytest.fixture(scope="session")
def program(command):
    """As `command`, but in this process, which saves the seconds of a start.

    With PROCESSES=1 in the environment, as `make test-all` has it, it is `command`.
    """
    if os.environ.get("PROCESSES") == "1":
        return command
    from pipelines import command_line

    def run(*arguments, task="tagging"):
        module = importlib.import_module(f"pipelines.{task}")
        words = [f"pipelines.{task}", *map(str, arguments)]
        status, out, err = 0, io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", words)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    command_line.main(module.run)
                except SystemExit as end:  # as the interpreter does: a sentence is status 1
                    status = end.code
                    if isinstance(status, str):
                        print(status, file=sys.stderr)
                        status = 1
                finally:
                    gc.unfreeze()
        return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Folder with train.conll, dev.conll and test.conll: a slice of the sample corpus."""
    from seqnlp.samples import to_conll, travel

    folder = tmp_path_factory.mktemp("corpus")
    for name, split, number in (
        ("train", "train", 300),
        ("dev", "eval", 60),
        ("test", "test", 60),
    ):
        text = to_conll(travel(split)[:number])
        (folder / f"{name}.conll").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def files(corpus):
    """The options that name the corpus."""
    names = [f"--{name}={corpus / name}.conll" for name in ("train", "dev", "test")]
    return [*names, "--encoding=bio", "--comment=# "]


@pytest.fixture(scope="session")
def tiny():
    """Options of a model that trains in seconds."""
    return TINY


@pytest.fixture(scope="session")
def finished(tmp_path_factory, files):
    """Folder in which every stage ran on the corpus."""
    from pipelines import tagging

    output = tmp_path_factory.mktemp("finished")
    tagging.run(["run", f"--output={output}", *files, *TINY, "--export_anyway"])
    return output


@pytest.fixture(scope="session")
def bert_files(tmp_path_factory):
    """The options that name a slice of the sample corpus of pretraining."""
    from seqnlp.samples.topics import documents

    folder, options = tmp_path_factory.mktemp("documents"), []
    for name, split, number in (("train", "train", 90), ("dev", "eval", 20), ("test", "test", 20)):
        parts = ["".join(f"{line}\n" for line in x) for x in documents("en", split)[:number]]
        path = folder / f"{name}.txt"
        path.write_text("\n".join(parts), encoding="utf-8")
        options.append(f"--{name}={path}")
    return options


@pytest.fixture(scope="session")
def bert_examples(tmp_path_factory, bert_files):
    """Dict from format to a folder of prepared examples of pretraining."""
    from pipelines import pretraining
    from seqnlp.records import OUTPUT_FORMATS

    folder = tmp_path_factory.mktemp("bert")
    settings = ["--vocabulary_size=300", "--max_length=32", "--num_shards=2"]
    for name in OUTPUT_FORMATS:
        output = [f"--output={folder / name}", f"--output_format={name}"]
        pretraining.run(["prepare", *output, *bert_files, *settings])
    return {name: str(folder / name / "examples") for name in OUTPUT_FORMATS}


@pytest.fixture(scope="session")
def without(tmp_path_factory):
    """The environment of a process in which the named packages cannot be imported."""

    def environment(*packages, backend="jax"):
        folder = tmp_path_factory.mktemp("site")
        program = f"import sys\nfor name in {packages!r}:\n    sys.modules[name] = None\n"
        (folder / "sitecustomize.py").write_text(program)
        return {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(folder)}

    return environment
