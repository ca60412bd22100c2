"""Square matrices of tags: transition scores and confusion."""

import matplotlib.figure
import numpy as np

FORBIDDEN = -1e8
"""Scores below this are drawn as forbidden."""

MOST_WRITTEN = 40
"""With more columns than this, cells have a colour and no number."""


def transitions(scores, tags, title="Transitions: from row to column"):
    """The transition scores of a CRF as a picture.

    Args:
        scores: Float array `(tags, tags)`, or `(tags + 1, tags + 1)` with the scores of the
            first tags in the last row and of the last tags in the last column.
        tags: Names of the tags.
        title: Text above the picture.

    Returns:
        A matplotlib `Figure`; red is likely, blue unlikely, grey forbidden.

    Raises:
        ValueError: `scores` has another shape.
    """
    scores = np.asarray(scores, dtype="float64")
    tags = list(tags)
    if scores.shape not in ((len(tags),) * 2, (len(tags) + 1,) * 2):
        raise ValueError(
            f"`scores` must have shape {(len(tags),) * 2} or one row and column more. "
            f"Received: scores.shape={scores.shape}"
        )
    bordered = scores.shape[0] > len(tags)
    rows, columns = (tags + [edge] * bordered for edge in ("(start)", "(end)"))
    shown = np.ma.masked_where(~(scores > FORBIDDEN), scores)
    limit = float(np.abs(shown).max()) if shown.count() else 1.0
    return _matrix(shown, rows, columns, title, "RdBu_r", (-limit, limit), "{:.1f}")


def confusion(counts, tags, title="Tokens: true tag in the row, predicted in the column"):
    """How often each tag was taken for each other one.

    Args:
        counts: Int array `(tags, tags)`, the true tag in the row.
        tags: Names of the tags.
        title: Text above the picture.

    Returns:
        A matplotlib `Figure`; the colour is the share of the row.

    Raises:
        ValueError: `counts` has another shape.
    """
    counts = np.asarray(counts)
    if counts.shape != (len(tags),) * 2:
        raise ValueError(
            f"`counts` must have shape {(len(tags),) * 2}, as there are {len(tags)} tags. "
            f"Received: counts.shape={counts.shape}"
        )
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return _matrix(shares, tags, tags, title, "Blues", (0, 1), "{:d}", texts=counts)


def _matrix(values, rows, columns, title, colours, limits, written, texts=None):
    texts = values if texts is None else texts
    size = max(4.0, 0.45 * len(columns) + 2.0)
    figure = matplotlib.figure.Figure(figsize=(size + 1, size), layout="constrained", dpi=100)
    axes = figure.add_subplot()
    axes.set_facecolor("lightgrey")
    image = axes.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1])
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_title(title, fontsize="medium")
    figure.colorbar(image, ax=axes, shrink=0.8)
    if len(columns) <= MOST_WRITTEN:
        for (row, column), value in np.ndenumerate(np.ma.filled(values, np.nan)):
            if np.isnan(value) or not texts[row, column]:
                continue
            red, green, blue, _ = image.cmap(image.norm(value))
            light = 0.3 * red + 0.6 * green + 0.1 * blue > 0.5
            axes.text(
                column,
                row,
                written.format(texts[row, column]).replace("-0.0", "0.0"),
                ha="center",
                va="center",
                fontsize=7,
                color="black" if light else "white",
            )
    return figure
