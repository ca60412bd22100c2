"""Words or phrases as points of a plane, near each other if their vectors are."""

import matplotlib.figure
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from seqnlp.plot import fonts

COLOURS = ("tab:red", "tab:green", "tab:purple")
"""Of the three windows."""

# Where a word may stand: (pixels from its point, side), the best places first.
_PLACES = [
    (distance, side)
    for distance in (5, 12, 20, 30, 42)
    for side in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
]
_POINT = 4  # pixels from the middle of a point to where words may be
_LOOSE = 10  # pixels from a point at which a word needs a line to it


def embedding_map(vectors, words, around=None, nearest=15, title="", perplexity=30, seed=0):
    """All vectors in the plane (t-SNE), and below three windows of it with their words.

    Args:
        vectors: Float array `(words, units)`.
        words: Strings, one a vector.
        around: Three of the words, in the middle of the windows; by default windows are put
            where points lie densest and windows do not overlap.
        nearest: Number of points that a window holds at least, its middle among them.
        title: Text above the picture.
        perplexity: Of t-SNE, about the number of neighbours that are kept near; less for few
            words.
        seed: Integer; the same seed gives the same picture.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: If there are fewer than 10 words, if `vectors` has not a row for each or
            holds what is not finite, if `nearest` is not from 2 to the number of words, if
            `around` is not three of the words, or if `perplexity` is not positive.
        ImportError: If scikit-learn is not installed.

    Reference: https://arxiv.org/abs/1406.1078, figures 4 and 5
    """
    vectors, words = np.asarray(vectors, dtype="float64"), list(words)
    _check(vectors, words, around, nearest)
    if perplexity <= 0:
        raise ValueError(f"`perplexity` must be above 0. Received: perplexity={perplexity}")
    points = _plane(vectors, perplexity, seed)
    windows = _windows(points, words, around, nearest)
    font, written = fonts.fitting([*words, title])
    figure = matplotlib.figure.Figure(figsize=(13, 10), dpi=100)
    grid = figure.add_gridspec(
        2, 3, left=0.02, right=0.98, bottom=0.02, top=0.94, hspace=0.05, wspace=0.05
    )
    whole = figure.add_subplot(grid[0, :])
    whole.scatter(*points.T, s=7, color="tab:blue", alpha=0.6, linewidths=0)
    whole.margins(0.02)
    whole.set_xticks([])
    whole.set_yticks([])
    whole.set_title(written[-1], fontproperties=font, fontsize="large")
    canvas = FigureCanvasAgg(figure)  # measures words before the picture is drawn
    for index, (window, colour) in enumerate(zip(windows, COLOURS, strict=True)):
        frame = Rectangle(window[0], *(window[1] - window[0]), fill=False, edgecolor=colour)
        frame.set_linewidth(1.5)
        whole.add_patch(frame)
        _zoom(figure.add_subplot(grid[1, index]), points, written, window, colour, font, canvas)
    return figure


def _plane(vectors, perplexity, seed):
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ImportError(
            'embedding maps need scikit-learn: pip install "seqnlp[plot]"'
        ) from error
    perplexity = min(perplexity, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)


def _windows(points, words, around, nearest):
    """Three pairs of corners, lower left and upper right."""
    distances = np.linalg.norm(points[:, None] - points, axis=-1)  # (words, words)
    if around is not None:
        return [_window(points, distances[words.index(word)], nearest) for word in around]
    windows = []
    for middle in np.sort(distances, axis=1)[:, nearest - 1].argsort(kind="stable"):
        window = _window(points, distances[middle], nearest)
        if all((window[0] > other[1]).any() or (window[1] < other[0]).any() for other in windows):
            windows.append(window)
        if len(windows) == len(COLOURS):
            return windows
    # Too few points for windows apart: those of points far from each other.
    while len(windows) < len(COLOURS):
        middles = [(low + high) / 2 for low, high in windows]
        far = np.min([np.linalg.norm(points - middle, axis=1) for middle in middles], axis=0)
        windows.append(_window(points, distances[far.argmax()], nearest))
    return windows


def _window(points, distances, nearest):
    inside = points[distances.argsort(kind="stable")[:nearest]]
    low, high = inside.min(axis=0), inside.max(axis=0)
    half = 0.6 * (high - low).max() + 1e-6  # a square, so that a zoom keeps the shape of things
    return (low + high) / 2 - half, (low + high) / 2 + half


def _zoom(axes, points, words, window, colour, font, canvas):
    """Draws the points of a window with their words, none over another if there is room."""
    (left, bottom), (right, top) = window
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(colour)
        side.set_linewidth(1.5)
    inside = ((points >= window[0]) & (points <= window[1])).all(axis=1).nonzero()[0]
    axes.scatter(*points[inside].T, s=12, color="tab:blue", linewidths=0)
    pixels = axes.transData.transform(points[inside])
    taken = [np.array([*pixel - _POINT, *pixel + _POINT]) for pixel in pixels]
    frame = axes.get_window_extent().extents
    for index, pixel in sorted(zip(inside, pixels, strict=True), key=lambda pair: pair[1][1]):
        label = axes.annotate(
            words[index],
            points[index],
            (0, 0),
            textcoords="offset points",
            fontproperties=font,
            fontsize=9,
            ha="center",
            va="center",
        )
        half = np.array(label.get_window_extent(canvas.get_renderer()).size) / 2
        boxes = [_box(pixel, half, *place) for place in _PLACES]
        best = min(boxes, key=lambda box: _covered(box, taken) + 10 * _outside(box, frame))
        label.set_position(((best[:2] + best[2:]) / 2 - pixel) * 72 / canvas.figure.dpi)
        edge = np.clip(pixel, best[:2], best[2:])
        if np.abs(edge - pixel).max() > _LOOSE:
            line = axes.transData.inverted().transform([pixel, edge])
            axes.plot(*line.T, color="grey", linewidth=0.6)
        taken.append(best)


def _box(pixel, half, distance, side):
    """Corners (left, bottom, right, top) of a word beside its point."""
    middle = pixel + np.array(side) * (half + distance)
    return np.array([*middle - half, *middle + half])


def _covered(box, taken):
    """Area of the box that others have."""
    low, high = (edge(box, np.array(taken)) for edge in (np.maximum, np.minimum))
    return np.prod(np.maximum(high[:, 2:] - low[:, :2], 0), axis=1).sum()


def _outside(box, frame):
    """How far the box reaches over the edges of the frame."""
    return np.maximum([*frame[:2] - box[:2], *box[2:] - frame[2:]], 0).sum()


def _check(vectors, words, around, nearest):
    if vectors.ndim != 2 or len(vectors) != len(words):
        raise ValueError(
            f"`vectors` must have a row for each of {len(words)} words. "
            f"Received: vectors.shape={vectors.shape}"
        )
    if len(words) < 10:
        raise ValueError(f"`words` must be at least 10. Received: len(words)={len(words)}")
    if not np.isfinite(vectors).all():
        raise ValueError(
            "`vectors` must be finite. "
            f"Received: np.isfinite(vectors).sum()={np.isfinite(vectors).sum()}"
        )
    if not 2 <= nearest <= len(words):
        raise ValueError(
            f"`nearest` must be from 2 to {len(words)}, the number of words. "
            f"Received: nearest={nearest}"
        )
    if around is not None and (len(around) != len(COLOURS) or not set(around) <= set(words)):
        raise ValueError(f"`around` must be three of the words. Received: around={around}")
