"""Every rule against the same rule in plain Python, in a plain search."""

import numpy as np
import pytest
from keras import ops

from seqnlp.decoding import (
    IMPOSSIBLE,
    Forbidden,
    ForcedPrefix,
    MinimumLength,
    NoRepeatedNgrams,
    RepetitionPenalty,
    Rule,
    beam_search,
    greedy,
    sample,
)
from tests.decoding.toy import (
    Search,
    Toy,
    assert_same,
    fast,
    gnmt,
    length_of,
    numpy,
    read,
    refused,
    row,
)

END, VOCABULARY, TIME = 3, 5, 6
PREFIXES = [[2, 2, 4], [1], []]


def repeats(tokens, size):
    """Tokens that would bring an n-gram a second time."""
    ngrams = [tokens[at : at + size] for at in range(len(tokens) - size + 1)]
    return [x for x in range(VOCABULARY) if (*tokens, x)[len(tokens) + 1 - size :] in ngrams]


def of_prefix(tokens, sentence):
    at, prefix = len(tokens), PREFIXES[sentence]
    return [x for x in range(VOCABULARY) if at < len(prefix) and x != prefix[at]]


def less_likely(logits, tokens, sentence):
    logits = logits.copy()
    for token in set(tokens):
        logits[token] = logits[token] / 1.7 if logits[token] > 0 else logits[token] * 1.7
    return logits


def at_first(tokens, sentence):
    return [END] if len(tokens) < 3 else []


CASES = {
    "minimum length": ([MinimumLength(3)], {"forbidden": at_first}),
    "forbidden": ([Forbidden([0, 2])], {"forbidden": lambda *_: [0, 2]}),
    "prefix": ([ForcedPrefix(PREFIXES)], {"forbidden": of_prefix}),
    "unigrams": ([NoRepeatedNgrams(1)], {"forbidden": lambda t, _: repeats(t, 1)}),
    "bigrams": ([NoRepeatedNgrams(2)], {"forbidden": lambda t, _: repeats(t, 2)}),
    "trigrams": ([NoRepeatedNgrams(3)], {"forbidden": lambda t, _: repeats(t, 3)}),
    "repetition": ([RepetitionPenalty(1.7)], {"reweighed": less_likely}),
    "all": (
        [
            NoRepeatedNgrams(2),
            RepetitionPenalty(1.7),
            MinimumLength(3),
            ForcedPrefix(PREFIXES),
            Forbidden(np.array([0])),
        ],
        {
            "forbidden": lambda t, s: [
                0,
                *repeats(t, 2),
                *of_prefix(t, s),
                *at_first(t, s),
            ],
            "reweighed": less_likely,
        },
    ),
}


def toy_that_repeats():
    """Without a rule its best outputs are short, and hold the same tokens again and again."""
    toy = Toy(VOCABULARY, seed=2)
    toy.table[..., 2] += 3.0
    toy.table[..., END] += 1.5
    return toy


def decoded(decode, rules, **options):
    toy = toy_that_repeats()

    def run(table):
        state = toy.initial_state(table)
        return decode(toy.step, state, toy.start_ids, END, TIME, rules=rules, **options)

    return toy, numpy(fast(run)(toy.table))


@pytest.mark.parametrize("case", CASES)
def test_a_beam_keeps_the_rules(case):
    rules, plain = CASES[case]
    toy, found = decoded(beam_search, rules, beam_width=4, length_penalty=0.5)
    search = Search(toy, END, TIME, gnmt(0.5), **plain)
    for sentence in range(toy.batch):
        assert_same(row(found, sentence), search.best(sentence, 4), END)


def test_greedy_search_keeps_the_rules():
    rules, plain = CASES["all"]
    toy, found = decoded(greedy, rules)
    for sentence in range(toy.batch):
        tokens = read(found.token_ids[sentence], found.lengths[sentence], END)
        (expected,) = Search(toy, END, TIME, **plain).best(sentence, 1)
        assert tokens == expected.tokens
        np.testing.assert_allclose(found.scores[sentence], expected.score, rtol=1e-4)


def test_sampling_keeps_the_rules():
    rules, plain = CASES["all"]
    toy, found = decoded(sample, rules, seed=5)
    for sentence in range(toy.batch):
        tokens = read(found.token_ids[sentence], found.lengths[sentence], END)
        hypotheses = [((), 0.0)]
        for token in tokens:
            search = Search(toy, END, TIME, **plain)
            extensions = search.extensions(sentence, hypotheses[-1])
            hypotheses += [x for x in extensions if x.tokens[-1] == token]
        assert hypotheses[-1][0] == tokens
        np.testing.assert_allclose(found.scores[sentence], hypotheses[-1][1], rtol=1e-4)


def test_the_cases_would_show_a_rule_that_does_nothing():
    toy = toy_that_repeats()
    free = Search(toy, END, TIME, gnmt(0.5))
    for case, (_, plain) in CASES.items():
        ruled = Search(toy, END, TIME, gnmt(0.5), **plain)
        assert any(ruled.best(s, 4) != free.best(s, 4) for s in range(toy.batch)), case


