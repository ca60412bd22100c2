import pytest

from seqnlp import plot

PANELS = {
    "loss": {"training": [3.0, 2.0, 1.5], "held out": [3.5, 2.5, 2.0]},
    "accuracy": {"training": [0.1, 0.2, 0.3]},
}


def test_each_panel_draws_its_lines_against_the_step():
    figure = plot.curves([10, 20, 30], PANELS)
    assert [axes.get_title() for axes in figure.axes] == list(PANELS)
    for axes, lines in zip(figure.axes, PANELS.values(), strict=True):
        drawn = {line.get_label(): line for line in axes.lines}
        assert {name: line.get_ydata().tolist() for name, line in drawn.items()} == lines
        assert all(line.get_xdata().tolist() == [10, 20, 30] for line in drawn.values())
        assert [text.get_text() for text in axes.get_legend().get_texts()] == list(lines)


def test_the_axis_says_what_the_steps_are():
    assert plot.curves([1], {"a": {"b": [0]}}).axes[0].get_xlabel() == "Step"
    assert plot.curves([1], {"a": {"b": [0]}}, unit="Epoch").axes[0].get_xlabel() == "Epoch"


@pytest.mark.parametrize(("number", "marker"), [(39, "."), (40, "None")])
def test_few_values_are_marked(number, marker):
    (line,) = plot.curves(range(number), {"a": {"b": [0] * number}}).axes[0].lines
    assert str(line.get_marker()) == marker


def test_a_line_of_another_length_is_refused():
    message = "`panels` must have a value for each of 2 steps. Received: training with 3"
    with pytest.raises(ValueError, match=f"^{message}$"):
        plot.curves([1, 2], PANELS)
