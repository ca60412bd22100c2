"""What `docs/bert.md` shows of checkpoints is what happens."""

import pathlib
import re
import shutil

import numpy as np

from seqnlp.compat.bert_weights import tensors_of
from tests.compat import test_bert_tf1 as tf1
from tests.compat.huggingface_folders import FOLDER, WEIGHTS

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "bert.md"
SECTION = PAGE.read_text("utf-8").split("\n## Checkpoints\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```python\n(.*?)```", SECTION, flags=re.DOTALL)


def test_the_page_reads_and_writes_checkpoints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "DATA"
    shutil.copytree(FOLDER, data / "bert-base-uncased")
    tf1.folder_with(data / "uncased_L-12_H-768_A-12", tf1.published())
    names = {}
    for block in BLOCKS:
        exec(compile(block, PAGE.name, "exec"), names)
    assert len(BLOCKS) == 3
    assert names["vectors"].shape == (2, 32)
    found = tensors_of(names["huggingface"].read_pretrainer(data / "own"))
    assert all(np.array_equal(found[name], WEIGHTS[name]) for name in WEIGHTS)
