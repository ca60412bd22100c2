"""Probabilities of the places of a text."""

import matplotlib.figure
import numpy as np

from seqnlp.plot import fonts

_ROW = 24  # pieces side by side


def places(pieces, probabilities, title="", marked=()):
    """How probable each piece of a text is, in rows of bars under which the pieces stand.

    Args:
        pieces: List of `str`.
        probabilities: Dict from the name of a colour's bars, such as "start", to floats, one a
            piece.
        title: Text above the picture.
        marked: Numbers of pieces that stand on grey, such as those of the right answer.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: There are more or fewer probabilities than pieces.
    """
    for name, values in probabilities.items():
        if len(values) != len(pieces):
            raise ValueError(
                f"`probabilities` must have a value for each of {len(pieces)} pieces. "
                f"Received: {name} with {len(values)}"
            )
    rows = max(1, -(-len(pieces) // _ROW))
    figure = matplotlib.figure.Figure(
        figsize=(11, 1.5 * rows + 0.8), layout="constrained", dpi=110
    )
    font, (title, *pieces) = fonts.fitting([title, *pieces])
    width = 0.8 / max(1, len(probabilities))
    for row in range(rows):
        axes = figure.add_subplot(rows, 1, row + 1)
        shown = range(row * _ROW, min((row + 1) * _ROW, len(pieces)))
        for place in set(marked).intersection(shown):
            axes.axvspan(place - row * _ROW - 0.5, place - row * _ROW + 0.5, color="lightgrey")
        for at, (name, values) in enumerate(probabilities.items()):
            heights = np.asarray(values, "float64")[list(shown)]
            left = np.arange(len(heights)) + (at - (len(probabilities) - 1) / 2) * width
            axes.bar(left, heights, width, label=name)
        axes.set_xlim(-0.5, _ROW - 0.5)
        axes.set_ylim(0, 1)
        labels = [pieces[place] for place in shown]
        axes.set_xticks(
            range(len(labels)), labels, rotation=60, ha="right", fontproperties=font, fontsize=7
        )
        axes.tick_params(axis="y", labelsize=7)
        if not row:
            axes.legend(fontsize=7, loc="upper right")
            axes.set_title(title, fontproperties=font, fontsize=9)
    return figure
