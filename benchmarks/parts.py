"""What is compared with what."""

from typing import NamedTuple

from benchmarks import goals
from benchmarks.sides import Side
from benchmarks.tagger_workload import BATCH, FORWARD_GFLOP


class Comparison(NamedTuple):
    """A workload and who runs it.

    Args:
        workload: Name of the workload, as the sides know it.
        sides: Tuple of `Side`; the others' results must equal the first one's.
        about: Shapes and settings, for the table.
        tolerance: Largest difference of results, relative to the largest number.
        gflop: Metric -> GFLOP of matrix products an item; what it has, is set against the peak.
        tries: Most runs of a side, times the runs it needs.
    """

    workload: str
    sides: tuple
    about: str
    tolerance: float = 1e-4
    gflop: dict = {}  # noqa: RUF012 - never changed
    tries: int = 5


TENSORFLOW, XLA, JAX = "seqnlp, TensorFlow", "seqnlp, TensorFlow XLA", "seqnlp, JAX"


def _ours(who, backend, *command):
    return Side(who, command, environment={"KERAS_BACKEND": backend}, ours=True)


def _pytorch(who, *command):
    return Side(who, command, ".venv-peers", make="peers")


def _addons(who, *command):
    return Side(who, command, ".venv-addons", make="addons")


def _crf(name):
    sides = [
        _ours(XLA, "tensorflow", "benchmarks.crf"),
        _ours(JAX, "jax", "benchmarks.crf"),
        _addons(goals.ADDONS, "benchmarks.peers.crf_addons"),
        _addons(goals.ADDONS_XLA, "benchmarks.peers.crf_addons", "--jit"),
        _pytorch(goals.PYTORCH_CRF, "benchmarks.peers.crf_pytorch"),
    ]
    if name != goals.LARGE:  # where compiling does not come to an end
        compiled = ("benchmarks.peers.crf_pytorch", "--compile")
        sides.append(_pytorch(goals.PYTORCH_CRF_COMPILED, *compiled))
    about = "(batch, time, tags); lengths from half of time to time; float32"
    return Comparison(name, tuple(sides), about)


def _peak():
    sides = (
        _ours("TensorFlow XLA", "tensorflow", "benchmarks.peak", "--jit"),
        _ours("TensorFlow", "tensorflow", "benchmarks.peak"),
        _ours("JAX", "jax", "benchmarks.peak"),
    )
    return Comparison("gemm(1024)", sides, "float32 matrix product, 1024 x 1024 x 1024")


def _tagger():
    sides = (
        _ours(TENSORFLOW, "tensorflow", "benchmarks.tagger"),
        _ours(XLA, "tensorflow", "benchmarks.tagger", "--jit"),
        _ours(JAX, "jax", "benchmarks.tagger", "--jit"),
        _pytorch(goals.PYTORCH, "benchmarks.peers.tagger_pytorch"),
        _pytorch(goals.PYTORCH_COMPILED, "benchmarks.peers.tagger_pytorch", "--compile"),
    )
    about = (
        "embedding 100, BiLSTM 200 a direction, dense 17, CRF; batch 32, time 50, Adam, float32; "
        "inference with decoding"
    )
    gflop = {"training step": 3 * BATCH * FORWARD_GFLOP, "inference": FORWARD_GFLOP}
    return Comparison("tagger", sides, about, 1e-3, gflop)


PARTS = {
    "crf": lambda: [_crf(name) for name in (goals.SMALL, goals.MIDDLE, goals.LARGE)],
    "tagger": lambda: [_peak(), _tagger()],
}
