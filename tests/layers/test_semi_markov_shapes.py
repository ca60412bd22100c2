"""What the functions of the semi-Markov CRF say of arguments that do not fit."""

import re

import numpy as np
import pytest

from seqnlp.layers import (
    semi_markov_crf_decode,
    semi_markov_crf_log_likelihood,
    semi_markov_crf_log_norm,
    semi_markov_crf_marginals,
    semi_markov_crf_place_marginals,
)

GOOD = {
    "potentials": np.zeros((2, 4, 3), dtype="float32"),
    "labels": np.zeros((2, 4), dtype="int32"),
    "begins": np.ones((2, 4), dtype=bool),
    "mask": np.ones((2, 4), dtype=bool),
    "transitions": np.zeros((3, 3), dtype="float32"),
    "length_scores": np.zeros((3, 2), dtype="float32"),
    "start_transitions": np.zeros(3, dtype="float32"),
    "end_transitions": np.zeros(3, dtype="float32"),
}
AS_POTENTIALS = ", as `potentials` has shape (2, 4, 3). Received: "
WRONG = {
    "potentials": (
        (4, 3),
        "`potentials` must have shape (batch, time, labels), with a time of at least 1. "
        "Received: potentials.shape=(4, 3)",
    ),
    "potentials without time": (
        (2, 0, 3),
        "`potentials` must have shape (batch, time, labels), with a time of at least 1. "
        "Received: potentials.shape=(2, 0, 3)",
    ),
    "labels": (
        (2, 5),
        f"`labels` must have shape (batch, time) = (2, 4){AS_POTENTIALS}labels.shape=(2, 5)",
    ),
    "begins": (
        (2,),
        f"`begins` must have shape (batch, time) = (2, 4){AS_POTENTIALS}begins.shape=(2,)",
    ),
    "mask": (
        (1, 4),
        f"`mask` must have shape (batch, time) = (2, 4){AS_POTENTIALS}mask.shape=(1, 4)",
    ),
    "transitions": (
        (4, 3),
        f"`transitions` must have shape (labels, labels) = (3, 3){AS_POTENTIALS}"
        "transitions.shape=(4, 3)",
    ),
    "length_scores": (
        (2, 2),
        f"`length_scores` must have shape (labels, max_length) = (3, 2){AS_POTENTIALS}"
        "length_scores.shape=(2, 2)",
    ),
    "length_scores without a length": (
        (3, 0),
        "`length_scores` must have shape (labels, max_length), with a max_length of at least 1. "
        "Received: length_scores.shape=(3, 0)",
    ),
    "start_transitions": (
        (2,),
        f"`start_transitions` must have shape (labels,) = (3,){AS_POTENTIALS}"
        "start_transitions.shape=(2,)",
    ),
    "end_transitions": (
        (3, 1),
        f"`end_transitions` must have shape (labels,) = (3,){AS_POTENTIALS}"
        "end_transitions.shape=(3, 1)",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_argument_of_a_wrong_shape_is_named(wrong):
    shape, message = WRONG[wrong]
    arguments = {**GOOD, wrong.split(" ")[0]: np.zeros(shape, dtype="float32")}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        semi_markov_crf_log_likelihood(**arguments)


@pytest.mark.parametrize(
    "function",
    [
        semi_markov_crf_log_norm,
        semi_markov_crf_marginals,
        semi_markov_crf_place_marginals,
        semi_markov_crf_decode,
    ],
)
@pytest.mark.parametrize("name", ["mask", "transitions", "length_scores", "end_transitions"])
def test_every_function_looks_at_its_arguments(function, name):
    shape, message = WRONG[name]
    arguments = {**GOOD, name: np.zeros(shape, dtype="float32")}
    del arguments["labels"], arguments["begins"]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function(**arguments)


def test_names_an_id_that_is_no_label():
    labels = GOOD["labels"].copy()
    labels[1, 2] = 3
    message = "`labels` must be ids from 0 to 2 at real tokens. Received: labels[1, 2]=3"
    with pytest.raises(ValueError, match=re.escape(message)):
        semi_markov_crf_log_likelihood(**{**GOOD, "labels": labels})
