"""Normalisation of strings in the TensorFlow graph."""

import tensorflow as tf

FORMS = (None, "nfc", "nfkc")
# All of Unicode: RE2 takes its ranges at their word, so that no other bytes match.
_VALID = r"[\x00-\x{D7FF}\x{E000}-\x{10FFFF}]*"


class Normalizer(tf.Module):
    """Maps strings that should count as equal to one string.

    The steps, in this order: invalid UTF-8 becomes U+FFFD, the Unicode normal form, lower
    case, digits.

    Args:
        form: `"nfc"`, `"nfkc"` or None. The forms need tensorflow-text.
        lowercase: Whether letters of every script are lower-cased.
        digits: Whether every decimal digit of every script becomes `0`.

    Call arguments:
        strings: String Tensor or RaggedTensor of any shape.

    Returns:
        Strings of the same shape, valid UTF-8.

    Raises:
        ImportError: A form is asked for and tensorflow-text is not installed.
    """

    def __init__(self, form="nfc", lowercase=False, digits=False):
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"`form` must be one of {FORMS}. Received: form={form!r}")
        self.form = form
        self.lowercase = lowercase
        self.digits = digits

    def __call__(self, strings):
        """Normalises `strings`, a string Tensor or RaggedTensor of any shape."""
        return on_flat_values(self._normalize, strings)

    def get_config(self):
        """The constructor's arguments, as JSON can hold them."""
        return {"form": self.form, "lowercase": self.lowercase, "digits": self.digits}

    @classmethod
    def from_config(cls, config):
        """The normalizer that `get_config` describes."""
        return cls(**config)

    def _normalize(self, strings):
        strings = valid_utf8(strings)
        if self.form is not None:
            strings = _normal_form(strings, self.form)
        if self.lowercase:
            strings = tf.strings.lower(strings, encoding="utf-8")
        if self.digits:
            strings = tf.strings.regex_replace(strings, r"\p{Nd}", "0")
        return strings


def valid_utf8(strings):
    """Puts U+FFFD in the place of whatever is not UTF-8.

    One U+FFFD stands for each maximal part of a broken character, as in Python's
    `bytes.decode(errors="replace")`.

    Args:
        strings: String Tensor or RaggedTensor of any shape.

    Returns:
        Strings of the same shape; those that were valid are unchanged.
    """
    return on_flat_values(_valid, strings)


def _valid(flat):
    # To see that nothing has to be put right takes an eighth of the time of doing it.
    return tf.cond(
        tf.reduce_all(tf.strings.regex_full_match(flat, _VALID)),
        lambda: flat,
        lambda: tf.strings.unicode_transcode(flat, "UTF-8", "UTF-8", errors="replace"),
    )


def on_flat_values(function, strings):
    """Applies an elementwise `function` to a string Tensor or RaggedTensor of any shape."""
    if isinstance(strings, tf.RaggedTensor):
        return tf.ragged.map_flat_values(function, strings)
    return function(tf.convert_to_tensor(strings, tf.string))


def _normal_form(strings, form):
    try:
        import tensorflow_text
    except ImportError as error:
        raise ImportError(
            f"Normalizer(form={form!r}) needs tensorflow-text: "
            'pip install "seqnlp[tensorflow]", or use form=None.'
        ) from error
    return tensorflow_text.normalize_utf8(strings, form.upper())
