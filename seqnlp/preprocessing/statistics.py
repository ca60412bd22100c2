"""What statistics.json and schema.pbtxt hold of any task."""

from seqnlp.records import SPLITS

QUANTILES = (0.5, 0.9, 0.95, 0.99)
_DIGITS = 6


def tabulate(counts, names):
    """Counts as tables.

    Args:
        counts: Iterable of `((split, name, value), count)`, as `EncodeGroups` gives them.
        names: The names that there may be.

    Returns:
        Dict from split to a dict from name to a dict from value to count.
    """
    tables = {split: {name: {} for name in names} for split in SPLITS}
    for (split, name, value), count in counts:
        tables[split][name][value] = count
    return tables


def describe_lengths(table):
    """A table from length to count -> dict with `max`, `mean`, `quantiles` and `histogram`."""
    histogram = sorted(table.items())
    total = sum(count for _, count in histogram)
    return {
        "max": histogram[-1][0] if histogram else 0,
        "mean": share(sum(length * count for length, count in histogram), total),
        "quantiles": quantiles(histogram, total),
        "histogram": [list(pair) for pair in histogram],
    }


def quantiles(histogram, total):
    """Dict from each of `QUANTILES` to the least value that at least this share do not exceed.

    Args:
        histogram: Sorted `(value, count)` pairs.
        total: Sum of the counts.
    """
    return {str(quantile): _quantile(histogram, quantile * total) for quantile in QUANTILES}


def _quantile(histogram, rank):
    seen = 0
    for value, count in histogram:
        seen += count
        if seen >= rank:
            return value
    return 0


def share(part, whole):
    """`part / whole`, rounded so that files stay short; 0 of nothing."""
    return round(part / whole, _DIGITS) if whole else 0


def duplicates(split, totals):
    """How many records have the first part of another, within the split and in earlier ones."""
    also = {other: totals.get(f"also_in_{other}", 0) for other in SPLITS[: SPLITS.index(split)]}
    return {"within": totals.get("repeated", 0), "also_in": also}


def schema_text(integers, texts, single=(), numbers=(), optional=()):
    """The schema of the Examples, as tensorflow-metadata writes it.

    Args:
        integers: Dict from the name of a feature of integers to its least and largest value.
        texts: Names of the features of strings.
        single: Names of the features that have one value.
        numbers: Names of the features of numbers in float32.
        optional: Names of the features that may have no value.

    Returns:
        Text of schema.pbtxt.

    Raises:
        ImportError: tensorflow-metadata is not installed.
    """
    try:
        from google.protobuf import text_format
        from tensorflow_metadata.proto.v0 import schema_pb2
    except ImportError as error:
        raise ImportError(
            'A schema needs tensorflow-metadata: pip install "seqnlp[beam]".'
        ) from error

    message = schema_pb2.Schema()
    for name in sorted([*integers, *texts, *numbers]):
        feature = message.feature.add(name=name)
        feature.presence.min_fraction = 1.0
        feature.presence.min_count = 1
        feature.value_count.min = 0 if name in optional else 1
        if name in single:
            feature.value_count.max = 1
        feature.type = schema_pb2.INT if name in integers else schema_pb2.BYTES
        if name in numbers:
            feature.type = schema_pb2.FLOAT
        if name in integers:
            feature.int_domain.min, feature.int_domain.max = integers[name]
    return text_format.MessageToString(message)
