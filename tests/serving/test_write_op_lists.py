import json
import subprocess
import sys

import pytest

from serving.check import PYTHON_220
from serving.double_process import clean_environment
from serving.op_check import LISTS

pytestmark = pytest.mark.slow


def run(python, place, *arguments):
    return subprocess.run(
        [python, *arguments], cwd=place, env=clean_environment(place), capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip


def test_the_lists_are_what_2_20_registers(tmp_path):
    assert PYTHON_220.exists(), "`make serving220` makes the environment that this test needs"
    program = "import json, serving.write_op_lists as w; print(json.dumps(w.op_lists()))"
    done = run(PYTHON_220, tmp_path, "-c", program)
    expected = [path.read_text().split() for path in LISTS]
    assert json.loads(done.stdout.splitlines()[-1]) == expected


def test_another_tensorflow_is_refused_and_nothing_is_written(tmp_path):
    before = [path.read_bytes() for path in LISTS]
    done = run(sys.executable, tmp_path, "-m", "serving.write_op_lists")
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith("write_op_lists: tensorflow must be 2.20, but is 2.21")
    assert [path.read_bytes() for path in LISTS] == before
