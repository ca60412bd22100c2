"""Text in TensorBoard's tables."""

_MARKUP = "&<>|*_`\\[]#"


def plain(text):
    """Text that neither Markdown nor HTML takes for markup."""
    return "".join(f"&#{ord(letter)};" if letter in _MARKUP else letter for letter in text)
