"""Starts the test double in a process of its own and stops it."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[1]
_START_LINE = re.compile(r"serving .+ version (\d+) on REST port (\d+), gRPC port (\d+) \(.+\)\n")


class Double(NamedTuple):
    """A running test double: its line of start, version, ports and process."""

    start_line: str
    version: int
    rest_port: int
    grpc_port: int
    process: subprocess.Popen


def clean_environment(folder):
    """Return an environment that shows a child `serving` and nothing of this process.

    Args:
        folder: What the child takes for its home and temporary folder.
    """
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


@contextlib.contextmanager
def running_double(base_path, model_name, *flags, python=None, timeout=600):
    """Start the test double on free ports and stop it at the end.

    Args:
        base_path: Folder of the model's versions.
        model_name: Name under which it answers.
        *flags: Further arguments of its command line.
        python: Interpreter; this one when None.
        timeout: Seconds that the start may take.

    Yields:
        A `Double`.

    Raises:
        RuntimeError: It does not start, or does not stop on SIGTERM with exit status 0.
    """
    with tempfile.TemporaryDirectory(prefix="test-double-") as folder:
        command = [
            python or sys.executable,
            "-m",
            "serving.test_double",
            "--model_name",
            model_name,
        ]
        command += ["--model_base_path", str(pathlib.Path(base_path).absolute()), *flags]
        with open(pathlib.Path(folder, "stderr"), "w+b") as stderr:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=folder,
                env=clean_environment(folder),
            )  # fmt: skip
            try:
                yield _started(process, stderr, timeout)
                process.send_signal(signal.SIGTERM)
                status = process.wait(60)
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
            if status:
                raise RuntimeError(f"the test double ended with exit status {status}")


def _started(process, stderr, timeout):
    watchdog = threading.Timer(timeout, process.kill)
    watchdog.start()
    line = process.stdout.readline()
    watchdog.cancel()
    match = _START_LINE.fullmatch(line)
    if not match:
        process.kill()
        process.wait()
        stderr.seek(0)
        said = stderr.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise RuntimeError(f"the test double did not start: {said or line or 'it said nothing'}")
    return Double(line.strip(), *map(int, match.groups()), process)
