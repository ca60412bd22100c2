"""Steps of several models in one: against the same sums in NumPy."""

import numpy as np
import pytest
from keras import ops

from seqnlp.decoding import (
    IMPOSSIBLE,
    RepetitionPenalty,
    beam_search,
    combine_states,
    ensemble,
    greedy,
    shallow_fusion,
)
from tests.decoding.toy import (
    Hypothesis,
    Search,
    Toy,
    assert_same,
    compiled,
    fast,
    log_softmax,
    numpy,
    outputs,
    refused,
    row,
)

END, TIME = 3, 4


class Together:
    """Logits of several toys by a NumPy function, for `Search`."""

    def __init__(self, toys, combined):
        self.toys, self.combined = toys, combined
        self.vocabulary, self.batch = toys[0].vocabulary, toys[0].batch

    def logits(self, sentence, tokens):
        return self.combined([toy.log_probabilities(sentence, tokens) for toy in self.toys])


def mean(each):
    return np.log(np.mean(np.exp(each), axis=0))


def toys(number, vocabulary=4):
    return [Toy(vocabulary, batch=2, seed=seed) for seed in range(number)]


def states(toys, tables):
    return combine_states(*(toy.initial_state(x) for toy, x in zip(toys, tables, strict=True)))


def decode(step, toys, mode=fast, **options):
    def run(tables):
        return beam_search(step, states(toys, tables), toys[0].start_ids, END, TIME, **options)

    return numpy(mode(run)([toy.table for toy in toys]))


@pytest.mark.parametrize("number", [1, 3])
def test_an_ensemble_adds_up_probabilities(number):
    parts = toys(number)
    found = decode(ensemble([toy.step for toy in parts]), parts, compiled, beam_width=3)
    search = Search(Together(parts, mean), END, TIME)
    for sentence in range(2):
        assert_same(row(found, sentence), search.best(sentence, 3), END)


def test_shallow_fusion_ranks_by_the_sums_of_the_paper():
    parts = toys(2)
    step = shallow_fusion(parts[0].step, parts[1].step, 0.4)
    found = decode(step, parts, beam_width=4**TIME)
    for sentence in range(2):
        scores = [
            Hypothesis(x, parts[0].score(sentence, x) + 0.4 * parts[1].score(sentence, x))
            for x in outputs(4, END, TIME)
        ]
        expected = sorted(scores, key=lambda hypothesis: -hypothesis.score)
        assert_same(row(found, sentence), expected, END)


def without(step, token):
    """The step, to which the token has no probability at all."""

    def limited(token_ids, state):
        logits, state = step(token_ids, state)
        return ops.where(np.arange(logits.shape[-1]) == token, -np.inf, logits), state

    return limited


@pytest.mark.parametrize("forbids", [False, True])
def test_a_weight_of_nothing_leaves_the_model_alone(forbids):
    parts = toys(2)
    language_model = without(parts[1].step, 2) if forbids else parts[1].step
    found = decode(shallow_fusion(parts[0].step, language_model, 0.0), parts, beam_width=3)
    for sentence in range(2):
        assert_same(row(found, sentence), Search(parts[0], END, TIME).best(sentence, 3), END)


@pytest.mark.parametrize("weight", [1e-3, 0.4, 2.0])
def test_what_the_language_model_holds_impossible_never_comes(weight):
    parts = toys(2)
    step = shallow_fusion(parts[0].step, without(parts[1].step, 2), weight)
    found = decode(step, parts, beam_width=4**TIME)
    left = [tokens for tokens in outputs(4, END, TIME) if 2 not in tokens]
    assert np.isfinite(found.scores).all()
    assert (found.scores > IMPOSSIBLE).sum(axis=1).tolist() == [len(left)] * 2
    assert not (found.token_ids == 2).any()


