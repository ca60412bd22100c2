"""Beam search against all outputs, against a plain beam search, and against greedy search."""

import numpy as np
import pytest
from keras import ops

from seqnlp.decoding import IMPOSSIBLE, Forbidden, beam_search, greedy
from seqnlp.decoding.states import beam_rows, take_rows
from tests.decoding.toy import (
    JAX,
    MODES,
    STARTS,
    Search,
    Toy,
    assert_same,
    best_of_all,
    fast,
    gnmt,
    numpy,
    outputs,
    read,
    refused,
    row,
    run,
)


def search(toy, end_id, max_length, mode=fast, **options):
    def decode(table):
        state = toy.initial_state(table)
        return beam_search(toy.step, state, toy.start_ids, end_id, max_length, **options)

    return numpy(mode(decode)(toy.table))


@pytest.mark.parametrize(("end_id", "penalty"), [(0, 0.0), (1, 0.8), (2, 0.0), (2, 2.5)])
def test_a_beam_wide_enough_finds_the_best_of_all_outputs(end_id, penalty):
    toy = Toy(3, seed=end_id)
    found = search(toy, end_id, 4, beam_width=3**4, length_penalty=penalty)
    assert found.token_ids.shape == (3, 81, 4)
    for sentence in range(toy.batch):
        expected = best_of_all(toy, sentence, end_id, 4, gnmt(penalty))
        assert len(expected) == 31
        assert_same(row(found, sentence), expected, end_id)


@pytest.mark.parametrize(("width", "penalty"), [(1, 1.0), (2, 0.0), (2, 1.0), (5, 1.0)])
def test_a_narrow_beam_equals_a_plain_beam_search(width, penalty):
    toy = Toy(6, batch=5, seed=1)
    found = search(toy, 4, 7, beam_width=width, length_penalty=penalty)
    plain = Search(toy, 4, 7, gnmt(penalty))
    for sentence in range(toy.batch):
        assert_same(row(found, sentence), plain.best(sentence, width), 4)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_finds_the_same(mode):
    toy = Toy(5, batch=2, seed=2)
    found = search(toy, 4, 4, MODES[mode], beam_width=3, length_penalty=0.6)
    plain = Search(toy, 4, 4, gnmt(0.6))
    for sentence in range(toy.batch):
        assert_same(row(found, sentence), plain.best(sentence, 3), 4)


def test_a_beam_of_one_is_greedy():
    toy = Toy(6, batch=8, seed=3)
    found = search(toy, 2, 6, beam_width=1)
    expected = numpy(
        fast(lambda t: greedy(toy.step, toy.initial_state(t), toy.start_ids, 2, 6))(toy.table)
    )
    np.testing.assert_array_equal(found.token_ids[:, 0], expected.token_ids)
    np.testing.assert_array_equal(found.lengths[:, 0], expected.lengths)
    np.testing.assert_allclose(found.scores[:, 0], expected.scores, rtol=1e-5)
    np.testing.assert_array_equal(found.alignments[:, 0], expected.alignments)


def test_scores_are_what_the_model_gives_the_tokens_on_another_run():
    toy = Toy(6, batch=4, seed=4)
    found = search(toy, 1, 6, beam_width=4)
    state = take_rows(toy.initial_state(), beam_rows(toy.start_ids, 4))
    last, scores = np.repeat(toy.start_ids, 4), np.zeros(16)
    for step in range(6):
        logits, state = toy.step(last, state)
        last = found.token_ids[..., step].reshape(-1)
        gains = ops.convert_to_numpy(ops.log_softmax(logits))[np.arange(16), last]
        scores += np.where(step <= found.lengths.reshape(-1), gains, 0)
    np.testing.assert_allclose(found.scores.reshape(-1), scores, rtol=1e-5)


def test_alignments_are_those_of_the_same_hypothesis():
    toy = Toy(4, batch=4, seed=5, max_length=7)
    found = search(toy, 3, 7, beam_width=6, length_penalty=1.0)
    assert found.alignments.shape == (4, 6, 7, 7)
    assert found.alignments.dtype == "float32"
    different = set()
    for sentence, beam in np.ndindex(4, 6):
        tokens = read(found.token_ids[sentence, beam], found.lengths[sentence, beam], 3)
        expected = toy.alignment(sentence, tokens)
        np.testing.assert_array_equal(found.alignments[sentence, beam], expected)
        different.add(tokens[:1])
    assert len(different) > 1  # the histories part early, so a wrong parent would show


def test_a_state_without_alignment_gives_none():
    toy = Toy(4)
    state = toy.initial_state()
    del state["alignment"]

    def step(token_ids, state):
        logits, new = toy.step(token_ids, state)
        del new["alignment"]
        return logits, new

    found = run(beam_search, step, state, toy.start_ids, 3, 2, beam_width=2)
    assert found.alignments is None
    assert found.met is None


