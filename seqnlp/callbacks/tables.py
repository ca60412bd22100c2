"""Text in TensorBoard's tables."""

import html


def plain(text):
    """Text that neither Markdown nor HTML takes for markup."""
    escaped = html.escape(text)
    return "".join(f"&#{ord(letter)};" if letter in "|*_`\\[]#" else letter for letter in escaped)
