import numpy as np
import pytest

from seqnlp import plot

TAGS = ["O", "B-a", "I-a"]
SCORES = np.array([[1.0, -2, -1e9], [0.5, 0, 3], [0, 0.25, 1]])


def texts(figure):
    return sorted(text.get_text() for text in figure.axes[0].texts)


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_transitions_draws_a_cell_for_each_pair_and_none_for_forbidden_ones():
    figure = plot.transitions(SCORES, TAGS)
    axes = figure.axes[0]
    (image,) = axes.images
    assert image.get_array().shape == (3, 3)
    assert image.get_array().mask.tolist() == [[False, False, True], [False] * 3, [False] * 3]
    assert labels(axes.xaxis) == labels(axes.yaxis) == TAGS
    assert texts(figure) == sorted(["1.0", "-2.0", "0.5", "3.0", "0.2", "1.0"])


def test_transitions_of_both_signs_are_coloured_around_zero():
    (image,) = plot.transitions(SCORES, TAGS).axes[0].images
    assert image.get_clim() == (-3, 3)


def test_transitions_with_boundaries_have_one_row_and_column_more():
    bordered = np.block([[SCORES, np.ones((3, 1))], [np.ones((1, 3)), np.full((1, 1), np.nan)]])
    axes = plot.transitions(bordered, TAGS).axes[0]
    assert labels(axes.xaxis) == [*TAGS, "(end)"]
    assert labels(axes.yaxis) == [*TAGS, "(start)"]


def test_transitions_may_all_be_forbidden():
    assert plot.png(plot.transitions(np.full((3, 3), -1e9), TAGS))[:4] == b"\x89PNG"


def test_confusion_is_coloured_by_the_share_of_the_row_and_writes_counts():
    figure = plot.confusion([[3, 1, 0], [0, 0, 0], [0, 0, 2]], TAGS)
    (image,) = figure.axes[0].images
    expected = [[0.75, 0.25, 0], [0, 0, 0], [0, 0, 1]]
    np.testing.assert_allclose(image.get_array(), expected)
    assert texts(figure) == ["1", "2", "3"]


@pytest.mark.parametrize(("tags", "inches"), [(3, 4.0), (20, 11.0)])
def test_figures_grow_with_the_number_of_tags(tags, inches):
    names = [str(tag) for tag in range(tags)]
    figure = plot.confusion(np.eye(tags, dtype=int), names)
    assert figure.get_size_inches().tolist() == [inches + 1, inches]


def test_many_tags_are_drawn_without_numbers():
    figure = plot.confusion(np.eye(41, dtype=int), [str(tag) for tag in range(41)])
    assert texts(figure) == []


def test_transitions_refuses_scores_of_another_size():
    with pytest.raises(ValueError, match=r"`scores` must have .* scores.shape=\(5, 5\)"):
        plot.transitions(np.zeros((5, 5)), TAGS)


def test_confusion_refuses_counts_of_another_size():
    with pytest.raises(ValueError, match=r"`counts` must have .* counts.shape=\(3, 2\)"):
        plot.confusion(np.zeros((3, 2), dtype=int), TAGS)
