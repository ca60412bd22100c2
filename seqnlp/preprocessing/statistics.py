"""What the prepared examples are like: statistics.json and schema.pbtxt."""

from seqnlp.records import SPLITS

QUANTILES = (0.5, 0.9, 0.95, 0.99)
_DIGITS = 6


def summarize(counts, rejects, text):
    """The content of statistics.json.

    Args:
        counts: Iterable of `((split, name, value), count)`, as `EncodeSentences` gives them.
        rejects: Dict of `WriteRejects`.
        text: Dict of `MakeText`.

    Returns:
        Dict with `splits`, `rejects` and `vocabulary`, for JSON.
    """
    kinds = ("totals", "lengths", "tags", "labels")
    tables = {split: {kind: {} for kind in kinds} for split in SPLITS}
    for (split, name, value), count in counts:
        tables[split][name][value] = count
    config = text["config"]
    vocabulary = {}
    if config is not None:
        vocabulary = {"words": len(config["words"]["tokens"]), "tags": len(config["tags"])}
        if config["characters"] is not None:
            vocabulary["characters"] = len(config["characters"]["tokens"])
        if config["labels"] is not None:
            vocabulary["labels"] = len(config["labels"])
    return {
        "splits": {split: _split_summary(split, tables[split]) for split in SPLITS},
        "rejects": {"count": rejects["count"], "kinds": rejects["kinds"]},
        "vocabulary": vocabulary,
    }


def _split_summary(split, tables):
    histogram = sorted(tables["lengths"].items())
    sentences = sum(count for _, count in histogram)
    tokens = sum(length * count for length, count in histogram)
    totals = tables["totals"]
    labels = {"labels": dict(sorted(tables["labels"].items()))} if tables["labels"] else {}
    also = {other: totals.get(f"also_in_{other}", 0) for other in SPLITS[: SPLITS.index(split)]}
    return {
        "sentences": sentences,
        "tokens": tokens,
        "lengths": {
            "max": histogram[-1][0] if histogram else 0,
            "mean": round(tokens / sentences, _DIGITS) if sentences else 0,
            "quantiles": {str(q): _quantile(histogram, sentences, q) for q in QUANTILES},
            "histogram": [list(pair) for pair in histogram],
        },
        "tags": dict(sorted(tables["tags"].items())),
        **labels,
        "out_of_vocabulary": round(totals.get("unknown", 0) / tokens, _DIGITS) if tokens else 0,
        "duplicates": {"within": totals.get("repeated", 0), "also_in": also},
    }


def _quantile(histogram, total, share):
    """The least length that at least this share of the sentences do not exceed."""
    seen = 0
    for length, count in histogram:
        seen += count
        if seen >= share * total:
            return length
    return 0


def schema(text):
    """The schema of the Examples, as tensorflow-metadata writes it.

    Args:
        text: Dict of `MakeText`, with a config.

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

    config = text["config"]
    specials = 2
    # Name -> largest value.
    integers = {"tag_ids": len(config["tags"]) - 1}
    integers["word_ids"] = len(config["words"]["tokens"]) + specials - 1
    if config["characters"] is not None:
        integers["char_ids"] = len(config["characters"]["tokens"]) + specials - 1
        integers["char_counts"] = config["max_word_length"]
    least = {"tag_ids": 0, "label_id": 0}
    if config["labels"] is not None:
        integers["label_id"] = len(config["labels"]) - 1
    message = schema_pb2.Schema()
    for name in sorted([*integers, "tokens"]):
        feature = message.feature.add(name=name)
        feature.presence.min_fraction = 1.0
        feature.presence.min_count = 1
        feature.value_count.min = 1
        if name == "label_id":
            feature.value_count.max = 1
        feature.type = schema_pb2.BYTES if name == "tokens" else schema_pb2.INT
        if name in integers:
            feature.int_domain.min = least.get(name, 1)
            feature.int_domain.max = integers[name]
    return text_format.MessageToString(message)
