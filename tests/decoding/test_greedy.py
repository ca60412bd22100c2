"""Greedy search against a plain loop over the same model."""

import numpy as np
import pytest

from seqnlp.decoding import IMPOSSIBLE, Forbidden, ForcedPrefix, LexicalConstraints, greedy
from tests.decoding.toy import MODES, Search, Toy, assert_same, fast, numpy, read, refused, row


def search(toy, end_id, max_length, mode=fast, **options):
    def run(table):
        state = toy.initial_state(table)
        return greedy(toy.step, state, toy.start_ids, end_id, max_length, **options)

    return numpy(mode(run)(toy.table))


def as_beams(decoded, sentence):
    """A sentence's result with an axis for its one hypothesis."""
    return row(type(decoded)(*(None if x is None else x[:, None] for x in decoded)), sentence)


@pytest.mark.parametrize("mode", MODES)
def test_takes_the_best_token_at_each_step(mode):
    toy = Toy(6, batch=6, seed=15)
    found = search(toy, 4, 5, MODES[mode])
    assert found.token_ids.shape == (6, 5)
    assert found.token_ids.dtype == found.lengths.dtype == "int32"
    plain = Search(toy, 4, 5)
    for sentence in range(toy.batch):
        assert_same(as_beams(found, sentence), plain.best(sentence, 1), 4)
    assert {0, 5} < set(found.lengths.tolist())  # one stops at once, one never


def test_alignments_go_with_the_tokens():
    toy = Toy(6, batch=6, seed=15)
    found = search(toy, 4, 5)
    assert found.alignments.shape == (6, 5, toy.max_length)
    assert found.alignments.dtype == "float32"
    for sentence in range(toy.batch):
        tokens = read(found.token_ids[sentence], found.lengths[sentence], 4)
        np.testing.assert_array_equal(
            found.alignments[sentence], toy.alignment(sentence, tokens)[:5]
        )


def test_a_sentence_ends_where_the_rules_leave_no_token():
    toy = Toy(4, batch=2)
    rules = [ForcedPrefix([[1, 2], [1]]), Forbidden([2])]
    found = search(toy, 3, 4, rules=rules)
    np.testing.assert_array_equal(found.token_ids[0], [1, 0, 0, 0])
    assert found.lengths[0] == 1
    assert found.scores[0] == IMPOSSIBLE
    assert found.scores[1] > -100
    assert not found.alignments[0, 1:].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 0}, "`max_length` must be at least 1. Received: max_length=0"),
        ({"end_id": -1}, "`end_id` must be at least 0. Received: end_id=-1"),
        ({"end_id": 4}, "`end_id` must be an id of the vocabulary of 4. Received: end_id=4"),
        (
            {"start_ids": 1},
            "`start_ids` must have the shape `(batch,)`. Received: start_ids with shape ()",
        ),
        (
            {"rules": [LexicalConstraints([[[1]]] * 3)]},
            "`rules` must be such that one hypothesis can keep them; `beam_search` takes this "
            "one. Received: rules with LexicalConstraints",
        ),
    ],
)
def test_refuses(options, message):
    toy = Toy(4)
    arguments = {"start_ids": toy.start_ids, "end_id": 1, "max_length": 2, **options}
    with refused(message):
        greedy(toy.step, toy.initial_state(), **arguments)