def test_an_ensemble_may_be_fused():
    parts = toys(3)
    inner = ensemble([toy.step for toy in parts[:2]])
    step = shallow_fusion(inner, parts[2].step, 0.5)

    def run(tables):
        state = combine_states(states(parts[:2], tables[:2]), parts[2].initial_state(tables[2]))
        return greedy(step, state, parts[0].start_ids, END, TIME)

    found = numpy(fast(run)([toy.table for toy in parts]))
    for sentence in range(2):
        tokens, score = (), 0.0
        while len(tokens) < TIME and END not in tokens:
            each = [toy.log_probabilities(sentence, tokens) for toy in parts]
            sums = mean(each[:2]) + 0.5 * each[2]
            tokens, score = (*tokens, int(np.argmax(sums))), score + sums.max()
        assert tuple(found.token_ids[sentence])[: len(tokens)] == tokens
        np.testing.assert_allclose(found.scores[sentence], score, rtol=1e-4)


def test_a_rule_that_reweighs_has_the_sums_normalised_again():
    parts = toys(2)
    step = shallow_fusion(parts[0].step, parts[1].step, 0.4)
    found = decode(step, parts, beam_width=2, rules=[RepetitionPenalty(1.5)])
    together = Together(parts, lambda each: each[0] + 0.4 * each[1])

    def less_likely(logits, tokens, sentence):
        return np.where(np.isin(np.arange(4), tokens), logits * 1.5, logits)

    search = Search(together, END, TIME, reweighed=less_likely)
    for sentence in range(2):
        assert_same(row(found, sentence), search.best(sentence, 2), END)


def test_the_alignment_is_the_mean_of_those_that_there_are():
    parts = toys(3)
    with_alignment = [toy.initial_state() for toy in parts]
    del with_alignment[2]["alignment"]
    with_alignment[0]["alignment"] = np.full((2, 8), 0.2, dtype="float32")
    with_alignment[1]["alignment"] = np.full((2, 8), 0.6, dtype="float32")
    combined = combine_states(*with_alignment)
    np.testing.assert_allclose(ops.convert_to_numpy(combined["alignment"]), np.full((2, 8), 0.4))
    assert "alignment" not in combine_states(with_alignment[2])


def test_the_step_s_alignment_is_that_of_its_parts():
    parts = toys(2)
    found = decode(ensemble([toy.step for toy in parts]), parts, beam_width=2)
    alone = decode(ensemble([parts[0].step]), parts[:1], beam_width=2)
    assert found.alignments.shape == alone.alignments.shape == (2, 2, TIME, 8)
    given = found.alignments[:, :, 0, 0]  # both parts attend to the start by 1 + its id
    np.testing.assert_array_equal(given, 1 + np.repeat(parts[0].start_ids[:, None], 2, axis=1))


def test_scores_are_normalised_sums():
    step = ensemble([toy.step for toy in toys(2)])
    state = states(toys(2), [toy.table for toy in toys(2)])
    logits, _ = step(np.zeros(2, dtype="int32"), state)
    logits = ops.convert_to_numpy(logits)
    np.testing.assert_allclose(logits, [log_softmax(x) for x in logits], rtol=1e-4, atol=1e-5)


def test_refuses_an_ensemble_of_none():
    with refused("`steps` must hold at least one step. Received: steps=()"):
        ensemble([])


def test_refuses_a_negative_weight():
    with refused("`weight` must be at least 0. Received: weight=-0.1"):
        shallow_fusion(None, None, -0.1)


def combined_of_other_vocabularies():
    parts = [Toy(4, batch=1), Toy(5, batch=1)]
    return parts, combine_states(*(toy.initial_state() for toy in parts))


def test_refuses_an_ensemble_of_other_vocabularies():
    parts, state = combined_of_other_vocabularies()
    with refused("`steps` must have the same vocabulary. Received: steps with [4, 5]"):
        ensemble([toy.step for toy in parts])(np.zeros(1, dtype="int32"), state)


def test_refuses_a_language_model_of_another_vocabulary():
    parts, state = combined_of_other_vocabularies()
    with refused(
        "`language_model_step` must have the same vocabulary. "
        "Received: language_model_step with [4, 5]"
    ):
        shallow_fusion(parts[0].step, parts[1].step, 1.0)(np.zeros(1, dtype="int32"), state)


def test_refuses_a_state_of_another_number_of_parts():
    (toy,) = toys(1)
    with refused("`state` must combine 2 states. Received: state of 1 states"):
        ensemble([toy.step] * 2)(np.zeros(2, dtype="int32"), combine_states(toy.initial_state()))
