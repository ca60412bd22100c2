"""What every preparation does, whatever its task: read, encode and write, checked and run."""

import os

import apache_beam as beam

from seqnlp.preprocessing.finish import Finish, remove_old, take_failure
from seqnlp.preprocessing.groups import GroupByContent
from seqnlp.preprocessing.running import PrepareError, make_pipeline, run_pipeline
from seqnlp.preprocessing.shards import WriteRejects, WriteShards
from seqnlp.preprocessing.split import FRACTIONS
from seqnlp.records import OUTPUT_FORMATS, SPLITS, import_pyarrow, read_manifest

HELD_OUT_SHARDS = 1


def read_splits(root, files, read, name, parts):
    """Reads the files of every split, and splits those off `train` that have none.

    Args:
        root: Root of a pipeline.
        files: Dict from split to its files.
        read: Function from files to a transform such as `ReadSentences`.
        name: Name of the records in what the transform gives.
        parts: The transform `SplitSentences`.

    Returns:
        Dict from split to its records, list of rejects, and the inputs.
    """
    splits, rejects, inputs = {}, [], []
    for split, given in files.items():
        found = root | f"Read-{split}" >> read(given)
        splits[split] = found[name]
        rejects.append(found["rejects"])
        named = found["inputs"] | f"Name-{split}" >> beam.Map(_with_split, split)
        inputs.append(named)
    splits.update(splits["train"] | "SplitTrain" >> parts)
    return splits, rejects, inputs | "FlattenInputs" >> beam.Flatten()


def _with_split(entry, split):
    return split, entry


class WriteExamples(beam.PTransform):
    """Records, rejects, inputs and text -> a finished folder; gives the manifest's content.

    It takes a dict of PCollections: the records under the name of each split, `rejects`,
    `inputs` and `text`, see `Finish`; and `counts`, if there are others than those of the
    encoder.

    Args:
        output: Folder to write to, on any file system of Beam.
        options: Dict of the options as the manifest holds them.
        task: `Task`.
        encode: `EncodeGroups`.
        columns: Names of the features of an example.
    """

    def __init__(self, output, options, task, encode, columns):
        super().__init__()
        self._output = output
        self._options = options
        self._task = task
        self._encode = encode
        self._columns = columns

    def expand(self, found):
        """Applies the transform."""
        buckets = [
            found[split]
            | f"Bucket-{split}" >> beam.ParDo(GroupByContent(split, self._task.content))
            for split in SPLITS
        ]
        text = found["text"]
        encoded = (
            buckets
            | "FlattenSplits" >> beam.Flatten()
            | "GroupEqual" >> beam.GroupByKey()
            | "Encode"
            >> beam.ParDo(self._encode, beam.pvalue.AsSingleton(text)).with_outputs(
                "counts", "rejects", main="examples"
            )
        )
        rejects = [found["rejects"], encoded["rejects"]]
        counts = encoded["counts"]
        if "counts" in found:
            counts = [counts, found["counts"]] | "FlattenCounts" >> beam.Flatten()
        results = {
            "shards": encoded["examples"]
            | "WriteShards" >> WriteShards(self._output, self._options, self._columns),
            "counts": counts | "SumCounts" >> beam.CombinePerKey(sum),
            "rejects": rejects
            | "FlattenRejects" >> beam.Flatten()
            | "WriteRejects" >> WriteRejects(self._output),
            "inputs": found["inputs"],
            "text": text,
        }
        finish = Finish(self._output, self._options, self._task, results)
        return text.pipeline | "Finish" >> finish


def prepare(output, transform, pipeline_options):
    """Runs the pipeline of one transform; returns the manifest that it wrote last.

    Args:
        output: Folder to write to. What an earlier preparation left there is removed.
        transform: Function from the folder as `str` to a transform that ends in
            `WriteExamples`.
        pipeline_options: List of Beam's options, or None.

    Raises:
        ValueError: The options or the folder cannot be used; nothing was written.
        PrepareError: There is no manifest; the message says why.
    """
    output = os.fspath(output)
    pipeline = make_pipeline(pipeline_options)
    pipeline | "Prepare" >> transform(output)
    remove_old(output)
    run_pipeline(pipeline)
    message = take_failure(output)
    if message is not None:
        raise PrepareError(message)
    return read_manifest(output, verify=False)


def output_options(files, output_format, num_shards, seed, max_rejects):
    """The options that every preparation has, as the manifest holds them.

    Args:
        files: Dict from the splits that are given to their files.
        output_format: One of `OUTPUT_FORMATS`.
        num_shards: Files of the training split.
        seed: Seed of the split and of the order of the examples.
        max_rejects: Largest share of rejects.
    """
    return {
        "output_format": output_format,
        "num_shards": {"train": num_shards, "eval": HELD_OUT_SHARDS, "test": HELD_OUT_SHARDS},
        "seed": seed,
        "max_rejects": max_rejects,
        "fractions": FRACTIONS[frozenset(SPLITS) - set(files)],
    }


def check_least(options, least):
    """Raises a ValueError where one of the options is below its least value; None is not."""
    for name, minimum in least.items():
        if options[name] is not None and options[name] < minimum:
            raise ValueError(
                f"`{name}` must be at least {minimum}. Received: {name}={options[name]}"
            )


def check_output(options):
    """Raises a ValueError where an option that every preparation has is wrong."""
    check_least({"num_shards": options["num_shards"]["train"]}, {"num_shards": 1})
    if options["output_format"] not in OUTPUT_FORMATS:
        raise ValueError(
            f"`output_format` must be one of {', '.join(OUTPUT_FORMATS)}. "
            f"Received: output_format={options['output_format']!r}"
        )
    if options["output_format"] == "parquet":
        import_pyarrow()  # workers need it
    if not 0 <= options["max_rejects"] <= 1:
        raise ValueError(
            "`max_rejects` must be a share from 0 to 1. "
            f"Received: max_rejects={options['max_rejects']}"
        )
