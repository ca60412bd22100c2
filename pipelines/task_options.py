"""Options that every task has in a group of its own, and the files that they name."""

from pipelines.command_line import at_least_one

SPLITS = {"train": "train", "dev": "eval", "test": "test"}  # by the option of their files


def add_examples(group, num_shards):
    """Adds how examples are written to a group of a parser; `num_shards` is a default or None."""
    group.add_argument(
        "--output_format",
        default="tfrecord",
        choices=("tfrecord", "parquet"),
        help="of the examples; parquet is read without TensorFlow",
    )
    settled = "" if num_shards else "; by its size"
    group.add_argument(
        "--num_shards",
        type=at_least_one,
        default=num_shards,
        help=f"files of the training split{settled}",
    )


def add_serving(group, name):
    """Adds which model is served and as what to a group of a parser; `name` is the default."""
    group.add_argument("--previous", metavar="FILE", help=".keras model that must be beaten")
    group.add_argument("--name", default=name, help="of the served model")
    group.add_argument(
        "--export_anyway", action="store_true", help="also a model that is not blessed"
    )


def given_files(options):
    """The files of each split by its option; None where the sample corpus is to be taken.

    Raises:
        ValueError: There are files, but none to train on.
    """
    files = {option: getattr(options, option) for option in SPLITS}
    if options.train is None and any(files.values()):
        raise ValueError("`--train` must be given with --dev or --test. Received: no --train")
    return None if options.train is None else files


def sample_files(written):
    """Paths of a sample corpus by split -> the same by option, as `given_files` has them."""
    return {option: [str(written[split])] for option, split in SPLITS.items()}


def write_travel(folder, to_text, ending):
    """Writes the sample corpus of travel requests, `sample_files`.

    Args:
        folder: Folder to write to; made if missing.
        to_text: Function of `seqnlp.samples` from requests to the text of a file.
        ending: Of the files' names.
    """
    from seqnlp.samples import travel

    folder.mkdir(parents=True, exist_ok=True)
    written = {split: folder / f"{split}.{ending}" for split in SPLITS.values()}
    for split, path in written.items():
        path.write_text(to_text(travel(split)), encoding="utf-8")
    return sample_files(written)