def certain(probabilities):
    """A step that gives the same `(vocabulary,)` probabilities always, without a state."""
    logits = np.log(np.asarray(probabilities, dtype="float32"))

    def step(token_ids, state):
        zeros = ops.zeros_like(token_ids, dtype="float32")[:, None]
        return zeros + logits, state

    return step


def test_a_finished_hypothesis_is_never_extended():
    # Ending at once has probability 0.7; any longer output has at most 0.3.
    found = run(beam_search, certain([0.1, 0.2, 0.7]), {}, [0], 2, 6, beam_width=3)
    found = row(found, 0)
    np.testing.assert_array_equal(
        found.token_ids, [[2, 0, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0]]
    )
    np.testing.assert_allclose(np.exp(found.scores), [0.7, 0.14, 0.07], rtol=1e-5)


def test_the_length_penalty_may_put_the_end_id_behind_a_less_probable_token():
    # By log probability alone the end id comes first and a beam of one stops; with the penalty
    # log 0.4 / 1 for token 1 is better than log 0.41 / (5 / 6) for the empty output.
    step = certain([0.19, 0.4, 0.41])
    found = [
        run(beam_search, step, {}, [0], 2, 2, beam_width=1, length_penalty=penalty)
        for penalty in (0.0, 1.0)
    ]
    np.testing.assert_array_equal(found[0].token_ids, [[[2, 0]]])
    np.testing.assert_array_equal(found[1].token_ids, [[[1, 1]]])
    expected = 2 * np.log(0.4) / (7 / 6)
    np.testing.assert_allclose(found[1].scores, [[expected]], rtol=1e-5)


def test_the_loop_stops_when_all_hypotheses_are_finished():
    steps = []

    def step(token_ids, state):
        logits, _ = certain([0.05, 0.05, 0.9])(token_ids, None)
        return logits, {"position": state["position"] + 1}

    def counted(token_ids, state):
        steps.append(None)
        return step(token_ids, state)

    state = {"position": ops.convert_to_tensor(0)}
    found = run(beam_search, counted, state, [0, 0], 2, 50, beam_width=2)
    np.testing.assert_array_equal(found.lengths, [[0, 1]] * 2)
    # JAX traces the loop's body; where it runs op by op, it ran twice.
    assert JAX or len(steps) == 2


def test_a_beam_wider_than_the_number_of_outputs_has_impossible_hypotheses_at_its_end():
    toy = Toy(2)
    found = search(toy, 1, 2, beam_width=7)
    for sentence in range(toy.batch):
        expected = best_of_all(toy, sentence, 1, 2)
        assert len(expected) == len(list(outputs(2, 1, 2))) == 3
        assert_same(row(found, sentence), expected, 1)
    assert (found.scores[:, 3:] == IMPOSSIBLE).all()
    assert not found.alignments[:, 3:].any()


def test_a_sentence_that_the_rules_leave_nothing_is_impossible():
    toy = Toy(3)
    found = search(toy, 2, 3, beam_width=2, rules=[Forbidden([0, 1, 2])])
    assert (found.scores == IMPOSSIBLE).all()
    assert not found.token_ids.any()
    assert not found.lengths.any()


def test_the_rest_of_the_batch_changes_nothing():
    toy = Toy(5, batch=3, seed=6)
    together = search(toy, 4, 6, beam_width=3)
    alone = Toy(5, batch=1, seed=6)
    alone.table, alone.start_ids = toy.table[1:2], toy.start_ids[1:2]
    alone = search(alone, 4, 6, beam_width=3)
    np.testing.assert_array_equal(together.token_ids[1], alone.token_ids[0])
    np.testing.assert_allclose(together.scores[1], alone.scores[0], rtol=1e-5)


def coverage_step(probabilities, alignments):
    """As `certain`, but attends to the source as `alignments (vocabulary, source)` say."""
    logits = np.log(np.asarray(probabilities, dtype="float32"))

    def step(token_ids, state):
        del state
        alignment = ops.take(np.asarray(alignments, dtype="float32"), token_ids, axis=0)
        return ops.zeros_like(alignment[:, :1]) + logits, {"alignment": alignment}

    return step


@pytest.mark.parametrize(
    ("masked", "weight", "exponent"), [(False, 2.0, 0.0), (True, 0.3, 1.0), (True, 2.0, 1.0)]
)
def test_the_coverage_penalty_equals_the_paper_s(masked, weight, exponent):
    alignments = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [1.0, 0.0, 0.0]])
    probabilities = np.array([0.3, 0.2, 0.25, 0.25])
    mask = np.array([[True, True, not masked], [True, True, True]])
    state = {"alignment": np.zeros((2, 3), dtype="float32")}
    start_ids = [0, 2]
    options = {"length_penalty": exponent, "coverage_penalty": weight, "beam_width": 4**3}
    found = run(
        beam_search,
        coverage_step(probabilities, alignments), state, start_ids, 3, 3, **options,
        source_mask=mask if masked else None,
    )  # fmt: skip
    for sentence, start in enumerate(start_ids):
        expected = {}
        for tokens in outputs(4, 3, 3):
            attention = sum(alignments[token] for token in (start, *tokens[:-1]))
            covered = np.log(np.minimum(attention, 1.0))[mask[sentence]].sum()
            length = len(tokens) - (tokens[-1] == 3)
            score = np.log(probabilities[list(tokens)]).sum() / ((5 + length) / 6) ** exponent
            expected[tokens] = score + weight * covered
        number = len(expected)
        for beam in range(number):
            tokens = read(found.token_ids[sentence, beam], found.lengths[sentence, beam], 3)
            actual = found.scores[sentence, beam]
            np.testing.assert_allclose(actual, expected.pop(tokens), rtol=1e-4)
        assert (np.diff(found.scores[sentence, :number]) <= 1e-5).all()
        assert (found.scores[sentence, number:] == IMPOSSIBLE).all()


def test_a_source_token_without_attention_counts_as_covered_by_a_billionth():
    state = {"alignment": np.zeros((1, 2), dtype="float32")}
    step = coverage_step([0.5, 0.5], [[1.0, 0.0], [1.0, 0.0]])
    found = run(beam_search, step, state, [0], 1, 1, beam_width=1, coverage_penalty=1.0)
    np.testing.assert_allclose(found.scores, [[np.log(0.5) + np.log(1e-9)]], rtol=1e-5)


def call(toy=None, start_ids=None, end_id=1, max_length=2, **options):
    toy = toy or Toy(3)
    start_ids = toy.start_ids if start_ids is None else start_ids
    return beam_search(toy.step, toy.initial_state(), start_ids, end_id, max_length, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 0}, "`max_length` must be at least 1. Received: max_length=0"),
        ({"beam_width": 0}, "`beam_width` must be at least 1. Received: beam_width=0"),
        ({"end_id": -1}, "`end_id` must be at least 0. Received: end_id=-1"),
        ({"end_id": 3}, "`end_id` must be an id of the vocabulary of 3. Received: end_id=3"),
        (
            {"length_penalty": -0.1},
            "`length_penalty` must be at least 0. Received: length_penalty=-0.1",
        ),
        (
            {"coverage_penalty": -0.1},
            "`coverage_penalty` must be at least 0. Received: coverage_penalty=-0.1",
        ),
        (
            {"start_ids": np.zeros((3, 1), dtype="int32")},
            "`start_ids` must have the shape `(batch,)`. Received: start_ids with shape (3, 1)",
        ),
    ],
)
def test_refuses(options, message):
    with refused(message):
        call(**options)


def test_refuses_a_coverage_penalty_without_alignments():
    with refused(
        '`coverage_penalty` must be 0 for a state without "alignment". '
        "Received: coverage_penalty=0.5"
    ):
        beam_search(certain([0.5, 0.5]), {}, [0], 1, 2, coverage_penalty=0.5)


@pytest.mark.parametrize("shape", [(8,), (3, 8, 1), (2, 8), (1, 8), (3, 7), (3, 1)])
def test_refuses_a_source_mask_of_another_shape(shape):
    with refused(
        "`source_mask` must have the shape `(batch, source)`, as `start_ids` and the alignment in "
        f"`state` have it, here (3, 8). Received: source_mask with shape {shape}"
    ):
        call(source_mask=np.ones(shape, dtype=bool), coverage_penalty=0.5)


def test_without_alignments_a_source_mask_may_have_any_width():
    options = {"beam_width": 1, "source_mask": np.ones((1, 5), dtype=bool)}
    found = run(beam_search, certain([0.3, 0.7]), {}, [0], 1, 2, **options)
    assert found.token_ids[0, 0].tolist() == [1, 0]
    with refused(
        "`source_mask` must have the shape `(batch, source)`, as `start_ids` and the alignment in "
        "`state` have it, here (1, None). Received: source_mask with shape (2, 5)"
    ):
        beam_search(certain([0.3, 0.7]), {}, [0], 1, 2, source_mask=np.ones((2, 5), dtype=bool))


def test_start_ids_of_sentences_differ():
    assert set(Toy(3).start_ids) == set(range(STARTS))
