"""The report on uses of TensorFlow Addons: what it finds, says and cannot read."""

import ast
import functools
import json
import pathlib
import re
import subprocess
import sys

import keras
import pytest

import seqnlp
import seqnlp.compat.tfa
from seqnlp.compat.addons_names import known_modules, known_names, replacement_of
from seqnlp.compat.addons_uses import line_of, main, uses

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def names_in(source):
    """Names used in the code, without the imports themselves, in order."""
    return [use.name for use in uses(ast.parse(source)) if use.line > 1]


ADDONS = "import tensorflow_addons as a"


@pytest.mark.parametrize(
    ("first", "then", "names"),
    [
        (ADDONS, "a.layers.CRF(9)", "layers.CRF"),
        (ADDONS, "a.metrics.F1Score.from_config(c)", "metrics.F1Score"),
        (ADDONS, "a.text.crf_wrapper.CRFModelWrapper(m)", "text.CRFModelWrapper"),
        (ADDONS, "a.utils.types.TensorLike", "types.TensorLike"),
        (ADDONS, "a.foo.Bar", "foo.Bar"),
        (ADDONS, "opt = a.optimizers\nopt.LAMB()", "optimizers optimizers.LAMB"),
        ("import tensorflow_addons", "tensorflow_addons.layers.CRF(9)", "layers.CRF"),
        ("import tensorflow_addons.text", "tensorflow_addons.rnn.NASCell", "rnn.NASCell"),
        ("import tensorflow_addons.text as t", "t.crf_decode(x)", "text.crf_decode"),
        ("import tensorflow_addons.text.crf as c", "c.crf_decode(x)", "text.crf_decode"),
        ("from tensorflow_addons import text as t", "t.crf_decode(x)", "text.crf_decode"),
        ("from tensorflow_addons.text import crf_decode as d", "d(x)", "text.crf_decode"),
        ("from tensorflow_addons.text.crf import crf_decode", "crf_decode", "text.crf_decode"),
        ("from tensorflow_addons.text import *", "crf_decode(crf)", "text.crf_decode text.crf"),
        ("from tensorflow_addons.text.crf import *", "crf_decode()", "text.crf_decode"),
        ("from tensorflow_addons import *", "rnn.X(register_all())", "rnn.X register_all"),
        ("import importlib as i", "i.import_module('tensorflow_addons').rnn.X", "rnn.X"),
        ("from importlib import *", "a = import_module('tensorflow_addons')\na.rnn", " rnn"),
        ("import keras", "keras.models.load_model(p, {'Addons>CRF': C})", "layers.CRF"),
    ],
)  # fmt: skip
def test_a_name_is_followed_to_its_use(first, then, names):
    assert names_in(f"{first}\n{then}") == names.split(" ")


@pytest.mark.parametrize(
    "source",
    [
        "import tensorflow_addons as tfa\ndef f(tfa): return tfa.layers",
        "import tensorflow_addons as tfa\nf = lambda tfa: tfa.layers",
        "import tensorflow_addons as tfa\n[tfa.x for tfa in y]",
        "import tensorflow_addons as tfa\ndef f():\n    tfa = 1\n    return tfa.layers",
        "from tensorflow_addons.seq2seq import *\nclass Sampler: pass\nSampler()",
        "from .tensorflow_addons import text\ntext.crf_decode",
        "from other import text\ntext.crf_decode",
        "import tensorflow_addons_fork as tfa\ntfa.layers.CRF",
        "class A:\n    import tensorflow_addons as tfa\n    def f(self): return tfa.x",
    ],
)
def test_another_thing_of_the_same_name_is_none_of_addons(source):
    last = source.count("\n") + 1
    assert [use for use in uses(ast.parse(source)) if use.line == last] == []


def test_an_import_in_a_function_holds_in_that_function():
    source = "def f():\n    import tensorflow_addons as tfa\n    tfa.layers.CRF\ntfa.layers.GELU"
    assert [use.name for use in uses(ast.parse(source))] == ["", "layers.CRF"]


def test_an_import_that_may_fail_still_counts():
    attempt = "try:\n  import tensorflow_addons as t\nexcept ImportError:\n  t = None\n"
    assert names_in(f"{attempt}t.rnn.NASCell") == ["", "rnn.NASCell"]


def test_decorators_defaults_and_annotations_belong_to_the_scope_around():
    source = (
        "import tensorflow_addons as t\n@t.register_all\ndef f(t: t.types.Number = t.text): pass"
    )
    assert names_in(source) == ["register_all", "types.Number", "text"]


