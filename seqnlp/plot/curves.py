"""What became better, or not, while a model was trained."""

import matplotlib.figure


def curves(steps, panels, unit="Step"):
    """Values against the step, panels side by side.

    Args:
        steps: Sequence of the steps that values were noted at.
        panels: Dict from the title of a panel to a dict from the name of a line to its values,
            as many as steps.
        unit: What the steps are, under their axis.

    Returns:
        A matplotlib `Figure`.

    Raises:
        ValueError: If a line has more or fewer values than there are steps.
    """
    for lines in panels.values():
        for name, values in lines.items():
            if len(values) != len(steps):
                raise ValueError(
                    f"`panels` must have a value for each of {len(steps)} steps. "
                    f"Received: {name} with {len(values)}"
                )
    figure = matplotlib.figure.Figure(
        figsize=(4.2 * len(panels), 3.2), layout="constrained", dpi=120
    )
    for at, (title, lines) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), at + 1)
        for name, values in lines.items():
            axes.plot(steps, values, label=name, marker="." if len(steps) < 40 else None)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(unit)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure
