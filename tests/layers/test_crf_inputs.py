"""Bad input to the functions of the CRF: whole messages, eagerly and in compiled functions."""

import numpy as np
import pytest
from keras import ops

from seqnlp import gradients
from seqnlp.layers import (
    CRF,
    TokenSoftmax,
    crf_decode,
    crf_entropy,
    crf_k_best,
    crf_log_likelihood,
    crf_log_norm,
    crf_marginals,
    crf_partial_log_likelihood,
    crf_sample,
    crf_sequence_score,
    crf_tag_log_probabilities,
)
from tests.layers.crf_enumeration import numpy, refused

BATCH, TIME, TAGS = 2, 4, 3
GOOD = {
    "potentials": np.zeros((BATCH, TIME, TAGS), "float32"),
    "tags": np.zeros((BATCH, TIME), "int32"),
    "mask": np.array([[1, 1, 1, 1], [1, 1, 0, 0]], dtype=bool),
    "transitions": np.zeros((TAGS, TAGS), "float32"),
    "start_transitions": np.zeros(TAGS, "float32"),
    "end_transitions": np.zeros(TAGS, "float32"),
    "allowed": np.ones((BATCH, TIME, TAGS), dtype=bool),
}
TAKES_TAGS = (crf_sequence_score, crf_log_likelihood, crf_tag_log_probabilities)
TAKES_ALLOWED = (
    crf_log_norm,
    crf_partial_log_likelihood,
    crf_marginals,
    crf_decode,
    crf_k_best,
    crf_sample,
    crf_entropy,
)
BAD_SHAPES = [
    ("mask", (BATCH, TIME + 1), "(batch, time) = (2, 4)"),
    ("mask", (BATCH, TIME, 1), "(batch, time) = (2, 4)"),
    ("mask", (TIME,), "(batch, time) = (2, 4)"),
    ("transitions", (TAGS, TAGS + 1), "(tags, tags) = (3, 3)"),
    ("transitions", (TAGS,), "(tags, tags) = (3, 3)"),
    ("start_transitions", (TAGS + 1,), "(tags,) = (3,)"),
    ("start_transitions", (1, TAGS), "(tags,) = (3,)"),
    ("end_transitions", (TAGS - 1,), "(tags,) = (3,)"),
]
BAD_TAGS = [
    ("tags", (BATCH, TIME - 1), "(batch, time) = (2, 4)"),
    ("tags", (BATCH, TIME, TAGS), "(batch, time) = (2, 4)"),
    ("tags", (BATCH + 1, TIME), "(batch, time) = (2, 4)"),
]
BAD_ALLOWED = [
    ("allowed", (BATCH, TIME), "(batch, time, tags) = (2, 4, 3)"),
    ("allowed", (BATCH, TIME, TAGS + 1), "(batch, time, tags) = (2, 4, 3)"),
    ("allowed", (1, TIME, TAGS), "(batch, time, tags) = (2, 4, 3)"),
]


def call(function, **changed):
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    arguments = {name: value for name, value in {**GOOD, **changed}.items() if name in names}
    return function(**arguments)


def cases():
    for function in TAKES_TAGS + TAKES_ALLOWED:
        own = BAD_TAGS if function in TAKES_TAGS else BAD_ALLOWED
        for name, shape, expected in BAD_SHAPES + own:
            yield pytest.param(function, name, shape, expected, id=f"{function.__name__}-{name}")


@pytest.mark.parametrize(("function", "name", "shape", "expected"), list(cases()))
def test_every_argument_of_a_wrong_shape_is_named(function, name, shape, expected):
    with refused(
        f"`{name}` must have shape {expected}, as `potentials` has shape (2, 4, 3). "
        f"Received: {name}.shape={shape}"
    ):
        call(function, **{name: np.ones(shape, GOOD[name].dtype)})


@pytest.mark.parametrize("function", TAKES_TAGS + TAKES_ALLOWED)
@pytest.mark.parametrize("shape", [(4, 3), (2, 1, 4, 3), (2, 0, 3)])
def test_potentials_of_a_wrong_shape_are_refused(function, shape):
    with refused(
        "`potentials` must have shape (batch, time, tags), with a time of at least 1. "
        f"Received: potentials.shape={shape}"
    ):
        call(function, potentials=np.zeros(shape, "float32"))


def test_a_wrong_shape_is_also_named_while_a_function_is_traced():
    def log_norm(potentials, mask, transitions):
        return crf_log_norm(potentials, mask, transitions)

    arguments = GOOD["potentials"], np.ones((2, 5), bool), GOOD["transitions"]
    with pytest.raises(ValueError, match=r"`mask` must have shape \(batch, time\) = \(2, 4\)"):
        gradients.compiled(log_norm)(*arguments)


@pytest.mark.parametrize("wrong", [-1, 3])
@pytest.mark.parametrize("function", TAKES_TAGS)
def test_a_tag_out_of_range_is_named_with_its_place(function, wrong):
    tags = GOOD["tags"].copy()
    tags[1, 3] = 9  # at padding, where anything may stand
    tags[1, 1] = wrong
    with refused(f"`tags` must be ids from 0 to 2 at real tokens. Received: tags[1, 1]={wrong}"):
        call(function, tags=tags)


def test_a_tag_out_of_range_is_impossible_where_it_cannot_be_read():
    tags = GOOD["tags"].copy()
    tags[1] = [0, 7, 9, -1]
    rest = (GOOD["mask"], GOOD["transitions"])
    scores = gradients.compiled(crf_sequence_score)(GOOD["potentials"], tags, *rest)
    assert [float(score) for score in scores] == [0, -1e9]


