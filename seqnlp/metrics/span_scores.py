"""Precision, recall and F1 of spans, counted by seqeval as CoNLL 2000 and 2003 did."""

from seqnlp.tag_schemes import split_tag


def span_scores(true, predicted, encoding="bio"):
    """Scores of predicted spans: a span counts where type, start and end are all right.

    Args:
        true: List of sentences, each a list of tag names.
        predicted: The same for the predictions.
        encoding: "bio", "iob1", "bioes" or "bilou". Faulty predicted tags are read as the
            conlleval script reads them.

    Returns:
        Dict from each span type, and "micro" and "macro" average, to a dict of `precision`,
        `recall`, `f1` (0 to 1) and `support`, the number of true spans.

    Raises:
        ValueError: If the sentences differ in number or length, or a tag is not of `encoding`.
    """
    seqeval = _seqeval()
    if len(true) != len(predicted):
        raise ValueError(
            f"`predicted` must hold {len(true)} sentences, as `true` does. "
            f"Received: len(predicted)={len(predicted)}"
        )
    for index, (sentence, guess) in enumerate(zip(true, predicted, strict=True)):
        if len(sentence) != len(guess):
            raise ValueError(
                f"`predicted[{index}]` must hold {len(sentence)} tags, as `true[{index}]` does. "
                f"Received: len(predicted[{index}])={len(guess)}"
            )
    true, predicted = (_as_seqeval_reads(side, encoding) for side in (true, predicted))
    empty = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    if not any(tag != "O" for side in (true, predicted) for row in side for tag in row):
        return {"micro": empty, "macro": dict(empty)}  # seqeval divides by the number of types
    report = seqeval.classification_report(
        true, predicted, output_dict=True, zero_division=0, suffix=False
    )
    scores = {}
    for name, row in report.items():
        if name != "weighted avg":
            precision, recall, f1 = (
                float(row[key]) for key in ("precision", "recall", "f1-score")
            )
            support = int(row["support"])
            name = name.removesuffix(" avg")
            scores[name] = {"precision": precision, "recall": recall, "f1": f1, "support": support}
    return scores


def _as_seqeval_reads(sentences, encoding):
    """seqeval reads BIO, IOB1 and BIOES alike in its default mode, and knows no `L` and `U`."""
    cache = {"O": "O"}

    def convert(tag):
        if tag not in cache:
            prefix, span_type = split_tag(tag, encoding)
            cache[tag] = f"{prefix}-{span_type}"
        return cache[tag]

    return [[convert(tag) for tag in sentence] for sentence in sentences]


def _seqeval():
    try:
        from seqeval import metrics
    except ImportError as error:
        raise ImportError('span scores need seqeval: pip install "seqnlp[metrics]"') from error
    return metrics
