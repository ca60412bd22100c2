"""Attention weights and alignments, with words on the axes."""

import math
import unicodedata

import matplotlib.figure
import matplotlib.patches
import numpy as np

from seqnlp.plot import fonts

CELL = 0.32
"""Inches of a word in `attention`."""

LETTER = 0.085
"""Inches of a letter, about; those of East Asia are twice as wide."""


def attention(weights, source, target, title="", links=()):
    """What each target word attends to: the dark cells of its row.

    Args:
        weights: Float array `(target, source)`, from 0 to 1.
        source: Source words, or pieces of them.
        target: Target words or pieces.
        title: Text above the picture.
        links: Links (source word, target word) to frame, such as a known alignment.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: If the shape of `weights` does not fit the words, or a link is none of theirs.
    """
    weights = np.asarray(weights, dtype="float64")
    _check(weights, "weights", (len(target), len(source)))
    for link in links:
        if not (0 <= link[0] < len(source) and 0 <= link[1] < len(target)):
            raise ValueError(
                f"`links` must be of {len(source)} source and {len(target)} target words. "
                f"Received: links={list(links)}"
            )
    font, words = fonts.fitting([*source, *target, title])
    source, target, title = words[: len(source)], words[len(source) : -1], words[-1]
    width = CELL * len(source) + _inches(target) + 1.0
    height = CELL * len(target) + 0.75 * _inches(source) + (0.6 if title else 0.3)
    figure = matplotlib.figure.Figure(
        figsize=(max(width, 3.5, _inches([title])), max(height, 2.5)),
        layout="constrained",
        dpi=120,
    )
    axes = figure.add_subplot()
    image = _cells(axes, weights)
    _source_words(axes, source, font)
    _target_words(axes, target, font)
    for i, j in links:
        frame = matplotlib.patches.Rectangle(
            (i - 0.5, j - 0.5), 1, 1, fill=False, edgecolor="tab:red", linewidth=1.2
        )
        axes.add_patch(frame)
    figure.suptitle(title, fontproperties=font, fontsize="medium")  # may be wider than the cells
    figure.colorbar(image, ax=axes, shrink=0.8, aspect=25, label="weight")
    return figure


def heads(weights, source, target, title=""):
    """The attention of every head, in a grid, the largest weight the darkest.

    Args:
        weights: Float array `(heads, target, source)`, from 0 to 1.
        source: Source words, or pieces of them.
        target: Target words or pieces.
        title: Text above the picture.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: If the shape of `weights` does not fit the words, or there is no head.
    """
    weights = np.asarray(weights, dtype="float64")
    number = max(len(weights) if weights.ndim else 0, 1)
    _check(weights, "weights", (number, len(target), len(source)))
    font, words = fonts.fitting([*source, *target, title])
    source, target, title = words[: len(source)], words[len(source) : -1], words[-1]
    columns = math.ceil(math.sqrt(number))
    rows = math.ceil(number / columns)
    cell = 0.7 * CELL
    figure = matplotlib.figure.Figure(
        figsize=(
            max(columns * max(cell * len(source), 1.2) + _inches(target) + 1.0, _inches([title])),
            rows * (max(cell * len(target), 1.0) + 0.3) + _inches(source) + 0.5,
        ),
        layout="constrained",
        dpi=120,
    )
    grid = figure.subplots(rows, columns, squeeze=False)
    for index, axes in enumerate(grid.flat):
        if index >= number:
            axes.remove()
            continue
        image = _cells(axes, weights[index], weights.max())
        axes.set_title(f"head {index + 1}", fontsize="small", pad=4)
        _source_words(axes, source if index < columns else [], font, fontsize=7)
        _target_words(axes, target if index % columns == 0 else [], font, fontsize=7)
    figure.suptitle(title, fontproperties=font, fontsize="medium")
    figure.colorbar(image, ax=figure.axes, shrink=0.6, aspect=30, label="weight")
    return figure


def _cells(axes, weights, most=1):
    """Draws one matrix, on a scale that all its neighbours share."""
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=most, aspect="auto")
    for side in axes.spines.values():
        side.set_color("lightgrey")
    return image


def _source_words(axes, words, font, fontsize=9):
    axes.xaxis.tick_top()
    axes.set_xticks(
        range(len(words)),
        words,
        rotation=50,
        ha="left",
        va="baseline",
        rotation_mode="anchor",
        fontproperties=font,
        fontsize=fontsize,
    )
    axes.tick_params(axis="x", length=0, pad=3)


def _target_words(axes, words, font, fontsize=9):
    axes.set_yticks(range(len(words)), words, fontproperties=font, fontsize=fontsize)
    axes.tick_params(axis="y", length=0, pad=3)


def _inches(words):
    """Width of the longest word, about."""
    return LETTER * max((sum(map(_columns, word)) for word in words), default=0)


def _columns(character):
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _check(values, name, shape):
    if values.shape != shape:
        raise ValueError(
            f"`{name}` must have shape {shape}, as the words say. "
            f"Received: {name}.shape={values.shape}"
        )
