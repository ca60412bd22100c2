"""Running a pipeline by the name of its runner, with errors that say what to do."""

import contextlib
import gc
import logging
import re

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from seqnlp.preprocessing.shards import WRITE_ERROR

DEFAULT_RUNNER = "FnApiRunner"
# Objects that may be made before Python looks for cycles among all that there are: a preparation
# holds millions and makes next to no cycles, and its default, 700, costs a sixth of the time.
_COLLECT_AFTER = 100_000


class PrepareError(ValueError):
    """A preparation that did not finish, said in a sentence; there is no manifest."""


def make_pipeline(options=None):
    """An empty pipeline.

    Args:
        options: List of Beam's options. Without `--runner` it is Beam's FnApiRunner, in this
            process: a bare DirectRunner would try to download another one.

    Returns:
        A `beam.Pipeline`.

    Raises:
        ValueError: The options ask for a runner that is refused or unknown.
    """
    options = PipelineOptions(list(options or []))
    standard = options.view_as(StandardOptions)
    standard.runner = standard.runner or DEFAULT_RUNNER
    if "dask" in standard.runner.lower():
        raise ValueError(
            "`pipeline_options` must not ask for the DaskRunner: it writes no shard and "
            f"reports success. Received: pipeline_options=[..., '--runner={standard.runner}']"
        )
    try:
        return beam.Pipeline(options=options)
    except (ValueError, ImportError, AttributeError) as error:
        raise ValueError(
            f"`pipeline_options` must name a runner of Beam ({_first_line(error)}). "
            f"Received: pipeline_options=[..., '--runner={standard.runner}']"
        ) from None


def run_pipeline(pipeline):
    """Runs `pipeline` to its end.

    Raises:
        PrepareError: It failed; a full disk and the like are told in a sentence.
    """
    try:
        with _without_tracebacks(), _collecting_as_before():
            result = pipeline.run()
            result.wait_until_finish()
    except Exception as error:
        raise PrepareError(_explain(error)) from error
    if str(result.state) not in ("DONE", "UPDATED"):
        raise PrepareError(f"The preparation did not finish: the runner says {result.state}.")
    return result


def collect_less():
    """Makes Python's garbage collector run less often; called once in each worker process."""
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])


@contextlib.contextmanager
def _collecting_as_before():
    """Workers may be threads of this process, which goes on after them."""
    before = gc.get_threshold()
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextlib.contextmanager
def _without_tracebacks():
    """Workers log the traceback of an error that is raised here anyway, as a sentence."""
    logger = logging.getLogger("apache_beam")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _explain(error):
    """One sentence: the error that a worker reported, without its traceback."""
    text = str(error)
    written = re.search(WRITE_ERROR + r" [^\n]+?(?= \[while running|\n|\\n|$)", text)
    if written:
        return (
            f"The preparation did not finish: {written.group().rstrip('.')}. Make room or "
            "correct the permissions, and run it again into the same folder."
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    raised = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit)\b", line)]
    last = raised[-1] if raised else ": ".join([type(error).__name__, *lines[-1:]])
    return f"The preparation did not finish: {last}"


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]