@pytest.mark.parametrize("function", TAKES_ALLOWED)
def test_a_real_token_with_nothing_allowed_is_named_with_its_place(function):
    allowed = GOOD["allowed"].copy()
    allowed[1, 3] = False  # at padding, where anything may stand
    allowed[1, 1] = False
    with refused(
        "`allowed` must leave at least one tag at every real token. "
        "Received: allowed[1, 1]=[False, False, False]"
    ):
        call(function, allowed=allowed)


def test_without_a_mask_every_token_is_real():
    allowed = GOOD["allowed"].copy()
    allowed[1, 3] = False
    with refused(
        "`allowed` must leave at least one tag at every real token. "
        "Received: allowed[1, 3]=[False, False, False]"
    ):
        call(crf_log_norm, allowed=allowed, mask=None)


# Tag 0 may not follow itself, no sentence begins with tag 1 or ends with tag 0.
TRANSITIONS = np.ones((TAGS + 1, TAGS + 1), dtype=bool)
TRANSITIONS[0, 0] = TRANSITIONS[-1, 1] = TRANSITIONS[0, -1] = False
HOLES = np.array([[1, 1, 1, 1], [0, 1, 0, 1]], dtype=bool)
LEGAL = np.array([[0, 1, 1, 2], [1, 0, 1, 2]])  # in the second row 0, then 2


@pytest.fixture(scope="module")
def head():
    head = CRF(TAGS, TRANSITIONS)
    head.build((BATCH, TIME, TAGS))
    return head


def loss(head, labels, mask=HOLES):
    return head.negative_log_likelihood(labels, {"potentials": GOOD["potentials"], "mask": mask})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1, 0, 1, 2], "labels[0, 0]=1, which may not come first"),
        ([2, 0, 0, 2], "labels[0, 2]=0, which may not follow what comes before it"),
        ([2, 0, 1, 0], "labels[0, 3]=0, which may not come last"),
    ],
)
def test_a_label_that_the_constraint_forbids_is_named_with_its_place(row, reason, head):
    with refused(f"`labels` must keep to `allowed_transitions`. Received: {reason}"):
        loss(head, np.array([row, LEGAL[1]]))


def test_neighbours_on_both_sides_of_a_hole_follow_each_other(head):
    with refused(
        "`labels` must keep to `allowed_transitions`. "
        "Received: labels[1, 3]=0, which may not follow what comes before it"
    ):
        loss(head, np.array([LEGAL[0], [1, 0, 1, 0]]))


def test_partial_labels_without_an_allowed_path_are_named(head):
    labels = np.ones((BATCH, TIME, TAGS), dtype=bool)
    labels[1, 1] = labels[1, 3] = [True, False, False]
    with refused(
        "`labels` must keep to `allowed_transitions`. Received: labels[1, 3]="
        "[True, False, False], which may not follow what comes before it"
    ):
        loss(head, labels)


@pytest.mark.parametrize("crf", [True, False], ids=["CRF", "TokenSoftmax"])
def test_a_partial_label_with_nothing_allowed_is_named(crf, head):
    labels = np.ones((BATCH, TIME, TAGS), dtype=bool)
    labels[1, 2:] = False
    with refused(
        "`labels` must leave at least one tag at every real token. "
        "Received: labels[1, 3]=[False, False, False]"
    ):
        loss(head if crf else TokenSoftmax(TAGS), labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            np.zeros((2, 5), "int32"),
            "`labels` must have shape (batch, time) = (2, 4), as `potentials` has shape "
            "(2, 4, 3). Received: labels.shape=(2, 5)",
        ),
        (
            np.ones((2, 4, 4), bool),
            "`labels` must have shape (batch, time, tags) = (2, 4, 3), as `potentials` has shape "
            "(2, 4, 3). Received: labels.shape=(2, 4, 4)",
        ),
        (
            np.array([[0, 1, 1, 2], [0, 5, 0, 2]]),
            "`labels` must be ids from 0 to 2 at real tokens. Received: labels[1, 1]=5",
        ),
    ],
)
def test_labels_that_do_not_fit_the_potentials_are_named(labels, message, head):
    with refused(message):
        loss(head, labels)


def partial_of(labels):
    return np.arange(TAGS) == labels[..., None]


@pytest.mark.parametrize("form", [np.asarray, partial_of], ids=["int", "partial"])
@pytest.mark.parametrize("row", [[1, 0, 1, 2], [2, 0, 0, 2], [2, 0, 1, 0]])
def test_compiled_a_forbidden_label_costs_a_fortune_with_a_finite_gradient(row, form, head):
    labels = np.array([row, LEGAL[1]])

    def losses(potentials, labels, mask):
        outputs = {"potentials": potentials, "mask": mask}
        return head.negative_log_likelihood(labels, outputs)

    def total(potentials, labels, mask):
        return ops.sum(losses(potentials, labels, mask))

    arguments = GOOD["potentials"], form(labels), HOLES
    forbidden, legal = numpy(gradients.compiled(losses)(*arguments))
    assert forbidden > 9e8
    assert 0 < legal < 10
    gradient = numpy(gradients.compiled(gradients.gradient(total))(*arguments))
    assert np.isfinite(gradient).all()
    assert gradient[1].any()
