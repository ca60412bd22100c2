"""The end of a preparation: the gate, and the manifest that readers ask for."""

import hashlib
import json
import os
import platform
from importlib import metadata

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from seqnlp.preprocessing.rejects import FATAL_KINDS
from seqnlp.preprocessing.shards import REJECTS_FILE, TEMPORARY, WRITE_ERROR, write_file
from seqnlp.records import MANIFEST_FILE, SPLITS
from seqnlp.text.bert_names import BERT_FILES, QUESTIONS_FILE, VOCABULARY_FILE
from seqnlp.text.names import TEXT_FILES
from seqnlp.text.translation_names import SIDES, SUFFIXES, subword_file

STATISTICS_FILE = "statistics.json"
SCHEMA_FILE = "schema.pbtxt"
FAILURE_FILE = "failure.json"
_ARGUMENTS = {"train": "train", "eval": "dev", "test": "test"}
# Kind of a reject that ends a preparation -> the problem and what to do.
_FATAL = {
    "damaged_file": (
        "{} of the input files cannot be read to the end: the rest is unknown",
        "Copy the file again, or give what can be read of it as a file of its own.",
    ),
    "not_squad": (
        "{} of the input files do not hold articles in the form of SQuAD",
        "Give a JSON file as SQuAD has it.",
    ),
    "line_count": (
        "{} of the pairs of files differ in length, so that their lines do not match",
        "Give files whose lines translate each other.",
    ),
}


class Finish(beam.PTransform):
    """Judges a preparation; writes its manifest, or why there is none.

    Args:
        folder: Folder to write to.
        options: Dict of the options as the manifest holds them.
        task: What is prepared, a `Task`.
        results: Dict of PCollections: `shards` of `WriteShards`, summed `counts` of
            `EncodeGroups`, `rejects` of `WriteRejects`, `inputs` (`(split, dict)`, the input
            files) and `text`, one dict with `config`, `problem` and what the task put there.
    """

    def __init__(self, folder, options, task, results):
        super().__init__()
        self._folder = folder
        self._options = options
        self._task = task
        self._results = results

    def expand(self, root):
        """Applies the transform to the root of a pipeline; gives the manifest's content."""
        names = ("shards", "counts", "inputs")
        lists = [beam.pvalue.AsList(self._results[name]) for name in names]
        values = [beam.pvalue.AsSingleton(self._results[name]) for name in ("rejects", "text")]
        return (
            root
            | "Once" >> beam.Create([self._folder], reshuffle=False)
            | "Judge" >> beam.Map(finish, self._options, self._task, *lists, *values)
        )


def finish(folder, options, task, shards, counts, inputs, rejects, text):
    """Writes what is left to write, and the manifest last.

    Returns:
        The content of the manifest, or None where the gate refused it.

    Raises:
        OSError: A file cannot be written.
    """
    statistics = task.summarize(counts, rejects, text)
    read = sum(entry["read"] for _, entry in inputs)
    problem = judge(folder, options, task, statistics, rejects, text, read)
    if problem is not None:
        _write_json(folder, FAILURE_FILE, {"message": problem})
        return None
    files = [rejects["file"], _write_json(folder, STATISTICS_FILE, statistics)]
    encoded = task.schema(text).encode()
    files.append(write_file(folder, SCHEMA_FILE, lambda file: file.write(encoded))[0])
    files.extend(_write_text(folder, task, text["config"]))
    content = {
        "format": 1,
        "task": task.name,
        "inputs": _listed(inputs),
        "options": options,
        "versions": versions(options["output_format"], task.packages),
        "shards": _by_split(shards),
        "files": sorted(files, key=lambda entry: entry["file"]),
    }
    _write_json(folder, MANIFEST_FILE, content)
    return content


