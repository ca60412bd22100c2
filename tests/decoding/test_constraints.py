"""Phrases that must come, against plain Python and against all outputs."""

import numpy as np
import pytest
from keras import ops

from seqnlp.decoding import (
    IMPOSSIBLE,
    Forbidden,
    ForcedPrefix,
    LexicalConstraints,
    beam_search,
)
from seqnlp.decoding.constraints import Phrases, allocated, hopeful, ranked
from seqnlp.decoding.rules import padded
from tests.decoding.toy import (
    JAX,
    MODES,
    Search,
    Toy,
    assert_same,
    best_of_all,
    fast,
    gnmt,
    numpy,
    read,
    refused,
    row,
    run,
)

END = 3


def search(toy, max_length, phrases, mode=fast, rules=(), **options):
    rules = [LexicalConstraints(phrases), *rules]

    def decode(table):
        state = toy.initial_state(table)
        start_ids = toy.start_ids
        return beam_search(toy.step, state, start_ids, END, max_length, rules=rules, **options)

    return numpy(mode(decode)(toy.table))


def holds(tokens, phrase):
    size = len(phrase)
    return any(tuple(phrase) == tokens[at : at + size] for at in range(len(tokens) - size + 1))


def hypotheses(found, sentence):
    """`(tokens, score, met)` of those that are possible."""
    found = row(found, sentence)
    return [
        (read(found.token_ids[at], found.lengths[at], END), found.scores[at], found.met[at])
        for at in range(len(found.scores))
        if found.scores[at] > IMPOSSIBLE
    ]


PHRASES = [[[1, 2]], [[4], [2, 2]], [[1, 1, 4]]]


@pytest.mark.parametrize("penalty", [0.0, 1.2])
def test_a_beam_wide_enough_finds_the_best_of_all_outputs_with_the_phrases(penalty):
    toy = Toy(5, seed=1)
    found = search(toy, 4, PHRASES, beam_width=200, length_penalty=penalty)
    for sentence in range(toy.batch):
        phrases = PHRASES[sentence]
        every = best_of_all(toy, sentence, END, 4, gnmt(penalty))
        best = next(x for x in every if all(holds(x.tokens, phrase) for phrase in phrases))
        tokens, score, met = hypotheses(found, sentence)[0]
        assert (tokens, met) == (best.tokens, True)
        assert best != every[0]
        np.testing.assert_allclose(score, best.score, rtol=1e-4)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", [1, 3])
def test_a_narrow_beam_meets_all_phrases(width, mode):
    toy = Toy(7, batch=4, seed=2)
    phrases = [[[4, 5], [6]], [[1, 1, 2], [5]], [[2, 6], [6, 2]], []]
    found = search(toy, 8, phrases, MODES[mode], beam_width=width, length_penalty=0.5)
    assert found.met.dtype == "bool"
    assert found.met[:, 0].all()
    for sentence in range(toy.batch):
        different = {tokens for tokens, _, _ in hypotheses(found, sentence)}
        assert len(different) == len(hypotheses(found, sentence))
        for tokens, score, met in hypotheses(found, sentence):
            assert met == all(holds(tokens, phrase) for phrase in phrases[sentence])
            expected = gnmt(0.5)(toy.score(sentence, tokens), tokens, END, sentence)
            np.testing.assert_allclose(score, expected, rtol=1e-4)


def test_a_sentence_without_phrases_is_searched_as_if_there_were_no_constraints():
    toy = Toy(5, batch=3, seed=3)
    found = search(toy, 6, [[], [[4, 4]], [[]]], beam_width=4)
    for sentence in (0, 2):
        assert_same(row(found, sentence), Search(toy, END, 6).best(sentence, 4), END)
        assert found.met[sentence].all()


def test_no_phrases_at_all_change_nothing():
    toy = Toy(5, batch=3, seed=3)
    found = search(toy, 5, [[], [], []], beam_width=4)
    for sentence in range(3):
        assert_same(row(found, sentence), Search(toy, END, 5).best(sentence, 4), END)


def test_the_best_effort_is_flagged_where_a_phrase_cannot_come():
    toy = Toy(5, batch=3, seed=4)
    toy.table[..., END] += 1
    phrases = [[[2, 1]], [[2, 4]], [[2]]]
    found = search(toy, 6, phrases, rules=[Forbidden([4])], beam_width=3)
    assert found.met[:, 0].tolist() == [True, False, True]
    assert not found.met[1].any()
    for tokens, score, _ in hypotheses(found, 1):
        assert 4 not in tokens
        np.testing.assert_allclose(score, toy.score(1, tokens), rtol=1e-4)
    # The best that ended without the phrase comes first.
    plain = Search(toy, END, 6, forbidden=lambda *_: [4]).best(1, 3)
    assert hypotheses(found, 1)[0][0] == plain[0].tokens
    assert END in plain[0].tokens


