import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from seqnlp import plot

SOURCE = ["They", "extinguished", "the", "lamp", "."]
TARGET = ["Donaudampfschifffahrt", "ist", "."]
WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(5), size=3)  # (target, source)


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def outside(figure):
    """Texts that are cut by the edge of the picture."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [figure._suptitle] if figure._suptitle else []
    for axes in figure.axes:
        texts += [axes.title, *axes.get_xticklabels(), *axes.get_yticklabels()]
    frame = figure.bbox.padded(1)
    boxes = {text.get_text(): text.get_window_extent() for text in texts if text.get_text()}
    return [
        text
        for text, box in boxes.items()
        if not (frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1))
    ]


def test_attention_has_source_words_above_and_target_words_beside():
    figure = plot.attention(WEIGHTS, SOURCE, TARGET, title="A map")
    axes = figure.axes[0]
    assert labels(axes.xaxis) == SOURCE
    assert labels(axes.yaxis) == TARGET
    assert axes.xaxis.get_ticks_position() == "top"
    assert figure.get_suptitle() == "A map"
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), WEIGHTS)
    assert image.get_clim() == (0, 1)
    assert image.origin == "upper"  # the first target word is the first row


def test_attention_frames_links():
    figure = plot.attention(WEIGHTS, SOURCE, TARGET, links=[(4, 2), (1, 0)])
    frames = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert [frame.get_xy() for frame in frames] == [(3.5, 1.5), (0.5, -0.5)]


@pytest.mark.parametrize("title", ["", "A title that is much longer than so few words are wide"])
@pytest.mark.parametrize("words", [1, 3])
def test_no_label_of_attention_is_cut(title, words):
    figure = plot.attention(WEIGHTS[:words, :words], SOURCE[:words], TARGET[:words], title=title)
    assert outside(figure) == []


def test_the_same_map_gives_the_same_picture():
    one, other = (plot.png(plot.attention(WEIGHTS, SOURCE, TARGET)) for _ in range(2))
    assert one == other


def test_heads_are_a_grid_with_words_at_its_edges_and_one_colour_bar():
    weights = np.stack([WEIGHTS] * 5)
    figure = plot.heads(weights, SOURCE, TARGET, title="Layer 1")
    *grid, bar = figure.axes
    assert [axes.get_title() for axes in grid] == [f"head {number}" for number in range(1, 6)]
    assert [labels(axes.xaxis) for axes in grid] == [SOURCE] * 3 + [[]] * 2
    assert [labels(axes.yaxis) for axes in grid] == [TARGET, [], [], TARGET, []]
    assert bar.get_ylabel() == "weight"
    assert {axes.images[0].get_clim() for axes in grid} == {(0, np.max(WEIGHTS))}


@pytest.mark.parametrize("number", [1, 2, 8])
def test_no_label_of_heads_is_cut(number):
    figure = plot.heads(np.stack([WEIGHTS] * number), SOURCE, TARGET, title="Layer 1")
    assert outside(figure) == []


def test_attention_refuses_weights_of_another_shape():
    with pytest.raises(ValueError, match=r"`weights` must have shape \(3, 5\).*shape=\(5, 3\)"):
        plot.attention(WEIGHTS.T, SOURCE, TARGET)


def test_attention_refuses_links_of_other_words():
    with pytest.raises(ValueError, match=r"`links` must be of 5 source .* links=\[\(0, 3\)\]"):
        plot.attention(WEIGHTS, SOURCE, TARGET, links=[(0, 3)])


@pytest.mark.parametrize("shape", [(0, 3, 5), (3, 5), (2, 5, 3), ()])
def test_heads_refuses_weights_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"`weights` must have shape \(.*, 3, 5\).*shape=\("):
        plot.heads(np.zeros(shape), SOURCE, TARGET)
