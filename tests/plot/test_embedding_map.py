import itertools
import sys

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from seqnlp import plot

GROUPS, MEMBERS = 5, 12
WORDS = [f"word {group}.{member}" for group in range(GROUPS) for member in range(MEMBERS)]
RANDOM = np.random.default_rng(0)
VECTORS = (20 * RANDOM.normal(size=(GROUPS, 1, 8)) + RANDOM.normal(size=(1, MEMBERS, 8))).reshape(
    GROUPS * MEMBERS, 8
)


@pytest.fixture(scope="module")
def figure():
    return plot.embedding_map(VECTORS, WORDS, nearest=10, title="Words")


def shown(axes):
    return [text.get_text() for text in axes.texts]


def points(axes):
    return np.array(axes.collections[0].get_offsets())


def test_all_points_are_above_and_three_windows_below(figure):
    whole, *zooms = figure.axes
    assert points(whole).shape == (len(WORDS), 2)
    assert whole.get_title() == "Words"
    assert len(zooms) == len(whole.patches) == 3
    for frame, axes in zip(whole.patches, zooms, strict=True):
        corners = [*axes.get_xlim(), *axes.get_ylim()]
        x, y = frame.get_xy()
        expected = [x, x + frame.get_width(), y, y + frame.get_height()]
        np.testing.assert_allclose(corners, expected)
        assert frame.get_width() == pytest.approx(frame.get_height())


def test_a_window_shows_the_words_of_its_points(figure):
    whole, *zooms = figure.axes
    places = {tuple(point): word for point, word in zip(points(whole), WORDS, strict=True)}
    for axes in zooms:
        assert len(shown(axes)) >= 10
        assert sorted(shown(axes)) == sorted(places[tuple(point)] for point in points(axes))


def test_windows_lie_on_groups_of_near_vectors_and_apart(figure):
    for axes in figure.axes[1:]:
        assert len({word[:6] for word in shown(axes)}) == 1
    for one, other in itertools.combinations(figure.axes[1:], 2):
        assert not set(shown(one)) & set(shown(other))


def test_no_word_lies_over_another_or_over_the_edge(figure):
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes[1:]:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
        frame = axes.get_window_extent().padded(1)
        assert all(frame.contains(*box.p0) and frame.contains(*box.p1) for box in boxes)


def test_the_seed_decides_the_picture(figure):
    again = plot.embedding_map(VECTORS, WORDS, nearest=10, title="Words")
    np.testing.assert_array_equal(points(again.axes[0]), points(figure.axes[0]))
    assert plot.png(again) == plot.png(figure)


def test_windows_may_be_put_around_words():
    around = ["word 0.0", "word 3.1", "word 3.2"]
    zooms = plot.embedding_map(VECTORS, WORDS, around=around, nearest=4).axes[1:]
    for axes, word in zip(zooms, around, strict=True):
        assert word in shown(axes)
        assert len(shown(axes)) < MEMBERS


def test_few_words_have_windows_that_overlap():
    zooms = plot.embedding_map(VECTORS[:10], WORDS[:10], nearest=8).axes[1:]
    assert [len(shown(axes)) >= 8 for axes in zooms] == [True] * 3


@pytest.mark.parametrize(
    ("vectors", "words", "options", "message"),
    [
        (VECTORS, WORDS[:-1], {}, r"`vectors` must have a row .* vectors.shape=\(60, 8\)"),
        (VECTORS[0], WORDS, {}, r"`vectors` must have a row .* vectors.shape=\(8,\)"),
        (VECTORS[:9], WORDS[:9], {}, r"`words` must be at least 10.* len\(words\)=9"),
        (VECTORS * np.nan, WORDS, {}, r"`vectors` must be finite.*\.sum\(\)=0"),
        (VECTORS, WORDS, {"nearest": 1}, r"`nearest` must be from 2 to 60.* nearest=1"),
        (VECTORS, WORDS, {"nearest": 61}, r"`nearest` must be from 2 to 60.* nearest=61"),
        (VECTORS, WORDS, {"around": ["x"] * 3}, r"`around` must be three .* around=\['x'"),
        (VECTORS, WORDS, {"around": WORDS[:2]}, r"`around` must be three .* around=\['word"),
        (VECTORS, WORDS, {"perplexity": 0}, r"`perplexity` must be above 0.* perplexity=0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(vectors, words, options, message):
    with pytest.raises(ValueError, match=message):
        plot.embedding_map(vectors, words, **options)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(ImportError, match=r'need scikit-learn: pip install "seqnlp\[plot\]"'):
        plot.embedding_map(VECTORS, WORDS)
