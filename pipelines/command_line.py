"""The command line that every pipeline shares."""

import argparse
import contextlib
import gc
import json
import logging
import os
import pathlib
import sys
import time

SECONDS_FILE = "seconds.json"  # what each stage took in an output folder, interruptions included
STAGES = ("prepare", "train", "evaluate", "export", "check")


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults that say something."""

    def _get_help_string(self, action):
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def parser(task, description, formats, add_layout):
    """The arguments every task has: the stage, the files, their format, Beam's options.

    Args:
        task: Name of the module, as in `python -m pipelines.<task>`.
        description: First sentence of `--help`.
        formats: Names of the formats of its files, the default first.
        add_layout: Function that adds the arguments of the formats to a group.
    """
    result = argparse.ArgumentParser(
        prog=f"python -m pipelines.{task}",
        usage=f"python -m pipelines.{task} STAGE --output DIR [--train FILE ...] [options]",
        description=description,
        epilog="Any other option goes to Apache Beam, such as --runner or --direct_num_workers.",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    result.add_argument(
        "stage", choices=[*STAGES, "run"], help="what to do; run is all the others in turn"
    )
    result.add_argument(
        "--output", required=True, type=_folder, metavar="DIR", help="folder of the results"
    )
    files = result.add_argument_group("files (none: the sample corpus of the task)")
    _add_files(files, formats)
    add_layout(files)
    files.add_argument(
        "--max_rejects",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="largest share of unusable sentences",
    )
    result.add_argument("--seed", type=int, default=0, help="of splits, weights and order")
    return result


def _add_files(files, formats):
    for split, role in (("train", "to learn from"), ("dev", "to choose by"), ("test", "to score")):
        files.add_argument(
            f"--{split}", nargs="+", metavar="FILE", help=f"{role}; plain, .gz or .xz, globs too"
        )
    files.add_argument("--input_format", default=formats[0], choices=formats, help="of the files")


def at_least_one(text):
    """Type of an argument that is a whole number, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, received {text!r}")
    return int(text)


def whole_from_zero(text):
    """Type of an argument that is a whole number, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, received {text!r}")
    return int(text)


def at_least_zero(text):
    """Type of an argument that is a number, 0 or more."""
    return _number(text, float("inf"), "a number from 0 on")


def above_zero(text):
    """Type of an argument that is a number above 0."""
    number = _number(text, float("inf"), "a number above 0")
    if not number:
        raise argparse.ArgumentTypeError(f"expected a number above 0, received {text!r}")
    return number


def share(text):
    """Type of an argument that is a share, from 0 to 1."""
    number = _number(text, float("inf"), "a share from 0 to 1")
    if number > 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, received {text!r}")
    return number


def share_below_one(text):
    """Type of an argument that is a share, from 0 to below 1."""
    return _number(text, 1, "a share from 0 to below 1")


def share_between(text):
    """Type of an argument that is a share, above 0 and below 1."""
    number = _number(text, 1, "a share above 0 and below 1")
    if not number:
        raise argparse.ArgumentTypeError(
            f"expected a share above 0 and below 1, received {text!r}"
        )
    return number


def _number(text, limit, expected):
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < limit:
        raise argparse.ArgumentTypeError(f"expected {expected}, received {text!r}")
    return number


def check_beam_options(options):
    """Refuses options that neither the pipeline nor Beam knows: a typing error, most likely."""
    if not options:
        return
    try:
        from apache_beam.options import pipeline_options
    except ImportError as error:
        raise ImportError(
            f"the options {' '.join(options)} are not the pipeline's (--help), and Apache Beam's "
            'need apache-beam: pip install "seqnlp[beam]"'
        ) from error
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for group in pipeline_options.PipelineOptions.__subclasses__():
        if hasattr(group, "_add_argparse_args"):
            group._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(options)
    if unknown:
        raise ValueError(
            "the options must be the pipeline's (--help) or Apache Beam's. "
            f"Received: {' '.join(unknown)}"
        )


def _folder(text):
    if "://" in text or set("*?[]") & set(text):
        raise argparse.ArgumentTypeError(
            f"expected a local or mounted folder without any of *?[], received {text!r}"
        )
    return text


def columns(text):
    """Type of an argument that names columns: `token=0,tag=3` -> `{"token": 0, "tag": 3}`."""
    try:
        pairs = (pair.split("=") for pair in text.split(","))
        return {name.strip(): int(index) for name, index in pairs}
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected NAME=INDEX,NAME=INDEX such as token=0,tag=3, received {text!r}"
        ) from None


def layout(options, names):
    """Arguments of the input format, those of `names` that were given."""
    given = {name: getattr(options, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


@contextlib.contextmanager
def stage(name, reads, writes):
    """Announces a stage, and says how long it took."""
    print(f"\n== {name}: {reads} -> {writes}", flush=True)
    started = time.monotonic()
    yield
    print(f"== {name} took {time.monotonic() - started:.1f} s", flush=True)


def run_stages(parser, stages, argv, check=None):
    """Runs the stages that a command line asks for.

    Args:
        parser: As `parser` made it.
        stages: Dict from the names in `STAGES` to functions of the options and Beam's options.
        argv: List of arguments.
        check: Function of the options that raises a ValueError where they do not agree.
    """
    options, beam_options = parser.parse_known_args(argv)
    if check is not None:
        check(options)
    check_beam_options(beam_options)
    options.output = pathlib.Path(options.output)
    chosen = STAGES if options.stage == "run" else [options.stage]
    on_jax = os.environ.get("KERAS_BACKEND") == "jax"
    if on_jax and not {"prepare", "train"}.issuperset(chosen):
        raise ValueError(
            f"KERAS_BACKEND must be tensorflow for {options.stage}, which works on strings; the "
            "model of a train stage on JAX does there. Received: KERAS_BACKEND=jax"
        )
    for name in chosen:
        if not (on_jax and name == "train"):
            import_tensorflow_quietly()
        started = time.monotonic()
        try:
            stages[name](options, beam_options)
        finally:
            _note_seconds(options.output, name, time.monotonic() - started)


def _note_seconds(output, name, seconds):
    """Adds to what a stage took so far in this folder; preparing anew begins anew."""
    path = output / SECONDS_FILE
    try:
        noted = {} if name == STAGES[0] else json.loads(path.read_text())
    except (OSError, ValueError):
        noted = {}
    noted[name] = round(noted.get(name, 0.0) + seconds, 1)
    with contextlib.suppress(OSError):  # a stage that failed may have made no folder
        path.write_text(json.dumps(noted))


def main(run):
    """Runs `run(argv)` as a program: errors become one sentence and exit status 1.

    Set SEQNLP_TRACEBACK=1 to see where an error came from.
    """
    logging.basicConfig(level=logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nstopped")
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        if os.environ.get("SEQNLP_TRACEBACK"):
            raise
        sys.exit(f"error: {error}")
    finally:
        gc.freeze()  # or the exit looks for cycles in all that was imported, for over a second


def load_backend_quietly():
    """Loads TensorFlow before Keras does, for a pipeline whose options come with Keras."""
    if os.environ.get("KERAS_BACKEND") != "jax":
        import_tensorflow_quietly()


def import_tensorflow_quietly():
    """Its start lines go to standard error before any setting can stop them.

    Where it is missing, what needs it says so in a sentence.
    """
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            with contextlib.suppress(ImportError):
                import tensorflow as tf

                tf.config.list_physical_devices()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
