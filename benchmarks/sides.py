"""The sides of a comparison as processes that wait to be asked."""

import contextlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import tempfile
import threading
from typing import NamedTuple

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
THREADS = 2
KEPT_MEMORY = {  # glibc's: memory given back to the system is cleared when it is asked for anew
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(4 * 2**30),
    "MALLOC_TOP_PAD_": str(256 * 2**20),
}
ENVIRONMENT = {
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"),
        str(THREADS),
    ),
    **KEPT_MEMORY,
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


class SideError(Exception):
    """A side that did not start, failed, took too long, or gave other results."""


class Side(NamedTuple):
    """How a side is started.

    Args:
        who: Name in the table.
        command: Module and its arguments.
        venv: Folder of the virtual environment, relative to the clone.
        environment: Further environment variables.
        ours: Whether it is seqnlp's.
        make: The make target that installs the environment.
        alike: Whether its results must equal the others'; one that computes something else by
            design, as another architecture does, is held to their names and shapes alone.
    """

    who: str
    command: tuple
    venv: str = ".venv"
    environment: dict = {}  # noqa: RUF012 - never changed
    ours: bool = False
    make: str = "install"
    alike: bool = True

    @property
    def python(self):
        """Path of the interpreter."""
        return ROOT / self.venv / "bin" / "python"

    @property
    def installed(self):
        """Whether the environment is there."""
        return self.python.exists()


class Asked:
    """A started side; a context manager that ends its process.

    Args:
        side: The `Side`.
        workload: Name of the workload that it is asked about.
        limit: Seconds that an answer may take.
    """

    def __init__(self, side, workload, limit):
        self.side, self.workload, self.limit = side, workload, limit
        self.folder = tempfile.TemporaryDirectory(prefix="benchmark-")
        self.log = pathlib.Path(self.folder.name, "log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [side.python, "-m", *side.command, "--asked", workload],
                cwd=ROOT,
                env={**os.environ, **ENVIRONMENT, **side.environment, **self._own_caches()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # compilers started by it end with it
            )
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        try:
            hello = self._answer()
        except SideError:
            self.__exit__()
            raise
        self.metrics, self.versions = hello["metrics"], hello["versions"]
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):  # a question may stand unread before one who is dead
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self._kill()
        self.reader.join()
        self.process.stdout.close()
        self.folder.cleanup()

    def make(self, metric):
        """Builds a case and calls it once.

        Returns:
            `(answer, results)`: a dict of `first_call` in seconds and `unit`, and the dict of
            arrays by which the sides are compared.
        """
        path = pathlib.Path(self.folder.name, "results.npz")
        answer = self._ask(do="make", case=self.metrics.index(metric), results=str(path))
        with np.load(path) as results:
            return answer, dict(results)

    def run(self):
        """`(figure, share)` of a run of the case made last."""
        answer = self._ask(do="run")
        return answer["value"], answer["share"]

    def _own_caches(self):
        """Where compilers keep what they have made: in no place that an earlier run has filled."""
        return {"TMPDIR": self.folder.name}

    def _ask(self, **question):
        with contextlib.suppress(OSError):  # it has ended, which the answer says
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        try:
            line = self.lines.get(timeout=self.limit)
        except queue.Empty:
            self._kill()
            raise SideError(f"not done within {self.limit} s") from None
        if not line:
            said = self.log.read_text(errors="replace").strip().rpartition("\n")[2]
            raise SideError(f"ended: {said or 'it said nothing'}")
        return json.loads(line)

    def _kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")


def check_equal(results, expected, tolerance):
    """Raises a `SideError` unless two sides gave the same arrays.

    Args:
        results: Dict of arrays.
        expected: That of another side, with the same names.
        tolerance: Largest difference, relative to the largest number of the array.
    """
    if set(results) != set(expected) or not results:
        raise SideError(f"gives {sorted(results)} where the other side gives {sorted(expected)}")
    for name, array in results.items():
        other = expected[name]
        _check_shape(name, array, other)
        difference = np.max(np.abs(array - other)) / max(np.max(np.abs(other)), 1e-12)
        if not difference <= tolerance:  # NaN too
            raise SideError(f"{name} is off by {difference:.2g}, allowed is {tolerance:g}")


def check_shapes(results, expected):
    """Raises a `SideError` unless a side gave finite arrays of another one's shapes.

    Args:
        results: Dict of arrays.
        expected: That of the other side, which may have more of them.
    """
    if not results or not set(results) <= set(expected):
        raise SideError(f"gives {sorted(results)} where the other side gives {sorted(expected)}")
    for name, array in results.items():
        _check_shape(name, array, expected[name])
        if not np.all(np.isfinite(array)):
            raise SideError(f"{name} is not finite")


def _check_shape(name, array, other):
    if array.shape != other.shape:
        raise SideError(f"{name} has shape {array.shape}, the other side's {other.shape}")
