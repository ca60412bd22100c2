"""Scores of classes and of numbers told of texts, counted by scikit-learn and SciPy."""

import math


def class_scores(true, predicted):
    """Scores of predicted classes.

    Args:
        true: List of the names of the true classes, at least one.
        predicted: The same for the predictions.

    Returns:
        Dict of `accuracy`, `macro_f1` (the mean over the classes that either side has) and
        `classes`, a dict from each of them to a dict of `precision`, `recall`, `f1` (0 to 1) and
        `support`, the number of its texts.

    Raises:
        ImportError: scikit-learn is not installed.
        ValueError: The lists differ in length, or are empty.
    """
    _check(true, predicted)
    metrics = _metrics()
    names = sorted({*true, *predicted})
    columns = metrics.precision_recall_fscore_support(
        true, predicted, labels=names, zero_division=0
    )
    classes = {}
    for name, *scores, support in zip(names, *columns, strict=True):
        values = dict(zip(("precision", "recall", "f1"), map(float, scores), strict=True))
        classes[name] = {**values, "support": int(support)}
    return {
        "accuracy": float(metrics.accuracy_score(true, predicted)),
        "macro_f1": sum(row["f1"] for row in classes.values()) / len(classes),
        "classes": classes,
    }


def number_scores(true, predicted):
    """Scores of predicted numbers.

    Args:
        true: List of the true numbers, at least one.
        predicted: The same for the predictions.

    Returns:
        Dict of `pearson` and `spearman`, the correlations (0 where either side is all one number),
        and `mse`, the mean squared error.

    Raises:
        ImportError: SciPy is not installed.
        ValueError: The lists differ in length, or are empty.
    """
    _check(true, predicted)
    stats = _stats()
    correlations = {"pearson": 0.0, "spearman": 0.0}
    if min(len(set(side)) for side in (true, predicted)) > 1:
        correlations["pearson"] = float(stats.pearsonr(true, predicted).statistic)
        correlations["spearman"] = float(stats.spearmanr(true, predicted).statistic)
    squares = ((x - y) ** 2 for x, y in zip(true, predicted, strict=True))
    return {**correlations, "mse": math.fsum(squares) / len(true)}


def _check(true, predicted):
    if not true or len(true) != len(predicted):
        raise ValueError(
            "`predicted` must hold as many items as `true`, at least one. "
            f"Received: len(true)={len(true)}, len(predicted)={len(predicted)}"
        )


def _metrics():
    try:
        from sklearn import metrics
    except ImportError as error:
        raise ImportError(
            'scores of classes need scikit-learn: pip install "seqnlp[metrics]"'
        ) from error
    return metrics


def _stats():
    try:
        from scipy import stats
    except ImportError as error:
        raise ImportError('scores of numbers need scipy: pip install "seqnlp[metrics]"') from error
    return stats