def judge(folder, options, task, statistics, rejects, text, read):
    """Why there may be no manifest, as a message, or None.

    `read` is how many records and rejects the files gave: they must all have arrived.
    """
    records = {split: statistics["splits"][split][f"{task.record}s"] for split in SPLITS}
    total = sum(records.values()) + rejects["count"]
    share = rejects["count"] / total if total else 0.0
    counts = ", ".join(f"{records[split]} {split}" for split in SPLITS)
    empty = [split for split in SPLITS if not records[split]]
    fatal = [kind for kind in FATAL_KINDS if kind in rejects["kinds"]]
    left_out = sum(found.get("left_out", 0) for found in statistics["splits"].values())
    arrived = total + left_out
    if arrived != read:
        problem = (
            f"{read} {task.record}s were read and {arrived} arrived: the runner lost or "
            "repeated data"
        )
        advice = "Run it again, with one worker or another runner."
    elif fatal:
        problem, advice = _FATAL[fatal[0]]
        problem = problem.format(rejects["kinds"][fatal[0]])
    elif share > options["max_rejects"]:
        problem = (
            f"{rejects['count']} of {total} {task.record}s ({share:.1%}) were rejected, and "
            f"`max_rejects` allows {options['max_rejects']:.1%}"
        )
        advice = "Correct the input or its description, or raise `max_rejects`."
    elif empty:
        problem = (
            f"the {empty[0]} split has no {task.record} ({counts}; {rejects['count']} rejected)"
        )
        advice = f"Give more {task.record}s, or files for `{_ARGUMENTS[empty[0]]}`."
    elif (found := task.problem(statistics)) is not None:
        problem, advice = found
    elif text["problem"] is not None:
        problem = f"no vocabulary can be made: {text['problem']}"
        advice = "Correct the named argument or the input."
    else:
        return None
    return _message(folder, problem, advice, rejects)


def _message(folder, problem, advice, rejects):
    parts = [f"The preparation did not finish: {problem.rstrip('.')}."]
    if rejects["first"]:
        first = "; ".join(
            f"{reject['file']}:{reject['line']}: {reject['reason']}" for reject in rejects["first"]
        )
        place = FileSystems.join(folder, *REJECTS_FILE.split("/"))
        parts.append(f"First rejects: {first}. All of them, with their text: {place}.")
    return " ".join([*parts, advice])


def versions(output_format, more=None):
    """Versions of what the bytes of a preparation depend on.

    Args:
        output_format: One of `OUTPUT_FORMATS`.
        more: Dict from a further name to the package it stands for.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    packages = {"seqnlp": "seqnlp", "beam": "apache-beam", "tensorflow": "tensorflow"}
    packages.update(more or {})
    if output_format == "parquet":
        packages["pyarrow"] = "pyarrow"
    return {"python": python, **{name: _version(package) for name, package in packages.items()}}


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


def remove_old(folder):
    """Removes what an earlier preparation left in `folder`, finished or not, manifest first.

    Raises:
        ValueError: `folder` is a file.
    """
    join = FileSystems.join
    if os.path.isfile(folder):
        raise ValueError(
            f"`output` must be a folder, and this is a file. Received: output={folder!r}"
        )
    names = [MANIFEST_FILE, STATISTICS_FILE, SCHEMA_FILE, FAILURE_FILE]
    names += [*TEXT_FILES, VOCABULARY_FILE, QUESTIONS_FILE, *BERT_FILES]
    names += [subword_file(side, kind) for side in SIDES for kind in SUFFIXES]
    patterns = [join(folder, *name.split("/")) for name in [*names, f"{TEMPORARY}*"]]
    for parent in ["rejects", *(f"Split-{split}" for split in SPLITS)]:
        for name in ("examples-*", "rejects.jsonl", f"{TEMPORARY}*"):
            patterns.append(join(folder, parent, name))
    for pattern in patterns:
        paths = _match(pattern)
        if paths:
            FileSystems.delete(paths)


def take_failure(folder):
    """Why the gate refused the manifest, as a message, or None. The note is removed."""
    path = FileSystems.join(folder, FAILURE_FILE)
    if not FileSystems.exists(path):
        return None
    message = json.loads(_read(path))["message"]
    FileSystems.delete([path])
    return message


def _match(pattern):
    return [item.path for item in FileSystems.match([pattern])[0].metadata_list]


def _read(path):
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        return file.read()


def _write_json(folder, name, content):
    data = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    return write_file(folder, name, lambda file: file.write(data))[0]


def _write_text(folder, task, config):
    try:
        names = task.save_text(folder, config)
    except OSError as error:
        raise OSError(f"{WRITE_ERROR} {folder}: {error}") from None
    entries = []
    for name in names:
        data = _read(FileSystems.join(folder, name))
        digest = hashlib.sha256(data).hexdigest()
        entries.append({"file": name, "bytes": len(data), "sha256": digest})
    return entries


def _listed(inputs):
    """`(split, dict)` pairs -> dict from split to sorted entries."""
    listed = {split: [] for split in SPLITS}
    for split, entry in inputs:
        listed[split].append({name: entry[name] for name in ("file", "bytes", "sha256")})
    key = lambda entry: (entry["file"], entry["sha256"])  # noqa: E731
    return {split: sorted(entries, key=key) for split, entries in listed.items()}


def _by_split(shards):
    listed = {split: [] for split in SPLITS}
    for shard in sorted(shards, key=lambda shard: shard["file"]):
        listed[shard["split"]].append({k: v for k, v in shard.items() if k != "split"})
    return listed