def test_line_and_column_count_characters_from_one(tmp_path, capsys):
    path = tmp_path / "train.py"
    path.write_text("import tensorflow_addons as tfa\n\nf('서울', tfa.rnn.NASCell)\n", "utf-8")
    assert main([str(path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:1:8: tensorflow_addons: goes once nothing uses it",
        f"{path}:3:9: tfa.rnn.NASCell: no replacement in seqnlp or Keras 3",
        "Uses of TensorFlow Addons: 2, in files: 1. Names: 1, with a replacement: 0.",
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("seq2seq.tile_batch", "tfa.seq2seq.tile_batch -> keras.ops.repeat; axis=0"),
        ("activations.mish", "tfa.activations.mish -> keras.activations.mish"),
        ("rnn.NASCell", "tfa.rnn.NASCell: no replacement in seqnlp or Keras 3"),
        (
            "activations.lisht",
            "tfa.activations.lisht: no replacement in seqnlp or Keras 3; "
            "write x * keras.ops.tanh(x)",
        ),
        ("foo.Bar", "tfa.foo.Bar: is no public name of Addons 0.23"),
        ("text.crf", "tensorflow_addons.text.crf: goes once nothing uses it"),
        ("text.*", "tensorflow_addons.text.*: goes once nothing uses it"),
    ],
)
def test_the_report_says(name, line):
    assert line_of(name) == line


def notebook(*cells):
    return json.dumps({"cells": [{"cell_type": kind, "source": text} for kind, text in cells]})


def test_cells_of_a_notebook_share_their_names(tmp_path, capsys):
    path = tmp_path / "train.ipynb"
    cells = [
        ("markdown", ["tfa.layers.CRF"]),
        ("code", ["!pip install tensorflow-addons\n", "import tensorflow_addons as tfa"]),
        ("code", ["%%bash\n", "tfa.layers.CRF"]),
        ("code", ["if True:\n", "    %time tfa\n", "x = tfa.layers.CRF(9)"]),
    ]
    path.write_text(notebook(*cells), "utf-8")
    assert main([str(path)]) == 1
    places = [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()[:-1]]
    assert places == [f"{path}:cell 2:2:8", f"{path}:cell 4:3:5"]


def test_a_folder_is_searched_without_environments_and_hidden_folders(tmp_path, capsys):
    for folder in ("src/deep", ".git", "venv", "src/__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_text("import tensorflow_addons", "utf-8")
    (tmp_path / "venv/pyvenv.cfg").touch()
    (tmp_path / "src/a.txt").write_text("import tensorflow_addons", "utf-8")
    assert main([str(tmp_path), str(tmp_path / "src/deep/a.py")]) == 1
    out = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in out[:-1]] == [f"{tmp_path}/src/deep/a.py:1:8"]


def test_nothing_found_is_status_zero(tmp_path, capsys):
    (tmp_path / "a.py").write_text("import keras\nkeras.layers.Dense(3)\n", "utf-8")
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "Uses of TensorFlow Addons: 0, in files: 1. Names: 0, with a replacement: 0.\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("two.py", b"print 'x'\n", ":1: cannot be read as Python 3: Missing parentheses"),
        ("bytes.py", b"x = '\xff'\n", ": cannot be read: "),
        ("coding.py", b"# -*- coding: nothing -*-\n", ": cannot be read: unknown encoding"),
        ("nulls.py", b"x = 1\0\n", ": cannot be read as Python 3: source code"),
        ("deep.py", b"x = " + b"1 + " * 5000 + b"1\n", ": cannot be read as Python 3: "),
        ("a.ipynb", b"{", ": cannot be read as a notebook: JSONDecodeError"),
        ("b.ipynb", b"[]", ": cannot be read as a notebook: AttributeError"),
        ("c.ipynb", b'{"cells": [{}]}', ": cannot be read as a notebook: KeyError"),
        (
            "d.ipynb",
            notebook(("code", "x = 1"), ("code", "\nx = (")).encode(),
            ":cell 2:2: cannot be read as Python 3: '(' was never closed",
        ),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path, capsys, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    good = tmp_path / "good.py"
    good.write_text("import tensorflow_addons", "utf-8")
    assert main([str(path), str(good)]) == 2
    out, error = capsys.readouterr()
    assert error.startswith(f"{path}{message}")
    assert error.count("\n") == 1
    assert out.startswith(f"{good}:1:8: ")


def test_a_missing_file_is_told(tmp_path, capsys):
    assert main([str(tmp_path / "nothing.py")]) == 2
    error = capsys.readouterr().err
    assert error == f"{tmp_path}/nothing.py: there is no such file or folder\n"


def test_the_program_runs_with_the_standard_library_alone(tmp_path):
    (tmp_path / "a.py").write_text("import tensorflow_addons as t\nt.layers.CRF(3)\n", "utf-8")
    root = pathlib.Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-S", "-m", "seqnlp.compat.tfa", tmp_path],
        capture_output=True,
        text=True,
        cwd=root,
    )
    assert done.returncode == 1, done.stderr
    assert "a.py:2:1: tfa.layers.CRF -> seqnlp.layers.CRF; " in done.stdout


class TestMap:
    def test_it_holds_every_public_name_of_addons(self):
        assert known_names() == set((FIXTURES / "addons_names.txt").read_text().split())

    def test_it_holds_every_module_of_addons(self):
        assert known_modules() == set((FIXTURES / "addons_modules.txt").read_text().split())

    @pytest.mark.parametrize("name", sorted(known_names()))
    def test_a_replacement_exists(self, name):
        new, note = replacement_of(name)
        assert new is None or exists(new)
        assert note.isascii()

    def test_names_in_the_notes_exist(self):
        notes = " ".join(replacement_of(name)[1] for name in known_names())
        mentioned = set(re.findall(r"(?:keras|seqnlp)(?:\.\w+)+", notes))
        assert len(mentioned) > 5
        assert {name for name in mentioned if not exists(name)} == set()


def exists(name):
    """Whether a dotted name can be reached from its package."""
    package, *rest = name.split(".")
    try:
        functools.reduce(getattr, rest, {"keras": keras, "seqnlp": seqnlp}[package])
    except AttributeError:
        return False
    return True
