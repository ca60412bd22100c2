"""Pictures as files."""

import io


def png(figure):
    """A figure as the `bytes` of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
