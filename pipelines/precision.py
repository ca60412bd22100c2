"""The numbers that a model computes with."""

import contextlib

import keras


@contextlib.contextmanager
def mixed_precision(wanted):
    """The scope in which to make a model that computes in bfloat16, if `wanted`."""
    before = keras.config.dtype_policy()
    if wanted:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
