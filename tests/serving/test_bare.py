import importlib
import subprocess
import sys

import pytest

from serving import bare
from serving.double_process import ROOT, clean_environment

PROGRAM = """
import importlib, sys
from serving import bare
tf = bare.bare_tensorflow()
print(bare.present())
for name in bare.REFUSED:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        print("refused", name)
print(tf.reduce_sum([1, 2]).numpy())
"""


def test_a_bare_process_has_tensorflow_and_refuses_the_rest(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=clean_environment(tmp_path), cwd=tmp_path,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "[]",
        "refused keras",
        "refused tf_keras",
        "refused seqnlp",
        "refused tensorflow_text",
        "3",
    ]


def test_refusing_what_is_loaded_fails(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf_keras", object())
    with pytest.raises(RuntimeError, match="tf_keras must not be loaded in this process, but is"):
        bare.refuse()
    assert not any(isinstance(finder, bare.RefusingFinder) for finder in sys.meta_path)


def test_other_packages_are_left_alone():
    assert bare.RefusingFinder().find_spec("json") is None
    assert bare.RefusingFinder().find_spec("keras_hub") is None


def test_the_libraries_of_tf_text_are_found_without_importing_it():
    names = {path.name for path in bare.text_op_libraries()}
    assert {"_normalize_ops.so", "_fast_wordpiece_tokenizer.so"} <= names


def test_every_folder_of_the_clone_but_seqnlp_may_be_imported():
    assert (ROOT / "serving" / "__init__.py").exists()
    assert importlib.import_module("serving").__file__.startswith(str(ROOT))
