"""The precision of a model is that of the scope it is made in."""

import keras
import pytest

from pipelines.precision import mixed_precision


@pytest.mark.parametrize(("wanted", "computed"), [(True, "bfloat16"), (False, "float32")])
def test_layers_of_the_scope_compute_in_what_is_wanted(wanted, computed):
    with mixed_precision(wanted):
        assert keras.layers.Dense(1).compute_dtype == computed


def test_an_error_within_leaves_the_policy_as_it_was():
    before = keras.config.dtype_policy()
    with pytest.raises(ZeroDivisionError), mixed_precision(True):
        raise ZeroDivisionError
    assert keras.config.dtype_policy() == before