def test_the_scores_of_what_is_left_are_the_model_s_own():
    toy, found = decoded(beam_search, [Forbidden([0, 2])], beam_width=3)
    tokens = read(found.token_ids[0, 0], found.lengths[0, 0], END)
    np.testing.assert_allclose(found.scores[0, 0], toy.score(0, tokens), rtol=1e-5)


def test_a_rule_of_one_s_own_works_like_ours():
    class EvenLengths(Rule):
        """No end id behind an odd number of tokens."""

        def allowed(self, partial):
            is_token = np.arange(partial.vocabulary) != partial.end_id
            return (partial.position % 2 == 0) | is_token

    toy, found = decoded(beam_search, [EvenLengths()], beam_width=4)
    search = Search(toy, END, TIME, forbidden=lambda t, _: [END] if len(t) % 2 else [])
    for sentence in range(toy.batch):
        expected = search.best(sentence, 4)
        assert_same(row(found, sentence), expected, END)
        assert all(length_of(x.tokens, END) % 2 == 0 for x in expected)


def test_a_prefix_may_be_a_tensor_in_the_graph():
    toy = toy_that_repeats()
    prefixes = np.array([[2, 2, 4], [1, 0, 0], [0, 0, 0]], dtype="int64")

    def run(table, prefixes):
        rules = [ForcedPrefix(prefixes)]
        return greedy(toy.step, toy.initial_state(table), toy.start_ids, END, TIME, rules)

    _, expected = decoded(greedy, [ForcedPrefix(PREFIXES)])
    found = numpy(fast(run)(toy.table, prefixes))
    np.testing.assert_array_equal(found.token_ids, expected.token_ids)


def test_of_a_prefix_in_a_tensor_the_first_tokens_come():
    prefixes = ops.convert_to_tensor(np.full((3, TIME + 1), 4, dtype="int32"))
    _, found = decoded(greedy, [ForcedPrefix(prefixes)])
    np.testing.assert_array_equal(found.token_ids, np.full((3, TIME), 4))


@pytest.mark.parametrize("unknown", [99, -7])
def test_an_unknown_prefix_in_a_tensor_leaves_nothing_that_is_possible(unknown):
    prefixes = ops.convert_to_tensor(np.array([[unknown], [4], [0]], dtype="int32"))
    _, free = decoded(greedy, [])
    _, found = decoded(greedy, [ForcedPrefix(prefixes)])
    assert found.scores[0] <= IMPOSSIBLE
    assert found.scores[1] > IMPOSSIBLE
    assert found.token_ids[1, 0] == 4
    np.testing.assert_array_equal(found.token_ids[2], free.token_ids[2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MinimumLength(0),
            "`length` must be at least 1. Received: length=0",
        ),
        (lambda: NoRepeatedNgrams(0), "`size` must be at least 1. Received: size=0"),
        (
            lambda: RepetitionPenalty(0.9),
            "`penalty` must be at least 1. Received: penalty=0.9",
        ),
        (
            lambda: ForcedPrefix(np.zeros(3, dtype="int32")),
            "`token_ids` must have 2 dimensions. Received: token_ids with shape (3,)",
        ),
        (
            lambda: ForcedPrefix([[1, 0, 2]]),
            "`token_ids` must have 0 at the end of its rows only. Received: token_ids=[[1, 0, 2]]",
        ),
    ],
)
def test_refuses_to_make(make, message):
    with refused(message):
        make()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            MinimumLength(TIME + 1),
            "`length` must be at most `max_length`, here 6. Received: length=7",
        ),
        (
            Forbidden([1, 5]),
            "`token_ids` must be ids from 0 to 4. Received: token_ids=[1, 5]",
        ),
        (
            Forbidden([-1]),
            "`token_ids` must be ids from 0 to 4. Received: token_ids=[-1]",
        ),
        (
            ForcedPrefix([[1, 5], [2], [3]]),
            "`token_ids` must be ids from 0 to 4. Received: token_ids=[[1, 5], [2, 0], [3, 0]]",
        ),
        (
            ForcedPrefix([[-1], [2], [3]]),
            "`token_ids` must be ids from 0 to 4. Received: token_ids=[[-1], [2], [3]]",
        ),
        (
            ForcedPrefix([[1, 1, 1, 1, 1, 1, 1], [2], []]),
            "`token_ids` must have at most `max_length` tokens each, here 6. Received: token_ids="
            "[[1, 1, 1, 1, 1, 1, 1], [2, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]]",
        ),
        (
            ForcedPrefix([[1], [2]]),
            "`token_ids` must have one row for each of `start_ids`, here 3. "
            "Received: token_ids with shape (2, 1)",
        ),
    ],
)
@pytest.mark.parametrize("decode", [greedy, beam_search])
def test_refuses_to_decode_with(decode, rule, message):
    toy = Toy(VOCABULARY)
    with refused(message):
        decode(toy.step, toy.initial_state(), toy.start_ids, END, TIME, rules=[rule])
