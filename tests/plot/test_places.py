import pytest

from seqnlp import plot
from tests.messages import exactly


def test_every_piece_has_a_bar_of_each_colour():
    pieces = [f"p{at}" for at in range(30)]
    chances = {"start": [0.1] * 30, "end": [0.2] * 30}
    figure = plot.places(pieces, chances, "Who?", marked=[3, 25])
    bars = [patch for axes in figure.axes for patch in axes.patches]
    assert len(bars) == 2 * 30 + 2
    labels = [label.get_text() for axes in figure.axes for label in axes.get_xticklabels()]
    assert labels == pieces
    assert plot.png(figure).startswith(b"\x89PNG")


def test_no_pieces_are_a_picture_too():
    assert plot.png(plot.places([], {"start": []})).startswith(b"\x89PNG")


def test_a_probability_too_few_is_refused():
    message = "`probabilities` must have a value for each of 2 pieces. Received: end with 1"
    with pytest.raises(ValueError, match=exactly(message)):
        plot.places(["a", "b"], {"end": [0.5]})