def test_the_best_effort_has_most_phrases():
    toy = Toy(5, batch=1, seed=5)
    toy.table[..., END] += 1
    found = search(toy, 4, [[[2, 1], [1], [2, 4], [4, 4]]], beam_width=30)
    assert not found.met.any()
    effort, *rest = hypotheses(found, 0)

    def number(tokens):
        return sum(holds(tokens, phrase) for phrase in [(2, 1), (1,), (2, 4), (4, 4)])

    every = [x for x in best_of_all(toy, 0, END, 4) if END in x.tokens]
    most = max(number(x.tokens) for x in every)
    assert most == 2
    assert effort[0] == next(x.tokens for x in every if number(x.tokens) == most)
    assert not any(END in tokens for tokens, _, _ in rest)


def test_phrases_may_overlap_and_come_twice_at_once():
    toy = Toy(5, batch=1, seed=6)
    found = search(toy, 3, [[[4, 1], [1, 2], [1, 2]]], beam_width=4)
    assert hypotheses(found, 0)[0][0] == (4, 1, 2)
    assert found.met[0, 0]


def test_a_forced_prefix_may_hold_a_phrase():
    toy = Toy(5, batch=1, seed=6)
    found = search(toy, 6, [[[1, 2]]], rules=[ForcedPrefix([[4, 1, 2]])], beam_width=2)
    assert hypotheses(found, 0)[0][0][:3] == (4, 1, 2)
    assert found.met[0, 0]


def test_those_with_all_phrases_come_first():
    toy = Toy(5, batch=4, seed=7)
    found = search(toy, 4, [[[2, 1]], [[4]], [[2, 2]], [[1], [4]]], beam_width=5)
    assert (np.diff(found.met.astype(int)) <= 0).all()
    for sentence in range(4):
        for met in (True, False):
            scores = found.scores[sentence][found.met[sentence] == met]
            assert (np.diff(scores) <= 0).all()


def test_alignments_follow_the_order():
    toy = Toy(5, batch=4, seed=7)
    found = search(toy, 4, [[[2, 1]], [[4]], [[2, 2]], [[1], [4]]], beam_width=5)
    for sentence in range(4):
        for beam, (tokens, _, _) in enumerate(hypotheses(found, sentence)):
            expected = toy.alignment(sentence, tokens)[:4]
            np.testing.assert_array_equal(found.alignments[sentence, beam], expected)


def test_phrases_may_be_a_tensor_in_the_graph_where_unknown_ids_cannot_be_met():
    toy = Toy(5, batch=2, seed=8)
    phrases = np.array([[[1, 2, 0], [4, 0, 0]], [[99, 0, 0], [-7, 0, 0]]], dtype="int64")

    def decode(table, phrases):
        rules = [LexicalConstraints(phrases)]
        return beam_search(toy.step, toy.initial_state(table), toy.start_ids, END, 5, rules=rules)

    found = numpy(fast(decode)(toy.table, ops.convert_to_tensor(phrases)))
    assert found.met[0, 0]
    assert not found.met[1].any()
    for sentence in range(2):
        different = {tokens for tokens, _, _ in hypotheses(found, sentence)}
        assert len(different) == len(hypotheses(found, sentence))
    tokens = hypotheses(found, 0)[0][0]
    assert holds(tokens, (1, 2))
    assert 4 in tokens


def test_a_tensor_of_phrases_may_hold_the_end_id_which_cannot_be_met():
    toy = Toy(5, batch=3, seed=8)
    phrases = np.array([[[END, 0]], [[4, END]], [[4, 2]]], dtype="int32")

    def decode(table, phrases):
        rules = [LexicalConstraints(phrases)]
        return beam_search(toy.step, toy.initial_state(table), toy.start_ids, END, 5, rules=rules)

    found = numpy(fast(decode)(toy.table, ops.convert_to_tensor(phrases)))
    assert not found.met[:2].any()
    assert found.met[2, 0]


def progress_of(tokens, phrase):
    """The longest beginning of the phrase that the tokens end in; all of it once it has come."""
    if holds(tokens, phrase):
        return len(phrase)
    return max(
        size for size in range(len(phrase)) if tokens[len(tokens) - size :] == phrase[:size]
    )


def test_progress_equals_what_the_whole_history_says():
    random = np.random.default_rng(0)
    phrases = [[(1, 1, 2), (1, 2, 1, 3), (2,)], [(1, 2, 1, 2, 3), (3, 3), ()]]
    automata = Phrases.of(padded("phrases", phrases, rank=3))
    beams, steps = 6, 12
    histories = random.integers(1, 4, size=(2, beams, steps))
    progress = automata.no_progress(beams)
    for step in range(steps):
        tokens = np.stack([histories[..., step], np.full((2, beams), 1)], axis=-1)
        after = automata.advanced(progress, tokens)
        for sentence, beam, candidate in np.ndindex(2, beams, 2):
            history = (*histories[sentence, beam, :step], tokens[sentence, beam, candidate])
            expected = [progress_of(history, phrase) for phrase in phrases[sentence]]
            assert ops.convert_to_numpy(after)[sentence, beam, candidate].tolist() == expected
        progress = after[:, :, 0]
        wanted = ops.convert_to_numpy(automata.wanted(progress))
        for sentence, beam, at in np.ndindex(2, beams, 3):
            phrase, come = phrases[sentence][at], progress[sentence, beam, at]
            assert wanted[sentence, beam, at] == (*phrase, 0)[int(come)]


