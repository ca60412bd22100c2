"""The input files, looked at before anything runs."""

import os

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems


def find_splits(find, train, dev, test):
    """The files of the splits that are given.

    Args:
        find: Function from the name of an argument and its value to files.
        train: Value of the argument `train`.
        dev: That of `dev`, or None.
        test: That of `test`, or None.

    Returns:
        Dict from split to its files.
    """
    given = {"train": ("train", train), "eval": ("dev", dev), "test": ("test", test)}
    return {
        split: find(argument, patterns)
        for split, (argument, patterns) in given.items()
        if patterns is not None
    }


def find_files(argument, patterns):
    """The files that paths and patterns name.

    Args:
        argument: Name of the argument, for messages.
        patterns: A path, or a list of paths, each with or without `*`, `?` and `[...]`.

    Returns:
        Sorted list of different paths.

    Raises:
        ValueError: A path does not exist, is a folder, cannot be read or is empty, or a
            pattern matches nothing. The message names it.
    """
    return sorted(set(_in_order(argument, patterns)))


def find_pairs(argument, sides):
    """The pairs of files that paths and patterns of two sides name, in the same order.

    Args:
        argument: Name of the argument, for messages.
        sides: The paths of the source and those of the target, each as `find_files` takes them.
            The first file of one side goes with the first of the other; the files of a pattern
            are in alphabetical order.

    Returns:
        Sorted list of different pairs of paths.

    Raises:
        ValueError: There are not two sides, they have unequal numbers of files, a file is paired
            with itself, or as `find_files`. The message names it.
    """
    if isinstance(sides, (str, os.PathLike)) or len(sides) != 2:
        raise _error(argument, "the files of two sides, source and target", sides)
    source, target = (_in_order(argument, patterns) for patterns in sides)
    if len(source) != len(target):
        raise ValueError(
            f"`{argument}` must name as many files of the target as of the source. Received: "
            f"{len(source)} of the source ({', '.join(source)}) and {len(target)} of the target "
            f"({', '.join(target)})"
        )
    pairs = sorted(set(zip(source, target, strict=True)))
    for one, other in pairs:
        if one == other:
            raise _error(argument, "different files of source and target", one)
    return pairs


def _in_order(argument, patterns):
    patterns = [patterns] if isinstance(patterns, (str, os.PathLike)) else list(patterns)
    if not patterns:
        raise ValueError(f"`{argument}` must name at least one file. Received: {argument}=[]")
    return [file for item in map(os.fspath, patterns) for file in sorted(_matches(argument, item))]


def _matches(argument, pattern):
    if os.path.isdir(pattern):
        raise _error(argument, "files, and this is a folder", pattern)
    found = _sizes(argument, pattern)
    if not found:
        if any(character in pattern for character in "*?["):
            raise _error(argument, "files, and this pattern matches none", pattern)
        raise _error(argument, "existing files, and there is no such file", pattern)
    for path, size in found.items():
        if not size:
            raise _error(argument, "files with sentences, and this file is empty", path)
        _read_a_byte(argument, path)
    return list(found)


def _sizes(argument, pattern):
    """Dict from path to size of the files that `pattern` names."""
    # A file whose name holds brackets is a file, not a pattern.
    if os.path.isfile(pattern):
        return {pattern: os.path.getsize(pattern)}
    try:
        found = FileSystems.match([pattern])[0].metadata_list
    except Exception as error:
        raise _error(argument, f"readable files ({error})", pattern) from None
    return {item.path: item.size_in_bytes for item in found if not os.path.isdir(item.path)}


def _read_a_byte(argument, path):
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            file.read(1)
    except OSError as error:
        reason = error.strerror or error
        raise _error(
            argument, f"readable files, and this cannot be read ({reason})", path
        ) from None


def _error(argument, expected, received):
    return ValueError(f"`{argument}` must name {expected}. Received: {argument}={received!r}")
