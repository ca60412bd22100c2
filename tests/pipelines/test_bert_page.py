"""What `docs/bert.md` shows of models is what happens; `tests/compat` has its checkpoints."""

import pathlib
import re
import shutil

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "bert.md"
BEFORE = PAGE.read_text("utf-8").split("\n## Checkpoints\n")[0]
BLOCKS = re.findall(r"```python\n(.*?)```", BEFORE, flags=re.DOTALL)


def run(text):
    """The names that the only block with this text leaves."""
    (block,) = [block for block in BLOCKS if text in block]
    names = {}
    exec(compile(block, PAGE.name, "exec"), names)
    return names


def test_every_block_is_run_by_a_test_below():
    assert [re.search(r"BERTPretrainer|GPT\b", block)[0] for block in BLOCKS] == [
        "BERTPretrainer",
        "GPT",
    ]


@pytest.mark.slow
def test_a_model_is_pretrained_on_prepared_examples(bert_examples, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bert_examples["tfrecord"], tmp_path / "DIR" / "examples")
    model = run("BERTPretrainer")["model"]
    assert int(model.optimizer.iterations) > 1


@pytest.mark.slow
def test_a_gpt_writes_texts():
    written = run("GPT(")["written"]
    assert written.token_ids.shape == (2, 20)
