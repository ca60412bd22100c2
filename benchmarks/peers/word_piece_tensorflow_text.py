"""TensorFlow Text's FastBertTokenizer by itself, which takes text in UTF-8."""

import tensorflow as tf
import tensorflow_text

from benchmarks.timing import main
from benchmarks.word_piece import cases, corpus, vocabulary


def fast():
    """The tokenizer's function."""
    tokenizer = tensorflow_text.FastBertTokenizer(
        vocabulary(corpus()),
        token_out_type=tf.int32,
        unknown_token="[UNK]",
        lower_case_nfd_strip_accents=True,
    )
    return tokenizer.tokenize


if __name__ == "__main__":
    main(cases(corpus(), fast), ("tensorflow-text",))