def shared_out(scores, banks, width):
    """Round by round, each bank gives its best; banks with more tokens first."""
    queues = {
        bank: sorted(np.flatnonzero(banks == bank), key=lambda at: -scores[at])
        for bank in sorted(set(banks), reverse=True)
    }
    taken = []
    while len(taken) < width and any(queues.values()):
        taken += [queue.pop(0) for queue in queues.values() if queue]
    return taken[:width]


def test_places_are_shared_out_among_banks():
    random = np.random.default_rng(1)
    for width in (1, 4, 12):
        scores = random.normal(size=(20, 12)).astype("float32")
        tokens_met = random.integers(0, 5, size=(20, 12)).astype("int32")
        found = ops.convert_to_numpy(allocated(scores, tokens_met, 4, width))
        for at in range(20):
            assert found[at].tolist() == shared_out(scores[at], tokens_met[at], width)


def test_impossible_candidates_get_what_places_are_left():
    scores = np.array([[IMPOSSIBLE, -1.0, IMPOSSIBLE, -2.0]], dtype="float32")
    tokens_met = np.array([[4, 0, 4, 0]], dtype="int32")
    found = allocated(scores, tokens_met, 4, 3)
    assert ops.convert_to_numpy(found).tolist() == [[1, 3, 0]]


def test_what_has_no_hope_is_dropped():
    #           finished, all | unfinished, all | fewer phrases: unfinished, finished
    scores = np.array([[-3.0, -5.0, -9.0, -2.0, -4.0, -0.5, -1.0, -1.5]], dtype="float32")
    bounds = np.array([[-3.0, -5.0, -9.0, -2.0, -3.5, -0.5, -1.0, -1.5]], dtype="float32")
    done = np.array([[True, True, False, False, False, True, True, True]])
    phrases_met = np.array([[2, 2, 2, 0, 1, 0, 1, 1]], dtype="int32")

    def kept(at):
        at = list(at)
        arguments = (x[:, at] for x in (scores, bounds, done, phrases_met))
        return ops.convert_to_numpy(hopeful(*arguments, 2))[0].tolist()

    assert kept(range(8)) == [True, True, True, True, False, False, False, False]
    # Before one is finished with all, nothing is without hope, and of those that have ended the
    # best one with most phrases is kept.
    assert kept(range(2, 8)) == [True, True, True, False, True, False]


def test_the_order_is_by_class_then_by_score():
    scores = np.array([[-1.0, -4.0, -2.0, -4.0, IMPOSSIBLE]], dtype="float32")
    classes = np.array([[1, 2, 2, 2, 0]], dtype="int32")
    assert ops.convert_to_numpy(ranked(scores, classes)).tolist() == [[2, 1, 3, 0, 4]]


@pytest.mark.parametrize(
    ("phrases", "message"),
    [
        (
            [[[1, 2, 1]], []],
            "`phrases` must have at most `max_length` tokens each, here 2. "
            "Received: phrases=[[[1, 2, 1]], [[0, 0, 0]]]",
        ),
        ([[[5]], []], "`phrases` must be ids from 0 to 4. Received: phrases=[[[5]], [[0]]]"),
        ([[[-1]], []], "`phrases` must be ids from 0 to 4. Received: phrases=[[[-1]], [[0]]]"),
        (
            [[[1, 3]], []],
            "`phrases` must not hold the end id, here 3. Received: phrases=[[[1, 3]], [[0, 0]]]",
        ),
        (
            [[[1]]],
            "`phrases` must have one row for each of `start_ids`, here 2. "
            "Received: phrases with shape (1, 1, 1)",
        ),
    ],
)
def test_refuses(phrases, message):
    toy = Toy(5, batch=2)
    rules = [LexicalConstraints(phrases)]
    with refused(message):
        beam_search(toy.step, toy.initial_state(), toy.start_ids, END, 2, rules=rules)


def test_refuses_two_rules_of_this_kind():
    toy = Toy(5, batch=1)
    rules = [LexicalConstraints([[[1]]]), LexicalConstraints([[[2]]])]
    with refused("`rules` must have at most one LexicalConstraints. Received: rules with 2"):
        beam_search(toy.step, toy.initial_state(), toy.start_ids, END, 2, rules=rules)


def test_refuses_phrases_of_another_rank():
    with refused("`phrases` must have 3 dimensions. Received: phrases with shape (1, 2)"):
        LexicalConstraints(np.array([[1, 2]]))


if not JAX:  # where the batch is known when the graph is made

    def test_a_batch_may_have_no_sentence():
        def step(token_ids, state):
            return ops.one_hot(token_ids, 5), state

        rules = [LexicalConstraints(np.zeros((0, 2, 2), dtype="int32"))]
        found = run(beam_search, step, {}, np.zeros(0, dtype="int32"), END, 4, 2, rules=rules)
        assert found.token_ids.shape == (0, 2, 4)
        assert found.met.shape == (0, 2)
