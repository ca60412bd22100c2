"""Options that every task has, and the files that they name."""

import argparse

import pytest

from pipelines import task_options


def options(**given):
    return argparse.Namespace(**{"train": None, "dev": None, "test": None, **given})


def test_given_files_are_those_of_the_options():
    found = task_options.given_files(options(train=["a"], test=["b", "c"]))
    assert found == {"train": ["a"], "dev": None, "test": ["b", "c"]}


def test_without_files_the_sample_is_taken():
    assert task_options.given_files(options()) is None


@pytest.mark.parametrize("name", ["dev", "test"])
def test_files_to_score_need_files_to_train_on(name):
    message = "^`--train` must be given with --dev or --test. Received: no --train$"
    with pytest.raises(ValueError, match=message):
        task_options.given_files(options(**{name: ["a"]}))


def test_the_sample_of_the_option_dev_is_the_split_eval():
    written = {"train": "1", "eval": "2", "test": "3"}
    assert task_options.sample_files(written) == {"train": ["1"], "dev": ["2"], "test": ["3"]}


def test_requests_are_written_once_a_split(tmp_path):
    files = task_options.write_travel(tmp_path / "new", lambda requests: f"{len(requests)}", "x")
    assert files["dev"] == [str(tmp_path / "new" / "eval.x")]
    assert int((tmp_path / "new" / "eval.x").read_text()) > 0


@pytest.mark.parametrize(("number", "told"), [(None, "; by its size"), (4, " (default: 4)")])
def test_the_help_says_how_many_files_are_written(number, told):
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    task_options.add_examples(parser, number)
    shown = " ".join(parser.format_help().split())
    assert f"files of the training split{told}" in shown
