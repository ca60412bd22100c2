"""Messages of errors, asserted whole."""

import re


def exactly(message):
    """The pattern of `pytest.raises(..., match=...)` that this message alone fulfils."""
    return f"^{re.escape(message)}$"
