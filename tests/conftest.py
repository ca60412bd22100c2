"""Which tests run on which backend; and that none of them is skipped."""

import gc
import os
import pathlib

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's log hides what a test says

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
PART = os.environ.get("TESTS", "all" if BACKEND == "tensorflow" else "core")  # or "rest"
CORE = {  # what runs on every backend; all the rest runs once, on TensorFlow
    "compat",
    "decoding",
    "layers",
    "models",
    "metrics",
    "test_contract.py",
    "test_gradients.py",
    "test_losses.py",
    "test_optimizers.py",
    "test_scan.py",
    "test_tag_schemes.py",
}

here = pathlib.Path(__file__).parent
in_core = CORE.__contains__
left_out = {"all": lambda _: False, "core": lambda name: not in_core(name), "rest": in_core}
collect_ignore = [path.name for path in here.iterdir() if left_out[PART](path.name)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file is one worker's; those of the tagging pipeline are too, which share what it left."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            folder, _, name = file.rpartition("/")
            shares = folder == "tests/pipelines" and not name.startswith("test_translation")
            return folder if shares else file

    return Scheduling(config, log)


@pytest.fixture(autouse=True, scope="module")
def _forget_what_was_compiled():
    """JAX keeps a program in memory for each shape it saw: thousands exhaust a process' maps.

    What TensorFlow compiled goes with the models and functions that hold it in cycles.
    """
    yield
    if BACKEND == "jax":
        import jax

        jax.clear_caches()
    gc.collect()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _failed_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _failed_if_skipped((yield))


def _failed_if_skipped(report):
    """A test that did not run has shown nothing, so it may not look like success."""
    expected_to_fail = hasattr(report, "wasxfail")
    if report.skipped or expected_to_fail:
        reason = report.wasxfail if expected_to_fail else report.longrepr
        if expected_to_fail:
            del report.wasxfail
        report.outcome = "failed"
        report.longrepr = f"tests may not be skipped or expected to fail: {reason}"
    return report
