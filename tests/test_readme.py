"""What the README shows is what happens."""

import pathlib
import re

import numpy as np

from pipelines import classification, pretraining, question_answering, tagging, translation

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs_and_predicts_tags(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert re.search(r"\[\[[0-4]( [0-4]){11}\]\n \[[0-4]( [0-4]){11}\]\]", printed)


def test_the_page_on_translation_reverses_numbers(capsys):
    page = (ROOT / "docs" / "translation.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    scope = {}
    exec(compile(example, "docs/translation.md", "exec"), scope)
    found = np.asarray(scope["found"].token_ids)[:, 0, :6]
    assert (found == scope["numbers"][:2, ::-1]).mean() > 0.8


def test_every_make_target_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([\w-]+):", makefile, flags=re.MULTILINE))
    assert set(re.findall(r"make ([a-z][\w-]*)", README)) <= targets


def test_every_option_of_the_pipeline_exists():
    names = ("docs/translation.md", "docs/bert.md")
    pages = README + "".join((ROOT / name).read_text(encoding="utf-8") for name in names)
    for task in (classification, pretraining, question_answering, tagging, translation):
        options = set(task.arguments()._option_string_actions)
        command = rf"python -m {task.__name__.replace('.', '[.]')} .*?(?=\n\n|`)"
        blocks = re.findall(command, pages, flags=re.DOTALL)
        shown = set(re.findall(r"--[a-z_]+", "\n".join(blocks)))
        assert shown
        assert shown <= options


def test_every_file_that_the_readme_names_exists():
    named = set(re.findall(r"`((?:serving|benchmarks|tests)/[\w./]+\.\w+)`", README))
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()
